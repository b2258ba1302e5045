use super::*;
use crate::book::{Lane, Loss};
use crate::domain::{FeeModel, Quantity, Rate, Side};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const NOW: i64 = 10_000_000;

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn book_of(bid: &str, ask: &str) -> Book {
    let mut book = Book::new();
    book.begin(Lane(0), 3);
    book.set(Side::Bid, price(bid), Quantity::contracts(10), at(NOW));
    book.set(Side::Ask, price(ask), Quantity::contracts(10), at(NOW));
    book.end(at(NOW));
    book
}

fn settings() -> Settings {
    Settings {
        kalshi_book_age_max: Duration::from_secs(12),
        polymarket_book_age_max: Duration::from_secs(5),
        feed_lag_max: Duration::from_secs(3),
        clock_offset_max: Duration::from_secs(2),
        near_close: Duration::from_secs(60),
        near_start: Duration::from_secs(30),
        fee_age_max: Duration::from_secs(3_600),
    }
}

/// Everything that the gate looks at; as it is made, the gate is open.
struct Scene {
    book: Book,
    lane: Option<LaneState>,
    facts: Facts,
    offset: Duration,
}

impl Scene {
    fn new(venue: Venue) -> Self {
        let fee = FeePlan::constant(FeeModel::kalshi(Rate::parse("0.07").unwrap()));
        let minimum = Minimum::default();
        let (status, read) = (Status::Open, at(NOW));
        Self {
            book: book_of("0.41", "0.43"),
            lane: Some(LaneState { epoch: 3, proven: at(NOW), lag: Duration::ZERO }),
            facts: Facts { venue, fee, read, minimum, status, closes: None, starts: None },
            offset: Duration::ZERO,
        }
    }

    fn check(&self, millis: i64) -> Result<(), NoEdge> {
        check(
            &self.book,
            self.lane.as_ref(),
            &self.facts,
            &settings(),
            self.offset,
            at(NOW + millis),
        )
    }
}

fn refused(change: impl Fn(&mut Scene)) -> Vec<NoEdge> {
    Venue::ALL
        .into_iter()
        .filter_map(|venue| {
            let mut scene = Scene::new(venue);
            assert_eq!(scene.check(0), Ok(()));
            change(&mut scene);
            scene.check(0).err()
        })
        .collect()
}

#[test]
fn only_a_whole_book_of_the_present_connection_is_believed() {
    let dead = [NoEdge::FeedNotLive; 2];
    assert_eq!(refused(|scene| scene.book = Book::new()), dead);
    assert_eq!(refused(|scene| scene.book.begin(Lane(0), 3)), dead, "an image is coming in");
    assert_eq!(refused(|scene| scene.book.lose(Loss::Gap, at(NOW))), dead);
    assert_eq!(refused(|scene| scene.lane = None), dead);
    let reconnected = LaneState { epoch: 4, proven: at(NOW), lag: Duration::ZERO };
    assert_eq!(refused(|scene| scene.lane = Some(reconnected)), dead, "the image is older");
}

#[test]
fn an_open_batch_and_a_crossed_book_are_not_believed() {
    let announce = |scene: &mut Scene| {
        scene.book.announce(Some(price("0.42")), Some(price("0.43")), at(NOW));
    };
    assert_eq!(refused(announce), [NoEdge::BatchOpen; 2]);
    let completed = |scene: &mut Scene| {
        announce(scene);
        scene.book.set(Side::Bid, price("0.42"), Quantity::contracts(1), at(NOW));
    };
    assert_eq!(refused(completed), []);
    let ask = |text: &'static str| {
        move |scene: &mut Scene| {
            scene.book.set(Side::Ask, price(text), Quantity::contracts(1), at(NOW));
        }
    };
    assert_eq!(refused(ask("0.40")), [NoEdge::Crossed; 2]);
    assert_eq!(refused(ask("0.41")), [NoEdge::Crossed; 2], "a locked book is one mid-change");
    assert_eq!(refused(ask("0.42")), []);
}

#[test]
fn a_quiet_kalshi_book_is_proven_by_its_connection_a_polymarket_book_by_itself_alone() {
    let mut kalshi = Scene::new(Venue::Kalshi);
    let mut polymarket = Scene::new(Venue::Polymarket);
    assert_eq!(kalshi.check(12_000), Ok(()), "exactly the oldest");
    assert_eq!(kalshi.check(12_001), Err(NoEdge::Stale));
    assert_eq!(polymarket.check(5_000), Ok(()));
    assert_eq!(polymarket.check(5_001), Err(NoEdge::Stale));
    for scene in [&mut kalshi, &mut polymarket] {
        scene.lane = Some(LaneState { epoch: 3, proven: at(NOW + 9_000), lag: Duration::ZERO });
    }
    assert_eq!(kalshi.check(21_000), Ok(()));
    assert_eq!(polymarket.check(9_001), Err(NoEdge::Stale), "a connection may answer, and be dead");
    polymarket.book.prove(at(NOW + 9_000));
    assert_eq!(polymarket.check(9_001), Ok(()));
    let age = |scene: &Scene| {
        book_age(&scene.book, scene.lane.as_ref(), scene.facts.venue, at(NOW + 9_003))
    };
    assert_eq!(age(&kalshi), Duration::from_millis(3));
    assert_eq!(age(&Scene::new(Venue::Polymarket)), Duration::from_millis(9_003));
    assert_eq!(
        book_age(&kalshi.book, None, Venue::Kalshi, at(NOW + 7)),
        Duration::from_millis(7),
        "without its connection a book has its own proof"
    );
}

#[test]
fn the_feed_and_the_clock_must_keep_up() {
    let lag = |millis| {
        move |scene: &mut Scene| {
            let lag = Duration::from_millis(millis);
            scene.lane = Some(LaneState { epoch: 3, proven: at(NOW), lag });
        }
    };
    assert_eq!(refused(lag(3_000)), []);
    assert_eq!(refused(lag(3_001)), [NoEdge::FeedLag; 2]);
    let offset = |millis| move |scene: &mut Scene| scene.offset = Duration::from_millis(millis);
    assert_eq!(refused(offset(2_000)), []);
    assert_eq!(refused(offset(2_001)), [NoEdge::ClockOffset; 2]);
}

#[test]
fn only_an_open_market_away_from_its_close_and_its_start_is_traded() {
    let status = |status| move |scene: &mut Scene| scene.facts.status = status;
    assert_eq!(refused(status(Status::Paused)), [NoEdge::MarketPaused; 2]);
    assert_eq!(refused(status(Status::Closed)), [NoEdge::MarketPaused; 2]);
    let closes = |ahead: i64| move |scene: &mut Scene| scene.facts.closes = Some(at(NOW + ahead));
    assert_eq!(refused(closes(60_001)), []);
    assert_eq!(refused(closes(60_000)), [NoEdge::NearClose; 2]);
    assert_eq!(refused(closes(-1)), [NoEdge::NearClose; 2], "over");
    let starts = |ahead: i64| move |scene: &mut Scene| scene.facts.starts = Some(at(NOW + ahead));
    assert_eq!(refused(starts(30_001)), []);
    assert_eq!(refused(starts(30_000)), [NoEdge::NearStart; 2]);
    assert_eq!(refused(starts(0)), [NoEdge::NearStart; 2]);
    assert_eq!(refused(starts(-30_000)), [NoEdge::NearStart; 2], "prices jump then");
    assert_eq!(refused(starts(-30_001)), [], "the game is on");
}

#[test]
fn an_unknown_or_outdated_fee_makes_no_edge() {
    assert_eq!(refused(|scene| scene.facts.fee = FeePlan::unknown()), [NoEdge::FeeUnknown; 2]);
    let ends = |scene: &mut Scene| scene.facts.fee.change_at(at(NOW), None);
    assert_eq!(refused(ends), [NoEdge::FeeUnknown; 2], "a change that is not understood");
    let read = |ago: i64| move |scene: &mut Scene| scene.facts.read = at(NOW - ago);
    assert_eq!(refused(read(3_600_000)), []);
    assert_eq!(refused(read(3_600_001)), [NoEdge::FeeOutdated; 2]);
}

#[test]
fn the_most_fundamental_doubt_is_named() {
    let mut scene = Scene::new(Venue::Kalshi);
    scene.facts.fee = FeePlan::unknown();
    scene.offset = Duration::from_secs(9);
    assert_eq!(scene.check(0), Err(NoEdge::ClockOffset));
    assert_eq!(scene.check(60_000), Err(NoEdge::Stale));
    scene.book.set(Side::Ask, price("0.40"), Quantity::contracts(1), at(NOW));
    assert_eq!(scene.check(60_000), Err(NoEdge::Crossed));
    scene.facts.closes = Some(at(NOW));
    assert_eq!(scene.check(60_000), Err(NoEdge::NearClose));
    scene.facts.status = Status::Paused;
    assert_eq!(scene.check(60_000), Err(NoEdge::MarketPaused));
    scene.book.lose(Loss::Silent, at(NOW));
    assert_eq!(scene.check(60_000), Err(NoEdge::FeedNotLive));
}

#[test]
fn facts_are_what_the_market_says() {
    let scene = Scene::new(Venue::Polymarket);
    let market = Market {
        venue: Venue::Polymarket,
        id: "0xab".to_owned(),
        title: String::new(),
        event: String::new(),
        group: String::new(),
        grid: None,
        fee: scene.facts.fee,
        minimum: Minimum { quantity: Quantity::contracts(5), notional: Money::ZERO },
        status: Status::Paused,
        closes: Some(at(5)),
        starts: Some(at(4)),
        delay: Duration::ZERO,
        shard: None,
        rules: None,
        basis: None,
        yes_pays: None,
        tokens: None,
    };
    let facts = Facts::of(&market, at(7));
    assert_eq!((facts.venue, facts.status, facts.read), (market.venue, market.status, at(7)));
    assert_eq!((facts.closes, facts.starts), (market.closes, market.starts));
    assert_eq!((facts.minimum, facts.fee), (market.minimum, market.fee));
}

#[test]
fn quotes_are_compared_in_terms_of_the_same_contract() {
    let (kalshi, polymarket) = (book_of("0.41", "0.43"), book_of("0.4000", "0.4001"));
    let apart = |same| mids_apart(&kalshi, &polymarket, same).unwrap().to_string();
    assert_eq!(apart(Same::Yes), "0.009900");
    assert_eq!(apart(Same::No), "0.169900", "its NO is bid at 0.5999");
    let turned = |same| mids_apart(&polymarket, &kalshi, same).unwrap();
    assert_eq!(turned(Same::Yes).to_string(), apart(Same::Yes));
    assert_eq!(turned(Same::No).to_string(), apart(Same::No));
    let mut empty = book_of("0.41", "0.43");
    empty.set(Side::Ask, price("0.43"), Quantity::ZERO, at(NOW));
    assert_eq!(mids_apart(&empty, &polymarket, Same::Yes), None);
    assert_eq!(mids_apart(&polymarket, &empty, Same::Yes), None);
}

#[test]
fn a_wide_book_agrees_with_all_that_it_allows() {
    let (wide, low) = (book_of("0.01", "0.99"), book_of("0.10", "0.12"));
    for same in [Same::Yes, Same::No] {
        assert_eq!(mids_apart(&wide, &low, same), Some(Money::ZERO));
        assert_eq!(mids_apart(&low, &wide, same), Some(Money::ZERO));
    }
    let touching = book_of("0.12", "0.30");
    assert_eq!(mids_apart(&low, &touching, Same::Yes), Some(Money::ZERO));
}
