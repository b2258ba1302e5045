//! The whole table, written out, and what sums and readings make of evidence.

use super::*;
use crate::domain::{IntentId, Lifetime, MarketIndex, OrderId, Outcome, Price, Purpose, TradeId};

const PHASES: &str = "decided unknown delayed resting done refused gone";

/// Rows are news, columns the phases above; `!` marks an incident.
const TABLE: &str = "
    Resting      resting  resting  resting  resting  done  resting! resting!
    Delayed      delayed  delayed  delayed  resting  done  delayed! delayed!
    Over         done     done     done     done     done  done!    done!
    Refused      refused  refused  refused  unknown! done  refused  refused
    Denied       unknown! unknown! unknown! unknown! done! unknown! unknown!
    Filled       decided  unknown  delayed  resting  done  unknown! unknown!
    Unclear      unknown  unknown  delayed  resting  done  refused  gone
    NotCancelled unknown  unknown  unknown  unknown  done  refused  gone
    Missing      gone     gone     unknown! unknown! done  refused  gone
    Vanished     unknown! unknown! unknown! unknown! done  refused  gone
";

#[test]
fn every_move_of_the_table() {
    let columns: Vec<&str> = PHASES.split_whitespace().collect();
    assert_eq!(columns, Phase::ALL.map(Phase::name));
    let rows: Vec<Vec<&str>> =
        TABLE.trim().lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), News::ALL.len());
    for (news, row) in News::ALL.into_iter().zip(rows) {
        assert_eq!(format!("{news:?}"), row[0]);
        for (phase, expected) in Phase::ALL.into_iter().zip(&row[1..]) {
            let moved = next(phase, news);
            let mark = if moved.incident.is_some() { "!" } else { "" };
            assert_eq!(&format!("{}{mark}", moved.to.name()), expected, "{phase:?} {news:?}");
        }
    }
}

#[test]
fn what_is_final_is_never_left_in_silence() {
    for phase in Phase::ALL.into_iter().filter(|phase| !phase.is_open()) {
        for news in News::ALL {
            let moved = next(phase, news);
            let is_same = moved.to == phase || (phase, moved.to) == (Phase::Gone, Phase::Refused);
            assert!(is_same || moved.incident.is_some(), "{phase:?} {news:?}");
        }
    }
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// A BUY of 100 at 0.50.
fn order(venue: Venue) -> Order {
    Order {
        intent: IntentId(1),
        trade: TradeId(1),
        venue,
        market: MarketIndex(0),
        outcome: Outcome::Yes,
        action: Action::Buy,
        limit: Price::parse("0.50").unwrap(),
        size: match venue {
            Venue::Kalshi => Size::Contracts(quantity("100")),
            Venue::Polymarket => Size::Collateral(money("50")),
        },
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: Timestamp::from_secs(100),
    }
}

fn fill(trade: &str, count: &str, cost: &str, finality: Finality) -> Evidence {
    Evidence::Fill(Fill {
        trade: trade.to_owned(),
        quantity: quantity(count),
        money: money(cost),
        fee: Fee::Computed(money("0.01")),
        finality,
        at: Timestamp::from_secs(101),
    })
}

fn over(count: &str, cost: &str) -> Evidence {
    Evidence::Standing {
        id: OrderId("x".to_owned()),
        filled: Some(Total { quantity: quantity(count), money: money(cost) }),
        rest: Rest::Nothing,
        trades: Vec::new(),
    }
}

fn told(venue: Venue, evidence: &[Evidence]) -> Tracked {
    let mut tracked = Tracked::new(order(venue));
    for piece in evidence {
        tracked.take(piece);
    }
    tracked
}

#[test]
fn the_larger_of_total_and_fills_is_held_and_only_both_are_known() {
    let one = fill("a", "60", "30", Finality::Confirmed);
    let two = fill("b", "40", "20", Finality::Confirmed);
    let ack = told(Venue::Polymarket, &[over("100", "50")]);
    assert_eq!((ack.held().quantity, ack.is_known()), (quantity("100"), false));
    let part = told(Venue::Polymarket, &[over("100", "50"), one.clone()]);
    assert_eq!((part.held().money, part.is_known()), (money("50"), false));
    assert_eq!(part.unconfirmed(), quantity("40"));
    let whole = told(Venue::Polymarket, &[two, over("100", "50"), one]);
    assert!(whole.is_known() && whole.is_final());
}

#[test]
fn fills_beyond_a_total_hold_the_fills() {
    let kept = told(Venue::Kalshi, &[over("60", "30"), fill("a", "60", "30", Finality::Confirmed)]);
    let mut more = kept.clone();
    let notices = more.take(&fill("b", "1", "0.5", Finality::Confirmed));
    assert_eq!(notices[0].0, incident::LATE_FILL);
    assert_eq!(more.held().quantity, quantity("61"));
    assert!(kept.is_known());
}

#[test]
fn what_failed_is_taken_off_the_total_that_was_told() {
    let kept = told(
        Venue::Polymarket,
        &[
            over("100", "50"),
            fill("a", "60", "30", Finality::Matched),
            fill("b", "40", "20", Finality::Matched),
            fill("b", "40", "20", Finality::Failed),
            fill("b", "40", "20", Finality::Confirmed),
            fill("a", "60", "30", Finality::Confirmed),
            fill("a", "60", "30", Finality::Matched),
        ],
    );
    assert_eq!(kept.held(), Total { quantity: quantity("60"), money: money("30") });
    assert_eq!(kept.confirmed(), quantity("60"));
    assert_eq!(kept.booked().fees(), money("0.01"));
}

#[test]
fn a_fill_that_is_only_ever_told_as_failed_brought_nothing() {
    let kept = told(Venue::Polymarket, &[fill("a", "60", "30", Finality::Failed)]);
    assert_eq!(kept.phase(), Phase::Unknown);
    assert_eq!(kept.held(), Total::default());
}

#[test]
fn an_open_order_may_still_spend_what_it_has_not() {
    let fresh = told(Venue::Polymarket, &[]);
    assert_eq!((fresh.spend_open(), fresh.quantity_open()), (money("50"), quantity("100")));
    let part = told(Venue::Polymarket, &[fill("a", "60", "24", Finality::Matched)]);
    assert_eq!(part.spend_open(), money("26"));
    assert_eq!(part.quantity_open(), quantity("52"), "dollars buy more at a better price");
    let done = told(Venue::Polymarket, &[over("60", "24")]);
    assert_eq!((done.spend_open(), done.quantity_open()), (Money::ZERO, Quantity::ZERO));
}

#[test]
fn readings_within_the_grace_or_told_twice_prove_nothing() {
    let missing = |secs| Evidence::NotFound { as_of: Timestamp::from_secs(secs) };
    assert_eq!(told(Venue::Kalshi, &[missing(101), missing(105)]).phase(), Phase::Decided);
    assert_eq!(told(Venue::Kalshi, &[missing(106), missing(106)]).phase(), Phase::Decided);
    assert_eq!(told(Venue::Kalshi, &[missing(106), missing(107)]).phase(), Phase::Gone);
    let filled = fill("a", "1", "0.5", Finality::Confirmed);
    let seen = told(Venue::Kalshi, &[missing(106), filled, missing(107), missing(108)]);
    assert_eq!(seen.phase(), Phase::Unknown, "it was there");
}

#[test]
fn a_refusal_of_an_order_that_filled_is_not_believed() {
    let kept = told(
        Venue::Kalshi,
        &[
            fill("a", "1", "0.5", Finality::Confirmed),
            Evidence::Refused(Refusal {
                kind: Refused::NoMatch,
                code: String::new(),
                text: String::new(),
            }),
        ],
    );
    assert_eq!(kept.phase(), Phase::Unknown);
    assert!(kept.is_disputed());
}

#[test]
fn a_total_that_is_dust_away_from_its_fills_is_known_by_the_fills() {
    let sure = fill("a", "99.995", "50", Finality::Confirmed);
    let kept = told(Venue::Polymarket, &[over("100", "50"), sure.clone()]);
    assert!(kept.is_final(), "polymarket rounds what it tells");
    assert_eq!(kept.held().quantity, quantity("99.995"));
    let far = fill("a", "99.98", "50", Finality::Confirmed);
    assert!(!told(Venue::Polymarket, &[over("100", "50"), far]).is_known());
    let none = told(Venue::Polymarket, &[over("0.005", "0.01")]);
    assert!(!none.is_known(), "a fill is still to be told");
    assert!(!told(Venue::Kalshi, &[over("100", "50"), sure]).is_known(), "kalshi counts exactly");
}

#[test]
fn two_tellings_of_a_fill_that_differ_by_dust_are_one_at_polymarket_and_dispute_at_kalshi() {
    let tellings = [("10.00", "4.99"), ("9.99", "5"), ("10.00", "4.99")];
    let told = |venue, action| {
        let mut tracked = Tracked::new(Order { action, ..order(venue) });
        let notices: Vec<Notice> = tellings
            .iter()
            .flat_map(|(count, cost)| tracked.take(&fill("t1", count, cost, Finality::Matched)))
            .collect();
        (tracked, notices)
    };
    for (action, count, cost) in [(Action::Buy, "9.99", "5"), (Action::Sell, "10.00", "4.99")] {
        let (tracked, notices) = told(Venue::Polymarket, action);
        assert!(notices.is_empty() && !tracked.is_disputed(), "{notices:?}");
        let held = Total { quantity: quantity(count), money: money(cost) };
        assert_eq!(tracked.held(), held, "what is worse for us: {action:?}");
        let (tracked, notices) = told(Venue::Kalshi, action);
        assert!(tracked.is_disputed());
        assert_eq!(notices[0].0, incident::FILL_CHANGED);
    }
    let mut whole = Tracked::new(order(Venue::Polymarket));
    whole.take(&over("100", "50"));
    for count in ["20.00", "19.99"] {
        for trade in ["a", "b", "c", "d", "e"] {
            whole.take(&fill(trade, count, "10", Finality::Confirmed));
        }
    }
    assert!(whole.is_final(), "five times dust is no fill that is still to be told");
    // A lot more, or a cent more, is another fill than was told.
    for (count, cost) in [("9.98", "5"), ("10.00", "5.010001")] {
        let mut tracked = Tracked::new(order(Venue::Polymarket));
        tracked.take(&fill("t1", "10.00", "5", Finality::Matched));
        assert_eq!(tracked.take(&fill("t1", count, cost, Finality::Matched)).len(), 1);
        assert!(tracked.is_disputed(), "{count} for {cost}");
    }
}

#[test]
fn a_fill_is_taken_back_when_two_whole_listings_lack_it() {
    let listed = |trades: &[&str], secs| Evidence::Listed {
        trades: trades.iter().map(|trade| (*trade).to_owned()).collect(),
        as_of: Timestamp::from_secs(secs),
    };
    let (one, two) = (("a", "60", "30"), ("b", "40", "20"));
    let fills =
        [one, two].map(|(trade, count, cost)| fill(trade, count, cost, Finality::Confirmed));
    let mut order = told(Venue::Kalshi, &[over("100", "50"), fills[0].clone(), fills[1].clone()]);
    // Too young for the listing, then once, then the same reading again: nothing is proved.
    for reading in [listed(&["a"], 116), listed(&["a"], 120), listed(&["a"], 120)] {
        assert!(order.take(&reading).is_empty());
        assert_eq!(order.held().quantity, quantity("100"));
    }
    // It was there after all: the count begins anew.
    assert!(order.take(&listed(&["a", "b"], 130)).is_empty());
    assert!(order.take(&listed(&["a"], 140)).is_empty());
    assert_eq!(order.take(&listed(&["a"], 150))[0].0, incident::FILL_FAILED);
    assert_eq!((order.held().quantity, order.held().money), (quantity("60"), money("30")));
    assert!(order.is_final() && order.take(&listed(&["a"], 160)).is_empty());
}

#[test]
fn a_total_of_which_two_whole_listings_know_no_fill_was_taken_back() {
    let listed = |trades: &[&str], secs| Evidence::Listed {
        trades: trades.iter().map(|trade| (*trade).to_owned()).collect(),
        as_of: Timestamp::from_secs(secs),
    };
    let some = fill("a", "60", "30", Finality::Confirmed);
    for (fills, left) in [(vec![], "0"), (vec![some], "60")] {
        let names: &[&str] = if fills.is_empty() { &[] } else { &["a"] };
        let mut order = told(Venue::Kalshi, &[over("100", "50")]);
        for fill in fills {
            order.take(&fill);
        }
        for reading in [listed(names, 110), listed(names, 120), listed(names, 120)] {
            assert!(order.take(&reading).is_empty());
            assert!(!order.is_known() && order.held().quantity == quantity("100"));
        }
        // A fill that nobody has told yet may explain it.
        assert!(order.take(&listed(&[names, &["b"]].concat(), 130)).is_empty());
        assert!(order.take(&listed(names, 140)).is_empty());
        assert_eq!(order.take(&listed(names, 150))[0].0, incident::FILL_FAILED);
        assert_eq!(order.held().quantity, quantity(left));
        assert!(order.is_final() && !order.lacks_fills());
    }
}
