use proptest::prelude::*;

use super::super::super::matching::OrderNumber;
use super::*;

/// What happens to the book of the first market.
#[derive(Debug, Clone)]
enum Step {
    Order { side: Side, cents: u16, count: u32 },
    Cancel(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    prop_oneof![
        3 => (side, 35u16..65, 1u32..40)
            .prop_map(|(side, cents, count)| Step::Order { side, cents, count }),
        1 => (1u64..40).prop_map(Step::Cancel),
    ]
}

/// Plays several steps as one batch.
fn play(rig: &mut Rig, batch: &[Step]) {
    let mut facts = Vec::new();
    let book = &mut rig.floor.books[0];
    for step in batch {
        match *step {
            Step::Order { side, cents, count } => {
                let at = Price::from_units(cents * 100).unwrap();
                let quantity = Quantity::contracts(count);
                book.submit(Owner(1), side, at, quantity, Remainder::Rests, &mut facts);
            }
            Step::Cancel(number) => {
                book.cancel(OrderNumber(number), &mut facts);
            }
        }
    }
    rig.report(&facts);
}

proptest! {
    #[test]
    fn frames_alone_rebuild_both_books_after_every_batch(
        before in prop::collection::vec(step(), 0..20),
        batches in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..30),
    ) {
        let mut rig = Rig::new(2);
        play(&mut rig, &before);
        let (yes, no) = (token(0, Outcome::Yes), token(0, Outcome::No));
        let whole = rig.both(1);
        let half = rig.subscribe(2, std::slice::from_ref(&no));
        let (mut client, mut half_client) = (Client::default(), Client::default());
        for batch in std::iter::once(None).chain(batches.iter().map(Some)) {
            if let Some(batch) = batch {
                rig.now = rig.now.after(Duration::from_millis(7));
                play(&mut rig, batch);
            }
            let stamp = rig.now.millis().to_string();
            let frames = rig.frames(whole);
            frames.iter().for_each(|frame| client.apply(frame));
            for frame in rig.frames(half) {
                half_client.apply(&frame);
            }
            prop_assert!(client.agrees(&rig.floor, 0, Outcome::Yes));
            prop_assert!(client.agrees(&rig.floor, 0, Outcome::No));
            prop_assert!(half_client.agrees(&rig.floor, 0, Outcome::No));
            for frame in &frames {
                let told = match frame["price_changes"].as_array() {
                    Some(changes) => {
                        prop_assert_eq!(changes.len(), 2, "both tokens");
                        changes.clone()
                    }
                    None if frame["event_type"] == "best_bid_ask" => vec![frame.clone()],
                    None => continue,
                };
                prop_assert_eq!(&frame["timestamp"], &stamp);
                for change in told {
                    let best = (units(&change["best_bid"]), units(&change["best_ask"]));
                    prop_assert_eq!(best, client.best(&text(&change["asset_id"])));
                }
            }
            for frame in &frames {
                for change in frame["price_changes"].as_array().into_iter().flatten() {
                    let token = text(&change["asset_id"]);
                    prop_assert!(token == yes || token == no);
                    let book = rig.get("clob", &format!("/book?token_id={token}"));
                    prop_assert_eq!(&change["hash"], &book["hash"], "the hash after the batch");
                }
            }
        }
    }

    #[test]
    fn no_text_from_a_client_panics(text in ".{0,60}", kind in 0usize..4) {
        let mut rig = Rig::new(1);
        let connection = rig.both(1);
        let quoted = Value::String(text.clone());
        let message = match kind {
            0 => text,
            1 => format!("{{\"type\":\"market\",\"assets_ids\":[{quoted}]}}"),
            2 => format!("{{\"operation\":{quoted},\"assets_ids\":[]}}"),
            _ => format!("{{\"operation\":\"unsubscribe\",\"assets_ids\":{quoted}}}"),
        };
        rig.say(connection, &message);
    }
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["event_type"].as_str().unwrap()).collect()
}

#[test]
fn a_partly_filled_order_locks_the_book_inside_its_batch() {
    let mut rig = Rig::new(1);
    let (yes, no) = (token(0, Outcome::Yes), token(0, Outcome::No));
    rig.order(Side::Bid, "0.63", 6);
    rig.order(Side::Bid, "0.62", 50);
    rig.order(Side::Ask, "0.65", 8);
    let connection = rig.both(1);
    let mut client = Client::default();
    rig.frames(connection).iter().for_each(|frame| client.apply(frame));
    rig.order(Side::Ask, "0.63", 15);
    let frames = rig.frames(connection);
    let expected = [
        "best_bid_ask",
        "best_bid_ask",
        "price_change",
        "price_change",
        "last_trade_price",
        "book",
        "book",
    ];
    assert_eq!(kinds(&frames), expected);
    client.apply(&frames[2]);
    assert_eq!(client.best(&yes), (6_300, 6_300), "the remainder comes first");
    assert_eq!(client.best(&no), (3_700, 3_700));
    client.apply(&frames[3]);
    assert_eq!(client.best(&yes), (6_200, 6_300));
    assert_eq!(client.best(&no), (3_700, 3_800));
    let first = |frame: &Value| text(&frame["price_changes"][0]["asset_id"]);
    assert_ne!(first(&frames[2]), first(&frames[3]), "either token comes first");
    let hashes = |frame: &Value| {
        let changes = frame["price_changes"].as_array().unwrap().iter();
        changes.map(|c| (text(&c["asset_id"]), text(&c["hash"]))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(hashes(&frames[2]), hashes(&frames[3]));
    assert_eq!(hashes(&frames[2])[&yes], text(&frames[5]["hash"]));
    assert_eq!(hashes(&frames[2])[&no], text(&frames[6]["hash"]));
}

#[test]
fn fills_at_one_price_print_once_and_only_the_printed_token_hears() {
    let mut rig = Rig::new(1);
    rig.order(Side::Ask, "0.52", 3);
    rig.order(Side::Ask, "0.52", 4);
    let yes = rig.subscribe(1, &[token(0, Outcome::Yes)]);
    let no = rig.subscribe(2, &[token(0, Outcome::No)]);
    rig.out.clear();
    rig.order(Side::Bid, "0.55", 7);
    let frames = rig.frames(yes);
    let trade = frames.iter().find(|frame| frame["event_type"] == "last_trade_price").unwrap();
    assert_eq!((&trade["price"], &trade["size"]), (&"0.52".into(), &"7".into()));
    assert_eq!((&trade["side"], &trade["fee_rate_bps"]), (&"BUY".into(), &"0".into()));
    assert!(!kinds(&rig.frames(no)).contains(&"last_trade_price"));
    let book = rig.get("clob", &format!("/book?token_id={}", token(0, Outcome::No)));
    assert_eq!(book["last_trade_price"], "0.52", "both tokens show the price that was printed");
}

#[test]
fn best_prices_are_told_only_to_those_who_asked_for_them() {
    let mut rig = Rig::new(1);
    let plain = rig.open(1);
    let message = serde_json::json!({ "type": "market", "assets_ids": [token(0, Outcome::Yes)] });
    rig.say(plain, &message.to_string());
    let custom = rig.both(2);
    rig.out.clear();
    rig.order(Side::Bid, "0.41", 10);
    assert_eq!(kinds(&rig.frames(plain)), ["price_change"]);
    let frames = rig.frames(custom);
    assert_eq!(kinds(&frames), ["best_bid_ask", "best_bid_ask", "price_change"]);
    assert_eq!((&frames[0]["best_bid"], &frames[0]["best_ask"]), (&"0.41".into(), &"1".into()));
    assert_eq!((&frames[1]["best_bid"], &frames[1]["best_ask"]), (&"0".into(), &"0.59".into()));
    rig.order(Side::Bid, "0.40", 10);
    assert_eq!(kinds(&rig.frames(custom)), ["price_change"], "the best did not move");
}

#[test]
fn one_array_of_books_answers_a_subscription() {
    let mut rig = Rig::new(2);
    rig.order(Side::Bid, "0.41", 10);
    rig.order(Side::Bid, "0.44", 20);
    rig.order(Side::Ask, "0.47", 30);
    rig.order(Side::Ask, "0.50", 40);
    let ids = [token(0, Outcome::No), token(9, Outcome::Yes), token(0, Outcome::Yes)];
    let connection = rig.subscribe(1, &ids);
    let frames = rig.frames(connection);
    assert_eq!(frames.len(), 1);
    let books = frames[0].as_array().unwrap();
    assert_eq!(books.len(), 2, "an unknown token is passed over");
    let prices = |book: &Value, side: &str| -> Vec<String> {
        book[side].as_array().unwrap().iter().map(|row| text(&row["price"])).collect()
    };
    assert_eq!(prices(&books[0], "bids"), ["0.5", "0.53"], "worst first");
    assert_eq!(prices(&books[1], "bids"), ["0.41", "0.44"]);
    assert_eq!(prices(&books[1], "asks"), ["0.5", "0.47"]);
    let unknown = rig.subscribe(2, &[token(9, Outcome::Yes)]);
    assert_eq!(rig.texts(unknown), ["[]"]);
}

#[test]
fn a_subscription_grows_and_shrinks() {
    let mut rig = Rig::new(2);
    let connection = rig.both(1);
    rig.out.clear();
    let ids = serde_json::json!([token(1, Outcome::Yes)]);
    rig.say(connection, &format!(r#"{{"operation":"subscribe","assets_ids":{ids}}}"#));
    assert_eq!(rig.frames(connection)[0][0]["asset_id"], token(1, Outcome::Yes));
    let ids = serde_json::json!([token(0, Outcome::Yes)]);
    rig.say(connection, &format!(r#"{{"operation":"unsubscribe","assets_ids":{ids}}}"#));
    rig.order(Side::Bid, "0.41", 10);
    let frames = rig.frames(connection);
    assert_eq!(kinds(&frames), ["best_bid_ask", "price_change"], "NO is still subscribed");
    assert_eq!(frames[0]["asset_id"], token(0, Outcome::No));
    let ids = serde_json::json!([token(0, Outcome::No)]);
    rig.say(connection, &format!(r#"{{"operation":"unsubscribe","assets_ids":{ids}}}"#));
    rig.order(Side::Bid, "0.42", 10);
    assert_eq!(rig.texts(connection), Vec::<String>::new());
}

#[test]
fn no_ping_for_twenty_seconds_cuts() {
    let mut rig = Rig::new(1);
    let (alive, dead) = (rig.both(1), rig.both(2));
    rig.tick(secs(15));
    rig.out.clear();
    rig.say(alive, "PING");
    assert_eq!(rig.texts(alive), ["PONG"]);
    rig.tick(secs(6));
    assert!(rig.is_cut(dead) && !rig.is_cut(alive));
    rig.out.clear();
    rig.order(Side::Bid, "0.41", 10);
    assert!(rig.texts(dead).is_empty() && !rig.texts(alive).is_empty());
}

#[test]
fn more_than_five_hundred_ids_in_one_frame_cut_at_once() {
    let mut rig = Rig::new(300);
    let ids: Vec<String> =
        (0..300).flat_map(|m| [token(m, Outcome::Yes), token(m, Outcome::No)]).collect();
    let greedy = rig.subscribe(1, &ids);
    assert!(rig.is_cut(greedy) && rig.texts(greedy).is_empty());
    let patient = rig.subscribe(2, &ids[..400]);
    assert_eq!(rig.frames(patient)[0].as_array().unwrap().len(), 400);
    let rest = serde_json::json!(ids[400..]);
    rig.say(patient, &format!(r#"{{"operation":"subscribe","assets_ids":{rest}}}"#));
    let books = rig.frames(patient);
    assert_eq!(books[0].as_array().unwrap().len(), 100, "no book beyond the five hundredth");
}

#[test]
fn connections_are_counted_and_other_paths_refused() {
    let mut rig = Rig::new(1);
    for number in 0..200 {
        rig.open(number);
    }
    let (headers, body) = ([], []);
    let request = |path| Request { method: "GET", path, query: "", headers: &headers, body: &body };
    let refused = rig.core.open(Connection(200), &request("/market"), rig.now).unwrap_err();
    assert_eq!(refused.status, 429, "many at once");
    rig.now = rig.now.after(secs(10));
    for number in 200..256 {
        rig.open(number);
    }
    let refused = rig.core.open(Connection(256), &request("/market"), rig.now).unwrap_err();
    assert_eq!(refused.status, 503);
    rig.core.closed(Connection(3));
    assert!(rig.core.open(Connection(256), &request("/market"), rig.now).is_ok());
    let refused = rig.core.open(Connection(300), &request("/ws/sports"), rig.now).unwrap_err();
    assert_eq!(refused.status, 404);
}

#[test]
fn a_listed_market_is_announced_to_custom_connections() {
    let mut rig = Rig::new(1);
    let connection = rig.both(1);
    rig.out.clear();
    rig.floor.listings.push(listing(1));
    rig.floor.books.push(Book::default());
    rig.tick(secs(1));
    rig.tick(secs(1));
    let frames = rig.frames(connection);
    assert_eq!(kinds(&frames), ["new_market"]);
    assert_eq!(frames[0]["condition_id"], rig.floor.listings[1].id);
}

#[test]
fn a_removal_is_sometimes_told_twice() {
    let mut rig = Rig::new(1);
    let connection = rig.both(1);
    let mut twice = 0;
    for _ in 0..10 {
        rig.order(Side::Bid, "0.41", 10);
        rig.out.clear();
        let (number, ..) = rig.floor.books[0].orders_of(Owner(1)).next().unwrap();
        let mut facts = Vec::new();
        rig.floor.books[0].cancel(number, &mut facts);
        rig.report(&facts);
        let frames = rig.frames(connection);
        twice += usize::from(kinds(&frames).iter().filter(|k| **k == "price_change").count() == 2);
    }
    assert!(twice > 0, "at least one of ten removals");
}

#[test]
fn a_level_that_ends_as_it_began_is_not_told() {
    let mut rig = Rig::new(1);
    rig.order(Side::Bid, "0.41", 10);
    let connection = rig.both(1);
    rig.out.clear();
    let order = Step::Order { side: Side::Bid, cents: 41, count: 5 };
    play(&mut rig, &[order, Step::Cancel(2)]);
    assert!(rig.texts(connection).is_empty());
}
