//! The orders that are ours, and by which ids they are known.
//!
//! An order has two ids. The client id follows from the journal's name and the intent: it is known
//! before anything is sent, and it is what an `OrderId` holds until the venue has answered. The
//! venue's own id comes with the first message that names both, and from then on `OrderId`s in
//! evidence hold that one. Either finds the order.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::{
    Action, Instance, IntentId, MarketIndex, Order, Price, Quantity, Size, Timestamp,
};

/// The id under which an order of this journal goes out: a UUID of version 8 whose first bytes are
/// the journal's tag.
///
/// Version and variant take the high bits of bytes 6 and 8, so the tag in bytes 0 to 3 stays whole,
/// and 90 bits of the intent's mark tell the orders of a journal apart.
pub fn client_id(instance: &Instance, intent: IntentId) -> String {
    uuid_of(instance, intent).hyphenated().to_string()
}

fn uuid_of(instance: &Instance, intent: IntentId) -> Uuid {
    let mark = instance.mark(intent);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&mark[..16]);
    Uuid::new_v8(bytes)
}

/// Whether a client id bears this journal's tag: an order of ours, though its record may be lost.
pub fn bears_tag(instance: &Instance, client_id: &str) -> bool {
    Uuid::try_parse(client_id).is_ok_and(|id| {
        id.get_version_num() == 8 && id.as_bytes()[..Instance::TAG_BYTES] == instance.tag()
    })
}

/// What an order asks for: a limit at the contract's own scale, and contracts in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) limit: Price,
    pub(super) count: Quantity,
}

impl Ask {
    const fn of(order: &Order) -> Self {
        let count = match order.size {
            Size::Contracts(quantity) => quantity,
            Size::Collateral(_) => Quantity::ZERO,
        };
        Self { limit: order.limit, count }
    }
}

/// What an order asks for at the venue, now and before.
///
/// News may be older than a change that is known, so evidence may fit whatever the order ever asked
/// for; it never has to fit what was only meant and refused.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    /// In the order in which they were asked for; a change is known by its place among them.
    asks: Vec<Ask>,
    /// The place of what holds now.
    now: usize,
    /// Whether the last one is a change that was sent and is neither known to have been made, nor
    /// to have been refused.
    is_open: bool,
}

impl Terms {
    /// The most changes of one order.
    const CHANGES_MAX: usize = 64;

    fn new(first: Ask) -> Self {
        Self { asks: vec![first], now: 0, is_open: false }
    }

    /// What was asked for in this place.
    pub(super) fn at(&self, place: u64) -> Option<Ask> {
        self.asks.get(usize::try_from(place).ok()?).copied()
    }

    /// What it asks for; `None` while a change is not known to have been made.
    pub(super) fn sure(&self) -> Option<Ask> {
        if self.is_open { None } else { self.asks.get(self.now).copied() }
    }

    /// What it asks for once the change that is under way has been made, and its place.
    pub(super) fn meant(&self) -> Option<(u64, Ask)> {
        let last = self.asks.len().checked_sub(1).filter(|_| self.is_open)?;
        Some((u64::try_from(last).ok()?, *self.asks.get(last)?))
    }

    /// Every limit that it has or may have had.
    pub(super) fn limits(&self) -> impl Iterator<Item = Price> + '_ {
        self.asks.iter().map(|ask| ask.limit)
    }

    /// The least and the most contracts that it asks for or may have asked for.
    pub(super) fn counts(&self) -> (Quantity, Quantity) {
        let counts = || self.asks.iter().map(|ask| ask.count);
        (counts().min().unwrap_or_default(), counts().max().unwrap_or_default())
    }

    /// Takes note of a change that is sent and gives its place, or says why none may be.
    pub(super) fn begin(&mut self, to: Ask) -> Result<u64, &'static str> {
        match self.sure() {
            None => return Err("what became of its last change is not known"),
            Some(now) if now == to => return Err("it would change nothing"),
            Some(_) if self.asks.len() > Self::CHANGES_MAX => {
                return Err("it was changed too often");
            }
            Some(_) => {}
        }
        self.asks.push(to);
        self.is_open = true;
        self.meant().map(|(place, _)| place).ok_or("it was changed too often")
    }

    /// The change in this place has been made, if it is the one under way.
    pub(super) fn made(&mut self, place: u64) {
        if self.meant().is_some_and(|(meant, _)| meant == place) {
            self.now = self.asks.len().saturating_sub(1);
            self.is_open = false;
        }
    }

    /// The change in this place, if it is the one under way, was not made and never will be.
    pub(super) fn dropped(&mut self, place: u64) {
        if self.meant().is_some_and(|(meant, _)| meant == place) {
            self.asks.pop();
            self.is_open = false;
        }
    }

    /// An earlier run told of what the order asked for later.
    fn recall(&mut self, ask: Ask) {
        let is_new = !self.is_open && !self.asks.contains(&ask);
        if is_new && self.asks.len() <= Self::CHANGES_MAX {
            self.asks.push(ask);
            self.now = self.asks.len().saturating_sub(1);
        }
    }
}

/// One of our orders.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// As it was placed.
    pub(super) order: Order,
    /// What it asks for, after all changes.
    pub(super) terms: Terms,
    /// The id it went out under.
    pub(super) client: String,
    /// The venue's id, once it is known.
    pub(super) id: Option<String>,
    /// Fills that have been reported, by their ids.
    pub(super) booked: BTreeMap<String, Quantity>,
    /// How much was filled when its fills were last asked for.
    pub(super) asked: Quantity,
}

impl Known {
    /// The limit that is the worst for us of all that it has or may have had.
    pub(super) fn limit_worst(&self) -> Price {
        let limits = self.terms.limits();
        let worst = match self.order.action {
            Action::Buy => limits.max(),
            Action::Sell => limits.min(),
        };
        worst.unwrap_or(self.order.limit)
    }

    /// How much of it has been reported fill by fill.
    pub(super) fn booked(&self) -> Quantity {
        self.booked.values().fold(Quantity::ZERO, |sum, one| sum.saturating_add(*one))
    }
}

/// All of our orders that have not been forgotten.
#[derive(Debug, Default)]
pub(super) struct Roster {
    orders: BTreeMap<IntentId, Known>,
    by_client: BTreeMap<String, IntentId>,
    by_id: BTreeMap<String, IntentId>,
}

impl Roster {
    /// How far beyond the highest number that is known a lost one is looked for: as many orders as
    /// a journal may have lacked when it was put back from a copy.
    const LOST_MAX: u64 = 20_000;

    /// The intent that an order with this client id was sent for, if it is none of those here.
    pub(super) fn lost(&self, instance: &Instance, client: &str) -> Option<IntentId> {
        let id = Uuid::try_parse(client).ok()?;
        let highest = self.orders.last_key_value().map_or(0, |(intent, _)| intent.0);
        let later = highest + 1..=highest + Self::LOST_MAX;
        let is_it = |intent: &IntentId| {
            !self.orders.contains_key(intent) && uuid_of(instance, *intent) == id
        };
        later.chain(1..=highest).map(IntentId).find(is_it)
    }

    /// Takes an order in. One that is known stays as it is, but for a limit or a size that it did
    /// not have before.
    pub(super) fn add(&mut self, order: &Order, client: String) {
        self.by_client.insert(client.clone(), order.intent);
        let ask = Ask::of(order);
        if let Some(known) = self.orders.get_mut(&order.intent) {
            return known.terms.recall(ask);
        }
        let known = Known {
            order: order.clone(),
            terms: Terms::new(ask),
            client,
            id: None,
            booked: BTreeMap::new(),
            asked: Quantity::ZERO,
        };
        self.orders.insert(order.intent, known);
    }

    /// Learns the venue's id of an order. The first one stays: false when there is another already,
    /// or when the id is another order's.
    pub(super) fn learn(&mut self, intent: IntentId, id: &str) -> bool {
        if id.is_empty() || self.by_id.get(id).is_some_and(|other| *other != intent) {
            return false;
        }
        let Some(known) = self.orders.get_mut(&intent) else { return false };
        if known.id.as_deref().is_some_and(|before| before != id) {
            return false;
        }
        known.id = Some(id.to_owned());
        self.by_id.insert(id.to_owned(), intent);
        true
    }

    pub(super) fn forget(&mut self, intent: IntentId) {
        if let Some(known) = self.orders.remove(&intent) {
            self.by_client.remove(&known.client);
            if let Some(id) = known.id {
                self.by_id.remove(&id);
            }
        }
    }

    pub(super) fn get(&self, intent: IntentId) -> Option<&Known> {
        self.orders.get(&intent)
    }

    pub(super) fn get_mut(&mut self, intent: IntentId) -> Option<&mut Known> {
        self.orders.get_mut(&intent)
    }

    /// The order that a message is about, by whichever id it names.
    pub(super) fn find(&self, id: &str, client: &str) -> Option<IntentId> {
        self.by_id.get(id).or_else(|| self.by_client.get(client)).copied()
    }

    /// When the first of our orders in a market was decided.
    pub(super) fn since(&self, market: MarketIndex) -> Option<Timestamp> {
        let there = self.orders.values().filter(|known| known.order.market == market);
        there.map(|known| known.order.at).min()
    }

    /// The orders whose id at the venue is not known.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = &Known> {
        self.orders.values().filter(|known| known.id.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_survives_in_a_uuid_of_version_8() {
        for name in 0..=255u8 {
            let (instance, other) = (Instance([name; 16]), Instance([name.wrapping_add(1); 16]));
            let id = client_id(&instance, IntentId(u64::from(name)));
            let parsed = Uuid::try_parse(&id).unwrap();
            assert_eq!(parsed.get_version_num(), 8);
            assert_eq!(parsed.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(parsed.as_bytes()[..4], instance.tag());
            assert!(bears_tag(&instance, &id) && bears_tag(&instance, &id.to_uppercase()));
            assert!(!bears_tag(&other, &id));
        }
    }

    #[test]
    fn client_ids_follow_from_the_intent_and_differ() {
        let instance = Instance([9; 16]);
        let ids: std::collections::BTreeSet<_> =
            (1..=1_000).map(|at| client_id(&instance, IntentId(at))).collect();
        assert_eq!(ids.len(), 1_000);
        assert_eq!(client_id(&instance, IntentId(5)), client_id(&instance, IntentId(5)));
    }

    #[test]
    fn foreign_ids_bear_no_tag() {
        let instance = Instance([9; 16]);
        for id in ["", "my-bot-1", "5f0a8c1e-1111-4222-8333-9c0d1e2f3a4b"] {
            assert!(!bears_tag(&instance, id), "{id}");
        }
        let ours = client_id(&instance, IntentId(1));
        let other_version = format!("{}4{}", &ours[..14], &ours[15..]);
        assert!(!bears_tag(&instance, &other_version), "version 4 is drawn by chance");
    }
}
