use crate::exchange::faults::Resolution;

use super::*;

const AFTER: Duration = Duration::from_secs(20);

fn resolve(bench: &mut Bench, resolution: Resolution) -> Vec<Value> {
    texts(&bench.fault(&Fault::Resolve { market: 0, resolution, pays_after: AFTER }))
}

#[test]
fn a_resolved_market_is_determined_first_and_paid_later() {
    let mut bench = Bench::quiet();
    bench.agent(0, Side::Ask, "0.40", "100");
    bench.post(&order("bid", "100", "0.4000", IOC, &json!({})));
    let (_, resting) = bench.post(&order("bid", "100", "0.3000", GTC, &json!({})));
    bench.connect();
    bench.say(r#"{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#);
    let told = resolve(&mut bench, Resolution::Yes);
    let kinds: Vec<_> = told.iter().map(|frame| frame["msg"]["event_type"].clone()).collect();
    assert_eq!(kinds, ["close_date_updated", "determined"]);
    assert_eq!(
        (&told[1]["msg"]["result"], &told[1]["msg"]["settlement_value"]),
        (&json!("yes"), &json!("1.0000"))
    );
    let id = resting["order_id"].as_str().unwrap();
    let order_read = bench.get(&format!("/portfolio/orders/{id}")).1;
    assert_eq!(order_read["order"]["status"], "canceled", "swept");
    assert!(bench.world.kalshi.books[0].resting().next().is_none());
    let market = bench.get(&format!("/markets/{RATES}")).1["market"].clone();
    assert_eq!((&market["status"], &market["result"]), (&json!("determined"), &json!("yes")));
    let late = bench.post(&order("bid", "1", "0.3000", GTC, &json!({})));
    assert_eq!(late.1["error"]["code"], "market_inactive");
    assert_eq!(bench.cash()[0]["balance"], "4958.3200", "not paid yet");
    let told = bench.wait(AFTER);
    assert_eq!(told[0]["msg"]["event_type"], "settled");
    assert_eq!(bench.cash()[0]["balance"], "5058.3200");
    let market = bench.get(&format!("/markets/{RATES}")).1["market"].clone();
    assert_eq!(
        (&market["status"], &market["settlement_value_dollars"]),
        (&json!("finalized"), &json!("1.0000"))
    );
    assert_eq!(bench.get("/portfolio/positions").1["market_positions"], json!([]));
    let settled = bench.get("/portfolio/positions?settlement_status=settled").1;
    assert_eq!(settled["market_positions"][0]["realized_pnl_dollars"], "60.000000");
    let row = bench.get("/portfolio/settlements").1["settlements"][0].clone();
    assert_eq!((&row["market_result"], &row["revenue"]), (&json!("yes"), &json!(10_000)));
    assert_eq!(
        (&row["yes_count_fp"], &row["yes_total_cost_dollars"]),
        (&json!("100.00"), &json!("40.000000"))
    );
    assert_eq!((&row["value"], &row["fee_cost"]), (&json!(100), &json!("1.680000")));
    assert_eq!(bench.get("/markets?status=settled").1["markets"].as_array().unwrap().len(), 1);
    let truth = bench.kalshi.trading.statement(0);
    assert_eq!((truth.payouts.to_string(), truth.positions.len()), ("100.000000".into(), 0));
}

#[test]
fn a_void_pays_both_sides_their_part_in_whole_steps() {
    for (side, at, price, pays) in
        [("bid", Side::Ask, "0.40", "3.4565"), ("ask", Side::Bid, "0.40", "6.5434")]
    {
        let mut bench = Bench::quiet();
        bench.agent(0, at, price, "10");
        bench.post(&order(side, "10", "0.4000", IOC, &json!({})));
        bench.post(&order(side, "0.01", "0.4000", IOC, &json!({})));
        let held = bench.kalshi.trading.statement(0).cash_total();
        resolve(&mut bench, Resolution::Value(Price::parse("0.3456").unwrap()));
        bench.wait(AFTER);
        let paid = bench.kalshi.trading.statement(0).cash_total() - held;
        let ten = bench.get("/portfolio/settlements").1["settlements"][0].clone();
        assert_eq!((&ten["market_result"], &ten["value"]), (&json!("scalar"), &json!(34)));
        let expected = if side == "bid" { "3.456000" } else { "6.544000" };
        assert_eq!(paid.to_string(), expected, "{pays}");
    }
}

#[test]
fn agents_stay_away_from_a_resolved_market() {
    let mut bench = Bench::new(5);
    resolve(&mut bench, Resolution::No);
    bench.steps(50);
    assert!(bench.world.kalshi.books[0].resting().next().is_none());
    assert!(bench.world.kalshi.books[1].resting().next().is_some());
}

#[test]
fn a_halt_takes_no_orders_but_cancels() {
    let mut bench = Bench::quiet();
    let rest = order("bid", "1", "0.3000", GTC, &json!({}));
    let (_, kept) = bench.post(&rest);
    let (_, touchy) =
        bench.post(&order("bid", "1", "0.3100", GTC, &json!({"cancel_order_on_pause": true})));
    bench.fault(&Fault::TradingPause { lasts: seconds(30) });
    assert_eq!(bench.post(&rest).1["error"]["code"], "trading_paused");
    assert_eq!(bench.get("/exchange/status").1["trading_active"], false);
    let status = |bench: &mut Bench, body: &Value| {
        let id = body["order_id"].as_str().unwrap().to_owned();
        bench.get(&format!("/portfolio/orders/{id}")).1["order"]["status"].clone()
    };
    assert_eq!(status(&mut bench, &touchy), "canceled");
    assert_eq!(status(&mut bench, &kept), "resting");
    let path = format!("{ORDERS}/{}", kept["order_id"].as_str().unwrap());
    assert_eq!(bench.call("DELETE", &path, &Value::Null).0, 200);
    bench.wait(seconds(30));
    assert_eq!(bench.post(&rest).0, 201);
}

#[test]
fn a_market_that_comes_back_from_a_pause_has_no_orders() {
    let mut bench = Bench::quiet();
    let rest = order("bid", "1", "0.3000", GTC, &json!({}));
    bench.post(&rest);
    bench.fault(&Fault::Pause { lasts: seconds(5), market: 0 });
    assert_eq!(bench.post(&rest).1["error"]["code"], "market_inactive");
    assert_eq!(
        bench.get("/portfolio/orders?status=resting").1["orders"].as_array().unwrap().len(),
        1
    );
    bench.wait(seconds(5));
    assert_eq!(bench.get("/portfolio/orders?status=resting").1["orders"], json!([]));
}
