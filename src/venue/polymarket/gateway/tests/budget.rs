//! What the headers of the order routes say of the signer's budgets.

use super::*;
use crate::venue::gateway::{Budget, Left};

/// Reads an answer to an order with these headers.
fn read_with(gateway: &mut Gateway, call: &Call, told: &[(&'static str, &str)]) -> Taken {
    let headers: Vec<_> = told.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    let (mut taken, body) = (Taken::default(), "{}");
    let answer = Answer::Reply { status: 400, retry_after: None, headers: &headers, body };
    gateway.read(call, &answer, &table(), now(), &mut taken);
    taken
}

fn grants(gateway: &Gateway) -> [(u64, u64); 3] {
    [Class::Order, Class::Cancel, Class::Read].map(|class| {
        let Budget { capacity, refill_per_s } = gateway.budget(class);
        (refill_per_s, capacity)
    })
}

const UNTOLD: [(u64, u64); 3] = [(40, 40), (80, 80), (40, 40)];

#[test]
fn a_tier_that_is_known_sets_the_budgets_and_no_other_does() {
    let (mut gateway, _, call) = placed(&taking());
    assert_eq!(grants(&gateway), UNTOLD);
    let mut tell = |tier: &str| {
        read_with(&mut gateway, &call, &[("poly-ratelimit-tier", tier)]);
        grants(&gateway)
    };
    for garbage in ["", "standard plus", "Mythril", "7", "\u{fffd}"] {
        assert_eq!(tell(garbage), UNTOLD, "{garbage}");
    }
    assert_eq!(tell("standard"), [(40, 60), (80, 120), (40, 40)]);
    assert_eq!(tell("Copper"), [(60, 90), (120, 180), (40, 40)]);
    assert_eq!(tell("BRONZE"), [(80, 120), (160, 240), (40, 40)]);
    assert_eq!(tell(" silver "), [(200, 300), (400, 600), (40, 40)]);
    assert_eq!(tell("gold"), [(400, 600), (800, 1_200), (40, 40)]);
    assert_eq!(tell("Platinum"), [(450, 675), (900, 1_350), (40, 40)]);
    assert_eq!(tell("diamond"), [(525, 787), (1_050, 1_575), (40, 40)]);
    let elite = [(600, 900), (1_200, 1_800), (40, 40)];
    assert_eq!(tell("eLiTe"), elite);
    assert_eq!(tell("Mythril"), elite, "what is not known changes nothing");
}

#[test]
fn what_is_left_is_told_with_its_end_only_when_it_is_nothing() {
    let (mut gateway, _, call) = placed(&taking());
    let mut left = |remaining: &str, reset: &str| {
        let told = [("poly-ratelimit-remaining", remaining), ("poly-ratelimit-reset", reset)];
        read_with(&mut gateway, &call, &told).left
    };
    let reset = Timestamp::from_secs(1_795_000_003);
    let nothing = |until| Some(Left { tokens: 0, until });
    assert_eq!(left("17", "1795000003"), Some(Left { tokens: 17, until: None }));
    assert_eq!(left("0", "1795000003"), nothing(Some(reset)));
    assert_eq!(left(" -2", "1795000003"), nothing(Some(reset)), "cancels may owe some");
    for garbage in ["", "soon", "-3", "1795000003.5", "99999999999999999999", "9000000001"] {
        assert_eq!(left("0", garbage), nothing(None), "{garbage}");
    }
    for garbage in ["", "many", "1.5", "99999999999999999999"] {
        assert_eq!(left(garbage, "1795000003"), None, "{garbage}");
    }
}

#[test]
fn only_answers_that_are_charged_to_the_signer_tell_of_its_budgets() {
    let (mut gateway, _, call) = placed(&taking());
    let told = [("poly-ratelimit-tier", "elite"), ("poly-ratelimit-remaining", "3")];
    let question = gateway.ask(&Question::Order(taking().intent), &table(), now()).unwrap();
    assert_eq!(read_with(&mut gateway, &question[0], &told).left, None);
    assert_eq!(grants(&gateway), UNTOLD);
    let cancel = gateway.cancel(taking().intent, &table(), now()).unwrap();
    for call in [call, cancel] {
        let left = read_with(&mut gateway, &call, &told).left;
        assert_eq!(left, Some(Left { tokens: 3, until: None }));
    }
    assert_ne!(grants(&gateway), UNTOLD);
}

#[test]
fn a_warning_is_told_once() {
    let (mut gateway, _, call) = placed(&taking());
    let mut warned = |text: &str| {
        let taken = read_with(&mut gateway, &call, &[("poly-ratelimit-warning", text)]);
        taken.notices.iter().filter(|notice| notice.contains("warns")).count()
    };
    assert_eq!(warned("false"), 0);
    assert_eq!(warned(""), 0);
    assert_eq!(warned("True"), 1);
    assert_eq!(warned("true"), 0);
}
