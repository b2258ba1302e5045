use serde_json::Value;

use super::*;
use crate::domain::market::{Band, Status};
use crate::domain::{FeePlan, IntentId, MarketIndex, Minimum, Money, PriceGrid, TradeId};

pub(in crate::venue::kalshi) fn market(shard: Option<u32>) -> Market {
    Market {
        venue: Venue::Kalshi,
        id: "KXDEMO-26DEC31-T50".to_owned(),
        title: String::new(),
        event: "KXDEMO-26DEC31".to_owned(),
        group: String::new(),
        grid: PriceGrid::new(vec![Band { start: 0, end: 10_000, step: 100 }]),
        fee: FeePlan::unknown(),
        minimum: Minimum::default(),
        status: Status::Open,
        closes: None,
        starts: None,
        delay: std::time::Duration::ZERO,
        shard,
        rules: None,
        basis: None,
        yes_pays: None,
        tokens: None,
    }
}

pub(in crate::venue::kalshi) fn order(outcome: Outcome, action: Action, limit: &str) -> Order {
    Order {
        intent: IntentId(7),
        trade: TradeId(3),
        venue: Venue::Kalshi,
        market: MarketIndex(0),
        outcome,
        action,
        limit: Price::parse(limit).unwrap(),
        size: Size::Contracts(Quantity::parse("25").unwrap()),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: Timestamp::from_millis(1_795_341_600_000),
    }
}

fn body(order: &Order) -> Value {
    let ticket = Ticket::new(order, &market(Some(0)), "cid", None, None).unwrap();
    serde_json::from_str(&encode_create(&ticket).body.unwrap()).unwrap()
}

#[test]
fn an_order_is_written_as_the_venue_documents_it() {
    let order = order(Outcome::No, Action::Buy, "0.59");
    let ticket = Ticket::new(&order, &market(Some(0)), "5f0a8c1e", None, None).unwrap();
    let request = encode_create(&ticket);
    assert_eq!((request.method, &*request.path), ("POST", "/portfolio/events/orders"));
    assert_eq!(
        request.body.unwrap(),
        concat!(
            r#"{"ticker":"KXDEMO-26DEC31-T50","client_order_id":"5f0a8c1e","side":"ask","#,
            r#""count":"25.00","price":"0.4100","time_in_force":"immediate_or_cancel","#,
            r#""self_trade_prevention_type":"taker_at_cross","exchange_index":0}"#
        )
    );
}

#[test]
fn all_four_ways_stand_on_the_book_of_yes() {
    for (outcome, action, limit, side, price) in [
        (Outcome::Yes, Action::Buy, "0.41", "bid", "0.4100"),
        (Outcome::Yes, Action::Sell, "0.41", "ask", "0.4100"),
        (Outcome::No, Action::Buy, "0.59", "ask", "0.4100"),
        (Outcome::No, Action::Sell, "0.59", "bid", "0.4100"),
    ] {
        let body = body(&order(outcome, action, limit));
        assert_eq!(body["side"], side, "{outcome} {action:?}");
        assert_eq!(body["price"], price, "{outcome} {action:?}");
    }
}

#[test]
fn only_a_sale_that_does_not_rest_is_bound_to_reduce() {
    for action in [Action::Buy, Action::Sell] {
        for lifetime in [Lifetime::Immediate, Lifetime::AllOrNothing, Lifetime::Resting] {
            for purpose in Purpose::ALL {
                let order = Order { lifetime, purpose, ..order(Outcome::Yes, action, "0.41") };
                let wanted = action == Action::Sell
                    && lifetime == Lifetime::Immediate
                    && [Purpose::Unwind, Purpose::Exit].contains(&purpose);
                let said = body(&order).get("reduce_only").is_some_and(|said| said == true);
                assert_eq!(said, wanted, "{action:?} {lifetime:?} {purpose:?}");
            }
        }
    }
}

#[test]
fn what_rests_goes_with_a_pause_and_may_expire() {
    let at = Timestamp::from_millis(1_795_341_600_900);
    let of = |lifetime| {
        let order = Order { lifetime, ..order(Outcome::Yes, Action::Buy, "0.41") };
        let ticket = Ticket::new(&order, &market(Some(2)), "c", Some(at), Some("g")).unwrap();
        serde_json::to_value(&ticket).unwrap()
    };
    let resting = of(Lifetime::Resting);
    assert_eq!(resting["time_in_force"], "good_till_canceled");
    assert_eq!(resting["cancel_order_on_pause"], true);
    assert_eq!(resting["expiration_time"], 1_795_341_600, "seconds");
    assert_eq!(resting["order_group_id"], "g");
    assert_eq!(resting["exchange_index"], 2);
    for (lifetime, name) in
        [(Lifetime::Immediate, "immediate_or_cancel"), (Lifetime::AllOrNothing, "fill_or_kill")]
    {
        let taking = of(lifetime);
        assert_eq!(taking["time_in_force"], name);
        assert!(taking.get("cancel_order_on_pause").is_none());
        assert!(taking.get("expiration_time").is_none());
    }
}

#[test]
fn what_the_venue_would_refuse_is_not_written() {
    let refused = |order: &Order, market: &Market| {
        Ticket::new(order, market, "c", None, None).unwrap_err().to_string()
    };
    let good = || order(Outcome::Yes, Action::Buy, "0.41");
    assert!(refused(&good(), &market(None)).contains("shard"));
    let finer = Order { limit: Price::parse("0.4150").unwrap(), ..good() };
    assert!(refused(&finer, &market(Some(0))).contains("grid"));
    for size in ["0", "0.015"] {
        let size = Size::Contracts(Quantity::parse(size).unwrap());
        assert!(refused(&Order { size, ..good() }, &market(Some(0))).contains("lots"));
    }
    let dollars = Order { size: Size::Collateral(Money::from_micros(5)), ..good() };
    assert!(refused(&dollars, &market(Some(0))).contains("contracts"));
    let elsewhere = Order { venue: Venue::Polymarket, ..good() };
    assert!(refused(&elsewhere, &market(Some(0))).contains("not an order"));
}

const TARGET: Target<'_> = Target { order_id: "a/b", ticker: "KX T", shard: 2 };

#[test]
fn an_order_without_an_id_is_never_a_cancel_of_all() {
    for order_id in ["", " ", "\t", ".", ".."] {
        let target = Target { order_id, ..TARGET };
        assert!(encode_cancel(&target).is_err(), "{order_id:?}");
        assert!(encode_cancel_batch(&[TARGET, target]).is_err(), "{order_id:?}");
        let lot = Quantity::parse("0.01").unwrap();
        assert!(encode_decrease(&target, Decrease::By(lot)).is_err(), "{order_id:?}");
        assert!(encode_amend(&target, Side::Bid, Price::MIN, lot).is_err(), "{order_id:?}");
    }
    assert!(encode_cancel_batch(&[]).is_err());
    assert!(encode_create_batch(&[]).is_err());
}

#[test]
fn cancels_name_their_order_its_market_and_its_shard() {
    let cancel = encode_cancel(&TARGET).unwrap();
    assert_eq!((cancel.method, &*cancel.path), ("DELETE", "/portfolio/events/orders/a%2Fb"));
    assert_eq!(cancel.query, "?exchange_index=2&market_ticker=KX%20T");
    assert_eq!(cancel.body, None);
    let batch = encode_cancel_batch(&[TARGET]).unwrap();
    assert_eq!((batch.method, &*batch.path), ("DELETE", "/portfolio/events/orders/batched"));
    assert_eq!(
        batch.body.unwrap(),
        r#"{"orders":[{"order_id":"a/b","exchange_index":2,"market_ticker":"KX T"}]}"#
    );
    let all = encode_cancel_every_order_of_the_account();
    assert_eq!((all.method, &*all.path), ("DELETE", "/portfolio/events/orders"));
}

#[test]
fn a_decrease_says_by_or_to_and_an_amendment_the_new_total() {
    let ten = Quantity::parse("10").unwrap();
    let by = encode_decrease(&TARGET, Decrease::By(ten)).unwrap();
    assert_eq!(&*by.path, "/portfolio/events/orders/a%2Fb/decrease");
    assert_eq!(
        by.body.unwrap(),
        r#"{"reduce_by":"10.00","exchange_index":2,"market_ticker":"KX T"}"#
    );
    let to = encode_decrease(&TARGET, Decrease::To(ten)).unwrap();
    assert!(to.body.unwrap().starts_with(r#"{"reduce_to":"10.00""#));
    let price = Price::parse("0.42").unwrap();
    let amend = encode_amend(&TARGET, Side::Bid, price, Quantity::parse("40").unwrap()).unwrap();
    assert_eq!((amend.method, &*amend.path), ("POST", "/portfolio/events/orders/a%2Fb/amend"));
    assert_eq!(
        amend.body.unwrap(),
        concat!(
            r#"{"ticker":"KX T","side":"bid","price":"0.4200","count":"40.00","#,
            r#""exchange_index":2}"#
        )
    );
}

#[test]
fn a_batch_holds_each_order_whole() {
    let order = order(Outcome::Yes, Action::Buy, "0.41");
    let ticket = |id| Ticket::new(&order, &market(Some(0)), id, None, None).unwrap();
    let batch = encode_create_batch(&[ticket("a"), ticket("b")]).unwrap();
    assert_eq!(&*batch.path, "/portfolio/events/orders/batched");
    let body: Value = serde_json::from_str(&batch.body.unwrap()).unwrap();
    assert_eq!(body["orders"][0]["client_order_id"], "a");
    assert_eq!(body["orders"][1]["client_order_id"], "b");
}
