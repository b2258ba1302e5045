//! What the venue grants the signer, as the headers of its order routes tell it.
//!
//! The tier sets how much the buckets hold and gain. What is left of a bucket is believed where it
//! is less than what was counted here, never where it is more: requests may be on their way. What
//! makes no sense changes nothing.

use crate::domain::Timestamp;
use crate::venue::gateway::{Answer, Budget, Call, Class, Left, Subject, Taken};
use crate::venue::polymarket::facts::tier;

use super::route;

/// Budgets as far as the venue told.
#[derive(Debug, Default)]
pub(super) struct Signer {
    /// What orders and what cancels may use.
    told: Option<(Budget, Budget)>,
    is_warned: bool,
}

impl Signer {
    /// The budget of a class. Before the venue has told, it is the lowest tier's rate without its
    /// burst. Reads have none of this kind.
    pub(super) fn budget(&self, class: Class) -> Budget {
        match (class, self.told) {
            (Class::Order, Some((orders, _))) => orders,
            (Class::Cancel, Some((_, cancels))) => cancels,
            (Class::Cancel, None) => Budget { capacity: 80, refill_per_s: 80 },
            (Class::Order, None) | (Class::Read, _) => Budget { capacity: 40, refill_per_s: 40 },
        }
    }

    /// Takes in what an answer of the order routes says of the signer's budgets.
    pub(super) fn hear(&mut self, call: &Call, answer: &Answer<'_>, taken: &mut Taken) {
        let Answer::Reply { headers, .. } = answer else { return };
        if headers.is_empty() || !is_charged(call) {
            return;
        }
        let told = |name: &str| {
            let found = headers.iter().find(|(one, _)| *one == name);
            found.map(|(_, text)| text.trim())
        };
        if let Some(grants) = told(tier::TIER).and_then(grants_of) {
            self.told = Some(grants);
        }
        // Cancels may owe some.
        let tokens = told(tier::REMAINING).and_then(|text| text.parse::<i64>().ok());
        taken.left = tokens.map(|tokens| {
            let tokens = u64::try_from(tokens).unwrap_or(0);
            let until = told(tier::RESET).and_then(moment);
            Left { tokens, until: until.filter(|_| tokens == 0) }
        });
        let is_warning = told(tier::WARNING).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if is_warning && !self.is_warned {
            self.is_warned = true;
            let text = "polymarket warns that it would refuse requests that it still takes: they \
                        are more than its limits for the signer";
            taken.notices.push(text.to_owned());
        }
    }
}

/// Whether a call is one that the signer's buckets are charged for.
fn is_charged(call: &Call) -> bool {
    match call.subject {
        Subject::Place(_)
        | Subject::Places(_)
        | Subject::Cancel(_)
        | Subject::Cancels(_)
        | Subject::Everything
        | Subject::Other(route::NAME, _) => true,
        Subject::Decrease(..)
        | Subject::Amend(..)
        | Subject::Order(_)
        | Subject::Seek(..)
        | Subject::Other(..) => false,
    }
}

/// What a tier grants orders and cancels; `None` of one that is not known.
fn grants_of(name: &str) -> Option<(Budget, Budget)> {
    let found = tier::ALL.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
    let (known, refill_per_s, capacity) = *found;
    let cancels = match known {
        "diamond" => tier::DIAMOND_CANCELS,
        _ => capacity * 2,
    };
    let orders = Budget { capacity, refill_per_s };
    Some((orders, Budget { capacity: cancels, refill_per_s: refill_per_s * 2 }))
}

/// A moment in whole seconds of Unix time.
fn moment(text: &str) -> Option<Timestamp> {
    let secs = text.parse::<i64>().ok()?;
    (0..=SECS_MAX).contains(&secs).then(|| Timestamp::from_secs(secs))
}

/// The last second that is a moment here: the year 2255.
const SECS_MAX: i64 = 9_000_000_000;
