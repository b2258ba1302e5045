use crate::domain::Outcome;
use crate::exchange::dice::Dice;
use crate::exchange::faults::Fault;
use crate::exchange::funds::{Flow, Transfer};

use super::*;

#[test]
fn buying_no_against_yes_frees_a_dollar_a_pair_at_once() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Ask, "0.40", "100");
    bench.agent(0, Side::Bid, "0.39", "100");
    bench.post(&order("bid", "100", "0.4000", IOC, &json!({})));
    // 100 at 0.40 and a fee of 1.68.
    assert_eq!(bench.cash()[0]["balance"], "4958.3200");
    bench.post(&order("ask", "60", "0.3900", IOC, &json!({})));
    // 60 pairs are 60 dollars; NO cost 0.61 each, and a fee of 0.9992 (0.999180 rounded up).
    assert_eq!(bench.cash()[0]["balance"], "4980.7208");
    let (_, body) = bench.get("/portfolio/positions");
    let position = &body["market_positions"][0];
    assert_eq!(position["position_fp"], "40.00");
    assert_eq!(position["market_exposure_dollars"], "16.000000");
    assert_eq!(position["realized_pnl_dollars"], "-0.600000");
    assert_eq!(position["fees_paid_dollars"], "2.679200");
    bench.post(&order("ask", "40", "0.3900", IOC, &json!({})));
    assert_eq!(bench.get("/portfolio/positions").1["market_positions"][0]["position_fp"], "0.00");
}

#[test]
fn resting_orders_hold_back_what_they_would_cost_and_closing_ones_nothing() {
    let mut bench = Bench::quiet();
    bench.post(&order("bid", "100", "0.4000", GTC, &json!({})));
    assert_eq!(bench.cash()[0]["balance"], "4960.0000");
    bench.post(&order("ask", "100", "0.7000", GTC, &json!({})));
    assert_eq!(bench.cash()[0]["balance"], "4930.0000", "NO at 0.30");
    bench.agent(0, Side::Ask, "0.40", "100");
    assert_eq!(bench.cash()[0]["balance"], "4960.0000", "now the ask closes");
    bench.post(&order("ask", "50", "0.8000", GTC, &json!({})));
    assert_eq!(bench.cash()[0]["balance"], "4950.0000", "this one would open");
    let value = bench.get("/portfolio/summary/total_resting_order_value").1;
    assert_eq!(value["total_resting_order_value"], 4_000);
}

#[test]
fn an_order_may_cost_all_that_is_free_and_not_a_step_more() {
    let mut bench = Bench::quiet();
    let cash = |micros| [(0, Money::from_micros(micros))];
    let rest = order("bid", "100", "0.4000", GTC, &json!({}));
    bench.kalshi = Kalshi::new(&bench.world.kalshi, bench.kalshi.accounts.clone())
        .funded(0, &cash(39_999_900));
    assert_eq!(bench.post(&rest).1["error"]["code"], "insufficient_balance");
    bench.kalshi = Kalshi::new(&bench.world.kalshi, bench.kalshi.accounts.clone())
        .funded(0, &cash(40_000_000));
    assert_eq!(bench.post(&rest).0, 201);
    assert_eq!(bench.balance(), "0.0000");
    // What trades at once has to pay its fee too.
    bench.agent(1, Side::Ask, "0.40", "100");
    for (micros, status) in [(41_679_900, 400), (41_680_000, 201)] {
        bench.kalshi = Kalshi::new(&bench.world.kalshi, bench.kalshi.accounts.clone())
            .funded(0, &cash(micros));
        let take = order("bid", "100", "0.4000", IOC, &json!({"ticker": CUT}));
        assert_eq!(bench.post(&take).0, status, "{micros}");
    }
    assert_eq!(bench.balance(), "0.0000");
}

#[test]
fn cash_is_held_by_shard() {
    let mut bench = Bench::quiet();
    let accounts = bench.kalshi.accounts.clone();
    bench.kalshi = Kalshi::new(&bench.world.kalshi, accounts)
        .funded(0, &[(0, Money::from_micros(10 * Money::DOLLAR))]);
    let coin = order("bid", "1", "0.4000", GTC, &json!({"ticker": COIN, "exchange_index": 2}));
    let refused = bench.post(&coin);
    assert_eq!((refused.0, &refused.1["error"]["code"]), (404, &json!("user_not_found")));
    let mut transfer = json!({
        "client_transfer_id": "t-1", "source": "event_contract", "destination": "event_contract",
        "amount": 25_000, "source_exchange_shard": 0, "destination_exchange_shard": 2,
    });
    let path = "/portfolio/intra_exchange_instance_transfer";
    let (status, first) = bench.call("POST", path, &transfer);
    assert_eq!(status, 200, "{first}");
    assert_eq!(bench.call("POST", path, &transfer).1, first, "one id moves cash once");
    let expected = json!([
        {"exchange_index": 0, "balance": "7.5000"}, {"exchange_index": 2, "balance": "2.5000"}
    ]);
    assert_eq!(bench.cash(), expected);
    transfer["client_transfer_id"] = "t-2".into();
    transfer["amount"] = 75_001.into();
    assert_eq!(bench.call("POST", path, &transfer).0, 400);
    assert_eq!(bench.post(&coin).0, 201);
    let market = bench.get(&format!("/markets/{COIN}")).1;
    assert_eq!(market["market"]["exchange_index"], 2);
    let shards = bench.get("/exchange/status").1["exchange_index_statuses"].clone();
    assert_eq!(shards.as_array().unwrap().len(), 2);
}

/// Cash is what was paid in, less what was bought on either leg and the fees, and a dollar for
/// every pair of YES and NO, and what resolved markets paid.
fn cash_by_the_orders(truth: &Statement) -> Money {
    let bought = |outcome| {
        truth
            .orders
            .iter()
            .filter(|order| order.outcome == outcome)
            .map(|order| order.filled.units())
            .sum::<i64>()
    };
    let held: i64 = truth.positions.iter().map(|(.., quantity)| quantity.units()).sum();
    let pairs = (bought(Outcome::Yes) + bought(Outcome::No) - held) / 2;
    let spent = truth.orders.iter().fold(Money::ZERO, |sum, order| sum + order.money);
    let came = truth.paid_in + truth.moved + truth.earned;
    came + Money::from_micros(pairs) - spent - truth.fees + truth.payouts
}

#[test]
fn no_dollar_appears_or_vanishes_in_a_thousand_random_orders() {
    let mut bench = Bench::new(3);
    let mut dice = Dice::new(11);
    let tickers = [(RATES, 0), (CUT, 0), (COIN, 2)];
    for round in 0..1_000 {
        let (ticker, index) = tickers[dice.index(3)];
        let side = ["bid", "ask"][dice.index(2)];
        let force = [GTC, IOC, FOK][dice.index(3)];
        let count = format!("{}.{:02}", dice.between(0, 40), dice.between(1, 99));
        let price = format!("0.{:02}", dice.between(5, 95));
        let rule = ["taker_at_cross", "maker"][dice.index(2)];
        let more = json!({
            "ticker": ticker, "exchange_index": index, "self_trade_prevention_type": rule,
        });
        let key = [bench.key_id.clone(), SECOND.to_owned()][dice.index(2)].clone();
        let wanted = order(side, &count, &price, force, &more);
        let (status, body) = bench.post_as(&key, &wanted);
        assert!(matches!(status, 201 | 400 | 409), "{wanted}: {body}");
        if round % 40 == 0 {
            let flow = [Flow::Deposit, Flow::Withdrawal, Flow::Interest][round / 40 % 3];
            let (amount, fee) = (Money::from_micros(7_130_000), Money::from_micros(20_000));
            let after = Duration::from_secs(1);
            bench.fault(&Fault::Funds(Transfer { flow, amount, fee, after }));
        }
        if round % 9 == 0 {
            bench.call_as(&key, "DELETE", ORDERS, "");
        }
        bench.now = bench.now.after(Duration::from_millis(50));
        for (venue, market, facts) in bench.world.step(bench.now) {
            if venue == crate::domain::Venue::Kalshi {
                let floor = &bench.world.kalshi;
                bench.kalshi.report(market, &facts, floor, bench.now, &mut Vec::new());
            }
        }
        for place in 0..2 {
            let truth = bench.kalshi.trading.statement(place);
            assert_eq!(truth.cash_total(), cash_by_the_orders(&truth), "round {round}");
            assert!(truth.cash.iter().all(|(_, cash)| cash.micros() % 100 == 0), "whole steps");
            assert!(truth.cash.iter().all(|(_, cash)| cash.micros() >= 0), "nobody owes");
        }
    }
    assert_whole(&mut bench);
}

/// Over both members: what they and the agents paid each other is what the purses say, and every
/// contract has a holder of the other side.
fn assert_whole(bench: &mut Bench) {
    let mut agents: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let (mut won, mut held) = (0_i64, 0_i64);
    for (place, key) in [(0, bench.key_id.clone()), (1, SECOND.to_owned())] {
        let truth = bench.kalshi.trading.statement(place);
        let traded = truth.orders.iter().filter(|order| !order.filled.is_zero()).count();
        assert!(traded > 100, "the test has to trade: {traded}");
        won +=
            (truth.cash_total() + truth.fees - truth.paid_in - truth.moved - truth.earned).micros();
        for (_, outcome, quantity) in &truth.positions {
            // A dollar is held for every NO.
            match outcome {
                Outcome::Yes => held += quantity.units(),
                Outcome::No => {
                    held -= quantity.units();
                    won += quantity.units();
                }
            }
        }
        let mut cursor = String::new();
        loop {
            let path = format!("/portfolio/fills?limit=1000&cursor={cursor}");
            let reply = bench.call_as(&key, "GET", &path, "");
            let page: Value = serde_json::from_str(&reply.body).unwrap();
            for fill in page["fills"].as_array().unwrap() {
                let text = |name: &str| fill[name].as_str().unwrap();
                let price = Price::parse(text("yes_price_dollars")).unwrap();
                let quantity = Quantity::parse(text("count_fp")).unwrap();
                let sign = if text("book_side") == "bid" { 1 } else { -1 };
                let entry = agents.entry(text("trade_id").to_owned()).or_default();
                entry.0 += sign * Money::cost_ceil(price, quantity).micros();
                entry.1 -= sign * quantity.units();
            }
            page["cursor"].as_str().unwrap().clone_into(&mut cursor);
            if cursor.is_empty() {
                break;
            }
        }
    }
    let between = agents.values().filter(|entry| **entry == (0, 0)).count();
    assert!(between > 0, "members have to meet each other too");
    let agents_won: i64 = agents.values().map(|entry| entry.0).sum();
    let agents_hold: i64 = agents.values().map(|entry| entry.1).sum();
    assert_eq!((won + agents_won, held + agents_hold), (0, 0));
}
