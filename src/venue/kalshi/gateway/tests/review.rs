//! Questions about a whole market.

use super::*;

const FILLS_OF_IT: &str = "/portfolio/fills?limit=1000&min_ts=1795341595&ticker=KXDEMO-26DEC31-T50";

/// Places the order, has it filled, and a minute later reads its market up to the fills.
fn read_to_fills(rig: &mut Rig, orders: &str) -> Call {
    rig.acknowledged(&buy_no(), CREATED);
    rig.now = rig.now.after(Duration::from_secs(60));
    let call = only(rig.ask(&Question::Market(MarketIndex(0))));
    assert_eq!(path_and_query(&call), "/exchange/user_data_timestamp");
    let as_of = format!(r#"{{"as_of_time":"{}"}}"#, rig.now);
    let call = only(rig.reply(&call, 200, &as_of).calls);
    let wanted = "/portfolio/orders?limit=1000&min_ts=1795341595&ticker=KXDEMO-26DEC31-T50";
    assert_eq!(path_and_query(&call), wanted, "since shortly before our first order there");
    let calls = rig.reply(&call, 200, orders).calls;
    calls.into_iter().find(|call| path_and_query(call) == FILLS_OF_IT).unwrap()
}

fn listed(taken: &Taken) -> Option<&Vec<String>> {
    taken.reports.iter().find_map(|report| match report {
        Report::Order { intent: IntentId(7), evidence: Evidence::Listed { trades, .. } } => {
            Some(trades)
        }
        _ => None,
    })
}

/// The last page of orders, with ours changed.
fn orders(change: impl Fn(&mut serde_json::Value)) -> String {
    let mut page: serde_json::Value = serde_json::from_str(ORDERS_2).unwrap();
    let ours = |order: &&mut serde_json::Value| order["order_id"] == ID;
    change(page["orders"].as_array_mut().unwrap().iter_mut().find(ours).unwrap());
    page.to_string()
}

fn took_back(order: &mut serde_json::Value) {
    for (key, value) in [
        ("fill_count_fp", "0.00"),
        ("remaining_count_fp", "0.00"),
        ("taker_fill_cost_dollars", "0.0000"),
        ("maker_fill_cost_dollars", "0.0000"),
        ("status", "canceled"),
    ] {
        order[key] = value.into();
    }
}

#[test]
fn a_market_is_read_whole_and_each_order_s_fills_are_named() {
    let mut rig = Rig::new();
    let call = read_to_fills(&mut rig, ORDERS_2);
    let taken = rig.reply(&call, 200, FILLS);
    assert_eq!(listed(&taken).map(Vec::len), Some(2), "{taken:?}");
}

#[test]
fn an_order_that_lost_its_fills_is_listed_without_them() {
    let mut rig = Rig::new();
    let call = read_to_fills(&mut rig, &orders(took_back));
    let taken = rig.reply(&call, 200, NO_FILLS);
    assert_eq!(listed(&taken), Some(&Vec::new()));
}

#[test]
fn what_does_not_add_up_or_cannot_be_read_proves_nothing() {
    // The order says that it filled, its fills are not listed.
    let mut rig = Rig::new();
    let call = read_to_fills(&mut rig, ORDERS_2);
    assert_eq!(listed(&rig.reply(&call, 200, NO_FILLS)), None);
    // It may still fill.
    let mut rig = Rig::new();
    let rests = |order: &mut serde_json::Value| {
        took_back(order);
        order["remaining_count_fp"] = order["initial_count_fp"].clone();
        order["status"] = "resting".into();
    };
    let call = read_to_fills(&mut rig, &orders(rests));
    assert_eq!(listed(&rig.reply(&call, 200, NO_FILLS)), None);
    // One fill makes no sense: it may be the one that seems to be gone.
    let mut rig = Rig::new();
    let call = read_to_fills(&mut rig, &orders(took_back));
    let broken = FILLS.replace("count_fp", "count_unknown");
    assert_eq!(listed(&rig.reply(&call, 200, &broken)), None);
    // No answer.
    let mut rig = Rig::new();
    let call = read_to_fills(&mut rig, &orders(took_back));
    let taken = rig.read(&call, &Answer::Lost("timeout"));
    assert!(listed(&taken).is_none() && !taken.notices.is_empty(), "{taken:?}");
}

#[test]
fn a_market_is_not_read_twice_at_once_nor_where_nothing_is_ours() {
    let mut rig = Rig::new();
    assert!(rig.ask(&Question::Market(MarketIndex(0))).is_empty(), "no order of ours is there");
    rig.acknowledged(&buy_no(), CREATED);
    assert_eq!(rig.ask(&Question::Market(MarketIndex(0))).len(), 1);
    assert!(rig.ask(&Question::Market(MarketIndex(0))).is_empty());
    rig.now = rig.now.after(Duration::from_secs(11));
    assert_eq!(rig.ask(&Question::Market(MarketIndex(0))).len(), 1, "that answer is lost");
}

#[test]
fn an_order_that_is_told_with_less_than_it_had_is_looked_for() {
    let mut rig = Rig::new();
    let taken = rig.acknowledged(&buy_no(), CREATED);
    let fills = taken.calls.last().unwrap().clone();
    rig.reply(&fills, 200, FILLS);
    let mut order: serde_json::Value = serde_json::from_str(ORDER).unwrap();
    let frame = |order: &serde_json::Value| {
        serde_json::json!({"type": "user_order", "sid": 1, "msg": order["order"]}).to_string()
    };
    let as_it_was = frame(&order);
    assert!(rig.private(&as_it_was).calls.is_empty());
    took_back(&mut order["order"]);
    let less = frame(&order);
    let call = only(rig.private(&less).calls);
    assert_eq!(path_and_query(&call), "/exchange/user_data_timestamp");
}
