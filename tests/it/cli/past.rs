//! What a journal tells people and programs, while a trader holds it open.

use std::path::Path;

use crossbook::domain::movement::{self, Movement};
use crossbook::domain::report::{Fee, Fill, Finality};
use crossbook::domain::{
    Action, Evidence, IntentId, Lifetime, MarketIndex, Money, Order, OrderId, Outcome, Price,
    Purpose, Quantity, Report, Size, Timestamp, TradeId, Venue,
};
use crossbook::execute::{Line, Record, Scope};
use crossbook::journal::{Durability, Journal};
use crossbook::pairing::PairId;
use crossbook::plan::{Kind, Leg, Plan, Stages};
use serde_json::{Value, json};

use super::run::{Ended, arg, run};
use super::sim::{Sim, Twist};

const AT: i64 = 1_795_341_600;
const CONDITION: &str = "0x18ab4d17bedd56314a04e6e27c4e4c704a57d121c6ddc13a79931082617d4f67";

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(AT + second)
}

fn opened(trade: u64, second: i64) -> Record {
    let quantity = Quantity::contracts(100);
    let leg = |venue, market, outcome| Leg {
        venue,
        market: MarketIndex(market),
        event: String::new(),
        group: String::new(),
        outcome,
        limit: Price::parse("0.50").unwrap(),
        size: Size::Contracts(quantity),
        quantity,
        cost_max: money("50"),
        fee_max: money("2"),
    };
    let plan = Plan {
        pair: PairId("fed-hold".to_owned()),
        opportunity: 1,
        kind: Kind::Enter,
        legs: [leg(Venue::Kalshi, 0, Outcome::Yes), leg(Venue::Polymarket, 1, Outcome::No)],
        stages: Stages::Together,
        quantity,
        profit: money("5.25"),
        loss_max: money("2"),
        reserve: money("1"),
        answer_max: std::time::Duration::from_secs(2),
        stranded_max: std::time::Duration::from_secs(10),
        at: at(second),
    };
    Record::Opened { trade: TradeId(trade), plan: Box::new(plan), at: at(second) }
}

fn placed(intent: u64, trade: u64, venue: Venue, action: Action, contracts: u32) -> Record {
    let (market, outcome) = match venue {
        Venue::Kalshi => (MarketIndex(0), Outcome::Yes),
        Venue::Polymarket => (MarketIndex(1), Outcome::No),
    };
    let purpose = if action == Action::Buy { Purpose::Enter } else { Purpose::Unwind };
    Record::Placed(Order {
        intent: IntentId(intent),
        trade: TradeId(trade),
        venue,
        market,
        outcome,
        action,
        limit: Price::parse("0.50").unwrap(),
        size: Size::Contracts(Quantity::contracts(contracts)),
        lifetime: Lifetime::Immediate,
        purpose,
        at: at(10),
    })
}

/// The order stands no more, and this came of it.
fn filled(intent: u64, contracts: u32, paid: &str, fee: &str) -> [Record; 2] {
    let fill = Fill {
        trade: format!("fill-{intent}"),
        quantity: Quantity::contracts(contracts),
        money: money(paid),
        fee: Fee::Reported(money(fee)),
        finality: Finality::Confirmed,
        at: at(11),
    };
    let total = crossbook::domain::report::Total { quantity: fill.quantity, money: fill.money };
    let standing = Evidence::Standing {
        id: OrderId(format!("order-{intent}")),
        filled: Some(total),
        rest: crossbook::domain::report::Rest::Nothing,
        trades: Vec::new(),
    };
    [Evidence::Fill(fill), standing].map(|evidence| {
        let report = Report::Order { intent: IntentId(intent), evidence };
        Record::Reported { report, at: at(12) }
    })
}

fn moved(trade: u64, to: &'static str, why: &str) -> Record {
    Record::Moved { trade: TradeId(trade), to, why: why.to_owned(), at: at(13) }
}

/// One trade that is locked, one that was unwound at a loss, one order that nobody knows.
fn story() -> Vec<Record> {
    let (kalshi, polymarket) = (Venue::Kalshi, Venue::Polymarket);
    let id = OrderId("order-1".to_owned());
    let unclear = Evidence::Unclear("timeout".to_owned());
    let report = Report::Order { intent: IntentId(5), evidence: unclear };
    let (text, trade) = ("no answer for 60 s".to_owned(), Some(TradeId(3)));
    let opening = |venue| Record::Booked {
        venue,
        line: Line::Opening,
        amount: money("500"),
        why: String::new(),
        as_of: at(0),
        at: at(0),
    };
    let mut all = vec![opening(kalshi), opening(polymarket), opened(1, 10)];
    all.push(placed(1, 1, kalshi, Action::Buy, 100));
    all.push(Record::Named { intent: IntentId(1), id });
    all.extend(filled(1, 100, "42", "1.7"));
    all.push(placed(2, 1, polymarket, Action::Buy, 100));
    all.extend(filled(2, 100, "50", "0.8"));
    all.push(moved(1, "locked", "100.00 on both"));
    all.push(opened(2, 20));
    all.push(placed(3, 2, kalshi, Action::Buy, 10));
    all.extend(filled(3, 10, "4", "0.1"));
    all.push(placed(4, 2, kalshi, Action::Sell, 10));
    all.extend(filled(4, 10, "3.8", "0.1"));
    all.push(moved(2, "flat", "nothing is held"));
    all.push(opened(3, 30));
    all.push(placed(5, 3, polymarket, Action::Buy, 20));
    all.push(Record::Reported { report, at: at(14) });
    all.push(Record::Incident { kind: "order_unknown", text, trade, at: at(75) });
    all.push(Record::Halted { scope: Scope::All, why: "a person asked".to_owned(), at: at(80) });
    all
}

fn write(path: &Path) -> Journal {
    let (journal, _) = Journal::open(path, Durability::Process).unwrap();
    journal.learn(MarketIndex(0), Venue::Kalshi, "KX-FED-H0");
    journal.learn(MarketIndex(1), Venue::Polymarket, CONDITION);
    journal.commit(&story()).unwrap();
    journal
}

fn ask(command: &str, path: &Path, more: &[&str]) -> Ended {
    let ended = run(&[&[command, "--journal", arg(path)], more].concat());
    ended.expect(0);
    assert_eq!(ended.errors, "");
    ended
}

fn told(command: &str, path: &Path, more: &[&str], kind: &str) -> Vec<Value> {
    let records = ask(command, path, &[&["--json"], more].concat()).records();
    assert_eq!(records.last().unwrap()["kind"], "summary");
    records.into_iter().filter(|record| record["kind"] == kind).collect()
}

#[test]
fn a_journal_is_read_while_a_trader_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let _journal = write(&path);

    let held = told("positions", &path, &[], "position");
    let of = |at: usize| {
        let one = &held[at];
        json!([one["venue"], one["market"], one["outcome"], one["quantity"], one["unconfirmed"]])
    };
    let quantity = Quantity::contracts(100).to_string();
    let none = Quantity::ZERO.to_string();
    assert_eq!(of(0), json!(["kalshi", "KX-FED-H0", "yes", quantity, none]));
    assert_eq!(of(1), json!(["polymarket", CONDITION, "no", quantity, none]));
    assert_eq!(held.len(), 2, "what was sold is not held");
    let open = told("positions", &path, &[], "open_trade");
    assert_eq!((&open[0]["paid"], &open[0]["state"]), (&json!("94.500000"), &json!("locked")));

    let trades = told("trades", &path, &[], "trade");
    let states: Vec<_> = trades.iter().map(|trade| trade["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["locked", "flat", "opened"]);
    assert_eq!(trades[1]["realised"], "-0.400000");
    assert_eq!(trades[1]["why"], "nothing is held");
    assert_eq!(trades[0]["opened"], "2026-11-22T10:00:10.000000Z");
    assert_eq!(told("trades", &path, &["--open"], "trade").len(), 2);

    let orders = told("orders", &path, &[], "order");
    assert_eq!(orders.len(), 5);
    assert_eq!((&orders[0]["id"], &orders[0]["fee"]), (&json!("order-1"), &json!("1.700000")));
    let unknown = told("orders", &path, &["--open"], "order");
    assert_eq!(unknown.len(), 1);
    assert_eq!(
        (&unknown[0]["intent"], &unknown[0]["state"]),
        (&json!("int-000005"), &json!("unknown"))
    );
    let newest = told("orders", &path, &["--last", "2"], "order");
    assert_eq!(newest.len(), 2);
    assert_eq!(newest[1]["intent"], "int-000005");

    let days = told("pnl", &path, &[], "pnl_day");
    assert_eq!(
        (&days[0]["day"], &days[0]["realised"]),
        (&json!("2026-11-22"), &json!("-0.400000"))
    );
    let summary = &told("pnl", &path, &[], "summary")[0];
    assert_eq!(
        (&summary["realised"], &summary["locked"]),
        (&json!("-0.400000"), &json!("5.500000"))
    );
    let venues = told("pnl", &path, &[], "pnl_venue");
    assert_eq!(
        (&venues[0]["fees"], &venues[0]["cash"]),
        (&json!("-1.900000"), &json!("455.900000"))
    );
    assert_eq!(
        (&venues[1]["fees"], &venues[1]["cash"]),
        (&json!("-0.800000"), &json!("449.200000"))
    );

    let incidents = told("incidents", &path, &[], "incident");
    assert_eq!(incidents[0]["incident"], "order_unknown");
    assert_eq!(incidents[0]["trade"], "trd-000003");
    assert_eq!(incidents[1]["text"], "everything: a person asked");
    assert_eq!(told("incidents", &path, &[], "halt").len(), 1);
}

#[test]
fn what_was_paid_in_is_no_profit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = write(&path);
    let venue = Venue::Polymarket;
    let moved = |id: &str, kind, amount: &str| {
        let (id, fee) = (id.to_owned(), Money::ZERO);
        let movement = Movement { id, kind, amount: money(amount), fee, at: at(90) };
        Record::Reported { report: Report::Moved { venue, movement }, at: at(91) }
    };
    let why = "money came in that nothing explains".to_owned();
    let (line, amount) = (Line::Unexplained, money("0.07"));
    let records = [
        moved("a", movement::Kind::Deposit, "100"),
        moved("b", movement::Kind::Withdrawal, "-30"),
        moved("c", movement::Kind::Rebate, "0.5"),
        Record::Booked { venue, line, amount, why, as_of: at(95), at: at(95) },
    ];
    let before = told("pnl", &path, &[], "summary");
    journal.commit(&records).unwrap();
    assert_eq!(told("pnl", &path, &[], "summary"), before);
    let there = &told("pnl", &path, &[], "pnl_venue")[1];
    let booked = json!({
        "opening": "500.000000", "transfer": "70.000000", "interest": "0.500000",
        "unexplained": "0.070000",
    });
    assert_eq!((&there["booked"], &there["cash"]), (&booked, &json!("519.770000")));
    let text = ask("pnl", &path, &[]).text();
    for words in ["transfer", "interest", "unexplained", "70.000000", "no list of the venue"] {
        assert!(text.contains(words), "`{words}` in:\n{text}");
    }
}

#[test]
fn tables_for_people_are_aligned_and_explain_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(write(&path));
    let pnl = ask("pnl", &path, &[]).text();
    for words in ["realised", "-0.400000", "5.500000", "455.900000", "earned for good"] {
        assert!(pnl.contains(words), "`{words}` in:\n{pnl}");
    }
    let positions = ask("positions", &path, &[]).text();
    let column = |line: &str, word: &str| line.find(word).unwrap() + word.len();
    let lines: Vec<_> = positions.lines().collect();
    let quantity = Quantity::contracts(100).to_string();
    assert_eq!(column(lines[0], "held"), column(lines[1], &quantity), "{positions}");
    assert!(ask("orders", &path, &[]).text().contains("5 of 5 orders"));
    assert!(ask("trades", &path, &[]).text().contains("nothing is held"));
    let incidents = ask("incidents", &path, &[]).text();
    assert!(incidents.contains("no answer for 60 s") && incidents.contains("halted: everything"));
}

#[test]
fn a_journal_that_is_not_there_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("crossbook.toml");
    let absent = folder.path().join("absent.db");
    let text = format!("[journal]\npaper_path = {:?}\n", absent.display().to_string());
    std::fs::write(&config, text).unwrap();
    for command in ["positions", "orders", "trades", "pnl", "incidents"] {
        let ended = run(&[command, "--config", arg(&config)]);
        ended.expect(2);
        for words in ["there is no journal at", arg(&absent), "`crossbook trade` makes it"] {
            assert!(ended.errors.contains(words), "{command}: {}", ended.errors);
        }
    }
    assert!(!absent.exists(), "looking makes nothing");
    let other = folder.path().join("notes.txt");
    std::fs::write(&other, "no database at all, only some words about one\n".repeat(50)).unwrap();
    let ended = run(&["pnl", "--journal", arg(&other)]);
    ended.expect(2);
    assert!(ended.errors.contains("is not a journal of crossbook"), "{}", ended.errors);
}

#[test]
fn a_pair_is_accepted_as_it_reads_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("live.db");
    let dir = folder.path().join("mappings");
    std::fs::create_dir(&dir).unwrap();
    let file = dir.join("pairs.toml");
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/demo.toml");
    let text = std::fs::read_to_string(demo).unwrap();
    std::fs::write(&file, &text).unwrap();
    let ask = |args: &[&str], code: i32| {
        let place = ["--mappings", arg(&dir), "--journal", arg(&journal)];
        let ended = run(&[args, &place].concat());
        ended.expect(code);
        ended
    };
    let ended = ask(&["pairs", "accepted"], 0);
    assert!(ended.text().contains("no pair is accepted"), "{}", ended.text());
    let ended = ask(&["pairs", "accept", "demo-rates-hold", "demo-rates-hodl"], 2);
    assert!(ended.errors.contains("there is no pair `demo-rates-hodl`"), "{}", ended.errors);
    assert!(!journal.exists(), "all or none");

    let sim = Sim::start();
    let config = sim.config(&Twist::default());
    let ended = ask(&["pairs", "accept", "demo-rates-hold", "--config", arg(&config)], 0);
    assert!(ended.text().contains("KXDEMORATES-27MAR-H0"), "{}", ended.text());
    let reads = || ask(&["pairs", "accepted", "--json"], 0).records()[0]["reads"].clone();
    assert_eq!(reads(), "current");
    std::fs::write(&file, text.replacen("Will the demo", "Does the demo", 1)).unwrap();
    assert_eq!(reads(), "current", "a title decides nothing");
    std::fs::write(&file, text.replacen("\"same\"", "\"opposite\"", 1)).unwrap();
    assert_eq!(reads(), "changed");
    std::fs::write(&file, text.replacen("\"approved\"", "\"suspended\"", 1)).unwrap();
    let ended = ask(&["pairs", "accept", "demo-rates-hold"], 2);
    assert!(ended.errors.contains("it is suspended"), "{}", ended.errors);
}

#[cfg(unix)]
#[test]
fn nobody_is_told_anything_where_nobody_trades() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let commands: [&[&str]; 6] = [
        &["halt", "--pair", "fed-hold"],
        &["resume"],
        &["flatten", "--loss-max", "5", "--yes"],
        &["cancel-all", "--venue", "kalshi", "--yes"],
        &["kill"],
        &["status"],
    ];
    for command in commands {
        let ended = run(&[command, &["--journal", arg(&path)]].concat());
        ended.expect(1);
        assert!(ended.errors.contains("nobody trades with the journal"), "{}", ended.errors);
    }
    for command in [&["flatten", "--loss-max", "5"][..], &["cancel-all"]] {
        let ended = run(&[command, &["--journal", arg(&path)]].concat());
        ended.expect(2);
        assert!(ended.errors.contains("--yes"), "what cannot be taken back: {}", ended.errors);
    }
    let ended = run(&["flatten", "--loss-max", "-5", "--journal", arg(&path)]);
    assert_eq!(ended.code, Some(2));
    let ended = run(&["halt", "--venue", "kalschi", "--journal", arg(&path)]);
    ended.expect(2);
    assert!(ended.errors.contains("`kalschi` is no venue"), "{}", ended.errors);
}
