use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::market::Settlement;
use crate::domain::movement;
use crate::domain::report::{
    Fee, Fill, Finality, Permission, Position, Purse, Refusal, Refused, Rest, Total,
};
use crate::domain::{
    Evidence, MarketIndex, Money, Movement, Outcome, Price, Quantity, Report, Timestamp, Venue,
};
use crate::plan::{Kind, Leg, Plan, Stages};

const AT: Timestamp = Timestamp::from_nanos(1_795_341_600_123_456_789);

fn micros(micros: i64) -> Money {
    Money::from_micros(micros)
}

fn quantity(units: i64) -> Quantity {
    Quantity::from_units(units).unwrap()
}

fn order(
    intent: u64,
    purpose: Purpose,
    size: Size,
    lifetime: Lifetime,
    sides: (Venue, Outcome, Action),
) -> Order {
    let limit = Price::from_units(4_321).unwrap();
    let (venue, outcome, action) = sides;
    let (intent, trade, market) = (IntentId(intent), TradeId(3), MarketIndex(0));
    Order { intent, trade, venue, market, outcome, action, limit, size, lifetime, purpose, at: AT }
}

fn plan(kind: Kind, stages: Stages) -> Plan {
    let leg = |venue, market, outcome, size| Leg {
        venue,
        market: MarketIndex(market),
        event: "KX-\"EVENT\"\n".to_owned(),
        group: "0x\"cd\"".to_owned(),
        outcome,
        limit: Price::MAX,
        size,
        quantity: quantity(1),
        cost_max: micros(i64::MAX),
        fee_max: micros(7),
    };
    Plan {
        pair: PairId("fed-2026-12-hold".to_owned()),
        opportunity: u64::MAX,
        kind,
        legs: [
            leg(Venue::Kalshi, 0, Outcome::Yes, Size::Contracts(Quantity::MAX)),
            leg(Venue::Polymarket, 1, Outcome::No, Size::Collateral(micros(-1))),
        ],
        stages,
        quantity: Quantity::MAX,
        profit: micros(i64::MIN),
        loss_max: micros(-12_345_678),
        reserve: Money::ZERO,
        answer_max: Duration::from_nanos(u64::MAX),
        stranded_max: Duration::new(1, 999_999_999),
        at: Timestamp::MAX,
    }
}

fn evidence() -> Vec<Evidence> {
    let mut all = vec![
        Evidence::Unclear("timeout".to_owned()),
        Evidence::NotFound { as_of: AT },
        Evidence::NotCancelled(String::new()),
        Evidence::Listed { trades: vec![String::new(), "t-1".to_owned()], as_of: AT },
    ];
    let rests = [Rest::Nothing, Rest::Resting, Rest::Delayed];
    let totals = [None, Some(Total::default())];
    for (rest, filled) in rests.into_iter().flat_map(|rest| totals.map(|total| (rest, total))) {
        let trades = vec![String::new(), "t-1".to_owned()];
        all.push(Evidence::Standing { id: OrderId("o".to_owned()), filled, rest, trades });
    }
    for finality in [Finality::Matched, Finality::Confirmed, Finality::Failed] {
        for fee in [Fee::Reported(micros(1)), Fee::Computed(micros(-1))] {
            let (quantity, money) = (quantity(120_010_000), micros(51_600_000));
            let trade = "fill".to_owned();
            all.push(Evidence::Fill(Fill { trade, quantity, money, fee, finality, at: AT }));
        }
    }
    let reasons = [
        Refused::NoMatch,
        Refused::Funds,
        Refused::Price,
        Refused::Outdated,
        Refused::Size,
        Refused::Paused,
        Refused::Again(Duration::from_millis(250)),
        Refused::PostOnly(Duration::ZERO),
        Refused::Restricted,
        Refused::Credentials,
        Refused::Malformed,
        Refused::NotSent,
        Refused::KeptBack,
        Refused::Other,
    ];
    for kind in reasons {
        let (code, text) = ("E'1".to_owned(), "ünclear; DROP TABLE records".to_owned());
        all.push(Evidence::Refused(Refusal { kind, code, text }));
    }
    all
}

fn reports() -> Vec<Report> {
    let id = || "0xabc".to_owned();
    let market = Some(MarketIndex(1));
    let mut all = Vec::new();
    for record in orders() {
        if let Record::Placed(order) = record {
            all.push(Report::Lost { order: Box::new(order), id: OrderId(id()) });
        }
    }
    for evidence in evidence() {
        all.push(Report::Order { intent: IntentId(9), evidence: evidence.clone() });
        for (is_ours, market) in [(true, None), (false, market)] {
            let (venue, id) = (Venue::Polymarket, OrderId(id()));
            all.push(Report::Foreign { venue, id, is_ours, market, evidence: evidence.clone() });
        }
    }
    for venue in Venue::ALL {
        for (market, outcome) in [(None, Outcome::Yes), (market, Outcome::No)] {
            let held = Position { market, id: id(), outcome, quantity: quantity(5) };
            all.push(Report::Positions { venue, positions: vec![held], as_of: AT });
            let (yes_pays, paid) = (micros(1_000_000), micros(0));
            all.push(Report::Settled { venue, market, id: id(), yes_pays, paid, at: AT });
        }
        let purses = vec![(Purse::Shard(0), micros(-5)), (Purse::Collateral, micros(5))];
        all.push(Report::Cash { venue, purses, as_of: Timestamp::ZERO });
        all.push(Report::Positions { venue, positions: Vec::new(), as_of: AT });
        let closed = vec![Settlement::NegRisk, Settlement::ProtocolV2];
        let partly = Permission::OpenBut { closed, why: "not approved".to_owned() };
        for permission in [Permission::Open, partly, Permission::ReadOnly("geoblock".to_owned())] {
            all.push(Report::Permission { venue, permission });
        }
    }
    for (kind, venue) in movement::Kind::ALL.into_iter().zip(Venue::ALL.into_iter().cycle()) {
        let (amount, fee) = (micros(-250_000), micros(1));
        let movement = Movement { id: "DEPOSIT/0xab".to_owned(), kind, amount, fee, at: AT };
        all.push(Report::Moved { venue, movement });
    }
    all.push(Report::Merged { market: MarketIndex(1), quantity: quantity(1), at: AT });
    all.push(Report::NotConverted { market: MarketIndex(1), text: "by hand".to_owned() });
    all
}

fn orders() -> Vec<Record> {
    let mut all = Vec::new();
    for purpose in Purpose::ALL {
        for size in [Size::Contracts(quantity(10_000)), Size::Collateral(micros(10_000))] {
            for lifetime in [Lifetime::Immediate, Lifetime::AllOrNothing, Lifetime::Resting] {
                for venue in Venue::ALL {
                    for outcome in [Outcome::Yes, Outcome::No] {
                        for action in [Action::Buy, Action::Sell] {
                            let (intent, sides) = (all.len() as u64 + 1, (venue, outcome, action));
                            let order = order(intent, purpose, size, lifetime, sides);
                            all.push(Record::Placed(order));
                        }
                    }
                }
            }
        }
    }
    all
}

/// At least one record of every variant of everything that a record can hold. They name the
/// markets 0 and 1.
pub(in crate::journal) fn specimens() -> Vec<Record> {
    let trade = TradeId(3);
    let mut all = orders();
    for kind in [Kind::Enter, Kind::Exit] {
        let first = Venue::ALL.map(Stages::First);
        for stages in [first[0], first[1], Stages::Together] {
            all.push(Record::Opened { trade, plan: Box::new(plan(kind, stages)), at: AT });
        }
    }
    all.extend(reports().into_iter().map(|report| Record::Reported { report, at: AT }));
    all.push(Record::Named { intent: IntentId(9), id: OrderId("0x1".to_owned()) });
    let (market, amount) = (MarketIndex(1), quantity(2));
    all.push(Record::Merged { trade, market, quantity: amount, at: AT });
    all.push(Record::Moved { trade, to: "locked", why: "both filled".to_owned(), at: AT });
    let pair = Scope::Pair(PairId("p".to_owned()));
    let scopes = [pair, Scope::Venue(Venue::Kalshi), Scope::Venue(Venue::Polymarket), Scope::All];
    for scope in scopes {
        all.push(Record::Halted { scope: scope.clone(), why: "loss".to_owned(), at: AT });
        all.push(Record::Resumed { scope, at: AT });
    }
    for (line, venue) in Line::ALL.into_iter().zip(Venue::ALL.into_iter().cycle()) {
        let why = "told".to_owned();
        all.push(Record::Booked {
            venue,
            line,
            amount: micros(-1),
            why,
            as_of: Timestamp::ZERO,
            at: AT,
        });
    }
    for outcome in [Outcome::Yes, Outcome::No] {
        let venue = Venue::Polymarket;
        let why = "counted by hand".to_owned();
        all.push(Record::Adopted { venue, market, outcome, quantity: amount, why, at: AT });
    }
    for venue in Venue::ALL {
        all.push(Record::Ignored { venue, market, why: "mine".to_owned(), at: AT });
    }
    all.push(Record::Flattening { loss_max: micros(7), realised_before: micros(-3), at: AT });
    for trade in [None, Some(trade)] {
        let text = "half\tpaid \u{1f600}".to_owned();
        all.push(Record::Incident { kind: "settlement_divergence", text, trade, at: AT });
    }
    all
}

#[test]
fn every_variant_comes_back_as_it_was() {
    for record in specimens() {
        let row = encode(&record);
        assert_eq!(decode(&row).as_ref(), Ok(&record), "{row:?}");
    }
}

/// Journals of versions that did not tell as of when a line was booked.
#[test]
fn a_line_without_the_time_of_its_reading_was_booked_as_of_its_own_time() {
    let (venue, line, why) = (Venue::Kalshi, Line::Transfer, String::new());
    let record = Record::Booked { venue, line, amount: micros(5), why, as_of: AT, at: AT };
    let mut row = encode(&record);
    let (field, earlier) = (format!(",\"as_of_nanos\":{}", AT.nanos()), row.body.clone());
    row.body = earlier.replace(&field, "");
    assert_ne!(row.body, earlier);
    assert_eq!(decode(&row), Ok(record));
}

#[test]
fn no_two_records_share_a_row() {
    let rows: BTreeSet<_> =
        specimens().iter().map(|record| format!("{:?}", encode(record))).collect();
    assert_eq!(rows.len(), specimens().len());
}

#[test]
fn a_body_without_a_field_names_it() {
    let record = &orders()[0];
    let whole = encode(record);
    let body: serde_json::Map<String, Value> = serde_json::from_str(&whole.body).unwrap();
    for key in body.keys() {
        let mut less = body.clone();
        less.shift_remove(key);
        let row = Row { body: Value::Object(less).to_string(), ..whole.clone() };
        let error = decode(&row).unwrap_err();
        assert!(error.contains(key.as_str()) && error.contains("placed"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_amount_and_text_come_back(
        money in any::<i64>(),
        units in 0..=Quantity::MAX.units(),
        cents in any::<i64>(),
        text in any::<String>(),
        nanos in any::<i64>(),
    ) {
        let at = Timestamp::from_nanos(nanos);
        let fill = Fill {
            trade: text.clone(),
            quantity: quantity(units),
            money: micros(money),
            fee: Fee::Computed(micros(cents)),
            finality: Finality::Matched,
            at,
        };
        let evidence = Evidence::Fill(fill);
        let record =
            Record::Reported { report: Report::Order { intent: IntentId(1), evidence }, at };
        prop_assert_eq!(decode(&encode(&record)), Ok(record));
        let moved = Record::Moved { trade: TradeId(1), to: "locked", why: text, at };
        prop_assert_eq!(decode(&encode(&moved)), Ok(moved));
    }

    #[test]
    fn no_body_makes_it_panic(kind in "[a-z]{5,8}", body in any::<String>()) {
        for kind in [kind.as_str(), "placed", "reported"] {
            let kind = kind.to_owned();
            let row = Row { kind, at: Some(0), trade: None, intent: None, body: body.clone() };
            prop_assert!(decode(&row).is_err());
        }
    }
}

#[test]
fn a_plan_that_was_written_before_there_were_groups_is_read_without_one() {
    let new = plan(Kind::Enter, Stages::Together);
    let mut body = plan::out(&new);
    for leg in body["legs"].as_array_mut().unwrap() {
        leg.as_object_mut().unwrap().remove("group").unwrap();
    }
    let old = plan::read(Fields(&body)).unwrap();
    assert!(old.legs.iter().all(|leg| leg.group.is_empty()));
    let legs = new.legs.clone().map(|leg| Leg { group: String::new(), ..leg });
    assert_eq!(old, Plan { legs, ..new });
    body["legs"][0]["group"] = 7.into();
    assert!(plan::read(Fields(&body)).is_err());
}
