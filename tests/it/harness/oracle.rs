//! What must hold, judged from the exchanges' side of every wire.
//!
//! The oracle keeps, for each market, the exchange's own book as of the last piece that was
//! delivered whole, and compares every reported opportunity and every believed book with it. It
//! shares no arithmetic with the engine.

use std::sync::Arc;
use std::time::Duration;

use crossbook::app::pipeline::{News, Pipeline};
use crossbook::book::{Book, Ladder};
use crossbook::domain::{Outcome, Timestamp, Venue};
use crossbook::engine::effect::{Effect, Leg, Opportunity, Phase};
use crossbook::exchange::Listing;
use crossbook::venue::Notice;

use super::arithmetic;
use super::hall::{Image, Part, Tag, at};

/// How long the engine believes a silent book, as the configuration says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) fresh: [Duration; 2],
    /// How long a lost Polymarket frame that changed no best price may stay unseen.
    pub(super) unseen_max: Duration,
}

/// What was seen of one market.
#[derive(Debug, Clone, Default)]
struct Seen {
    image: Option<Arc<Image>>,
    /// What the book will be when the batch that has begun to arrive is whole.
    coming: Option<Arc<Image>>,
    proven: Timestamp,
    /// Since when the believed book differs from what was delivered.
    wrong_since: Option<Timestamp>,
}

/// How often things happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) opened: u64,
    pub(crate) grown: u64,
    pub(crate) closed: u64,
    pub(crate) gaps: u64,
    pub(crate) downs: u64,
    pub(crate) resyncs: u64,
    pub(crate) no_snapshots: u64,
    pub(crate) venue_errors: u64,
    pub(crate) strange: Vec<String>,
    /// Opportunities while a leg's batch had arrived in part.
    pub(crate) beside_torn: u64,
    /// Of these, those whose fills are offered only once the batch is whole.
    pub(crate) ahead: u64,
    /// Of these, those whose fills the exchange never offered all at once.
    pub(crate) mixed: u64,
    /// Opportunities on a Polymarket book that had lost a frame which nothing showed yet.
    pub(crate) on_unseen_loss: u64,
    /// The longest time that a wrong book was believed, in milliseconds.
    pub(crate) wrong_ms_max: u128,
}

pub(super) struct Oracle {
    label: String,
    limits: Limits,
    listings: [Vec<Listing>; 2],
    seen: [Vec<Seen>; 2],
    /// Whether messages were lost on purpose since the start.
    pub(super) lossy: [bool; 2],
    pub(super) tally: Tally,
}

impl Oracle {
    pub(super) fn new(label: String, limits: Limits, listings: [Vec<Listing>; 2]) -> Self {
        let seen = [0, 1].map(|venue: usize| vec![Seen::default(); listings[venue].len()]);
        Self { label, limits, listings, seen, lossy: [false; 2], tally: Tally::default() }
    }

    /// A heartbeat or frame of Kalshi proves all its books.
    pub(super) fn heard(&mut self, venue: Venue, now: Timestamp) {
        if venue == Venue::Kalshi {
            self.seen[0].iter_mut().for_each(|seen| seen.proven = now);
        }
    }

    /// A piece is about to be handed over.
    pub(super) fn deliver(&mut self, venue: Venue, tags: &[Tag], now: Timestamp) {
        for tag in tags {
            let seen = &mut self.seen[at(venue)][tag.market];
            seen.proven = now;
            let image = Some(Arc::clone(&tag.image));
            match tag.part {
                Part::Some => seen.coming = image,
                Part::Last => (seen.image, seen.coming) = (image, None),
            }
        }
    }

    /// A reading over REST proves a book that is as delivered; a polled book it replaces.
    pub(super) fn read(&mut self, venue: Venue, images: &[Arc<Image>], now: Timestamp) {
        for (seen, image) in self.seen[at(venue)].iter_mut().zip(images) {
            if venue == Venue::Kalshi {
                (seen.image, seen.proven) = (Some(Arc::clone(image)), now);
            } else if seen.image.as_ref() == Some(image) {
                seen.proven = now;
            }
        }
    }

    /// A piece has been taken in: a book that is believed is the one that was delivered.
    pub(super) fn compare(
        &mut self,
        venue: Venue,
        tags: &[Tag],
        pipeline: &Pipeline,
        now: Timestamp,
    ) {
        for tag in tags {
            let id = &self.listings[at(venue)][tag.market].id;
            let believed = believed(pipeline, venue, id);
            let seen = &mut self.seen[at(venue)][tag.market];
            if tag.part == Part::Some {
                let offered = believed.filter(|book| {
                    book.batch_open_since().is_none() && book.crossed_since().is_none()
                });
                let agrees = offered.is_none_or(|book| is_best(book, &tag.image));
                assert!(agrees, "{}: at {now} half a batch of {id} is offered", self.label);
                continue;
            }
            let differs = believed.is_some_and(|book| !is_same(book, &tag.image));
            if !differs {
                seen.wrong_since = None;
                continue;
            }
            let since = *seen.wrong_since.get_or_insert(now);
            let lasted = now.since(since);
            self.tally.wrong_ms_max = self.tally.wrong_ms_max.max(lasted.as_millis());
            let excused = venue == Venue::Polymarket && self.lossy[1];
            assert!(
                excused && lasted <= self.limits.unseen_max,
                "{}: at {now} the book of {venue} {id} is believed and has been wrong for {lasted:?}",
                self.label
            );
        }
    }

    /// Judges everything that the machine told since the last time.
    pub(super) fn hear(&mut self, pipeline: &mut Pipeline) {
        while let Some(news) = pipeline.news.pop_front() {
            match news {
                News::Decision(Effect::Opportunity(found)) => self.judge(&found, pipeline),
                News::Decision(Effect::Closed(_)) => self.tally.closed += 1,
                News::Decision(Effect::Resync { .. }) => self.tally.resyncs += 1,
                News::Decision(Effect::Reload { .. } | Effect::Probe { .. } | Effect::Act(_))
                | News::Pairs(_) => {}
                News::Feed(_, notice) => self.note(notice),
                News::Journal(state) => panic!("{}: {state:?}", self.label),
                News::Desk(venue, text) => panic!("{}: {venue}: {text}", self.label),
                News::Findings(found) => panic!("{}: findings {found:?}", self.label),
                News::Decision(Effect::Doubt { pair, reason, .. }) => {
                    panic!("{}: {pair} is a pair, whatever its {reason} says", self.label)
                }
                News::Untraded { .. } | News::LimitsHeld { .. } => {}
                News::NoSuchOutcome { pair, .. } => panic!("{}: outcome of {pair}", self.label),
            }
        }
    }

    fn note(&mut self, notice: Notice) {
        match notice {
            Notice::Live { .. } => {}
            Notice::Down { .. } => self.tally.downs += 1,
            Notice::Gap { .. } => self.tally.gaps += 1,
            Notice::NoSnapshot { .. } => self.tally.no_snapshots += 1,
            Notice::Strange { what, .. } => self.tally.strange.push(what),
            Notice::VenueError { .. } => self.tally.venue_errors += 1,
        }
    }

    fn judge(&mut self, found: &Opportunity, pipeline: &Pipeline) {
        match found.phase {
            Phase::Opened => self.tally.opened += 1,
            Phase::Grown => self.tally.grown += 1,
        }
        let risk = pipeline.pairs().get(&found.pair).unwrap().resolution_risk;
        let rates = found.legs.each_ref().map(|leg| self.listing(leg.venue, &leg.market).1.rate);
        if let Err(what) = arithmetic::check(found, risk, rates) {
            panic!("{}: {what}: {found:?}", self.label);
        }
        for leg in &found.legs {
            self.judge_leg(leg, found);
        }
    }

    /// The proof of a leg's book is fresh, and the exchange offers what the leg takes.
    fn judge_leg(&mut self, leg: &Leg, found: &Opportunity) {
        let (market, _) = self.listing(leg.venue, &leg.market);
        let seen = self.seen[at(leg.venue)][market].clone();
        let age = found.at.since(seen.proven);
        let limit = self.limits.fresh[at(leg.venue)];
        assert!(
            age <= limit && leg.book_age >= age,
            "{}: proof of {} {} was delivered {age:?} ago, {:?} is claimed: {found:?}",
            self.label,
            leg.venue,
            leg.market,
            leg.book_age
        );
        let offers = |image: &Option<Arc<Image>>| {
            let missing = |image| arithmetic::missing(leg.outcome, &leg.fills, image);
            image.as_ref().is_some_and(|image| missing(image).is_none())
        };
        self.tally.beside_torn += u64::from(seen.coming.is_some());
        if offers(&seen.image) {
            return;
        }
        if let Some(image) = &seen.coming {
            // The first frame of a batch announces the best prices after the last.
            assert_eq!(
                arithmetic::best(leg.outcome, image),
                leg.fills.first().map(|fill| fill.0),
                "{}: {} {} inside a batch: {found:?}",
                self.label,
                leg.venue,
                leg.market
            );
            let coming = offers(&seen.coming);
            self.tally.ahead += u64::from(coming);
            self.tally.mixed += u64::from(!coming);
            return;
        }
        let unseen = leg.venue == Venue::Polymarket
            && seen
                .wrong_since
                .is_some_and(|since| found.at.since(since) <= self.limits.unseen_max);
        self.tally.on_unseen_loss += u64::from(unseen);
        assert!(
            unseen,
            "{}: {} {} does not offer this: {found:?}\n{seen:?}",
            self.label, leg.venue, leg.market
        );
    }

    fn listing(&self, venue: Venue, id: &str) -> (usize, &Listing) {
        let listings = self.listings[at(venue)].iter().enumerate();
        listings.into_iter().find(|(_, one)| one.id == id).unwrap()
    }

    /// Whether every book of a venue is believed and is the exchange's.
    pub(super) fn is_synced(
        &self,
        venue: Venue,
        books: &[Arc<Image>],
        pipeline: &Pipeline,
    ) -> bool {
        let listings = self.listings[at(venue)].iter().zip(books);
        listings.into_iter().all(|(listing, image)| {
            believed(pipeline, venue, &listing.id).is_some_and(|book| is_same(book, image))
        })
    }
}

/// The book of a market, if the engine holds it to be whole.
fn believed<'a>(pipeline: &'a Pipeline, venue: Venue, id: &str) -> Option<&'a Book> {
    let index = pipeline.registry().find(venue, id)?;
    let books = pipeline.engine().books();
    let book = &books.get(index)?.book;
    books.is_whole(book).then_some(book)
}

/// Whether a book is the image, as YES and, mirrored, as NO.
pub(super) fn is_same(book: &Book, image: &Image) -> bool {
    // A ladder ends with its best: the highest bid of YES, the lowest ask of YES.
    let bids = levels(book.bids(), Outcome::Yes).eq(image.bids.iter().map(copied));
    let asks =
        levels(book.offers(Outcome::Yes), Outcome::Yes).eq(image.asks.iter().rev().map(copied));
    let no = image.bids.iter().map(|(price, units)| (10_000 - price, *units));
    bids && asks && levels(book.offers(Outcome::No), Outcome::No).eq(no)
}

/// Whether the best prices of a book are those of the image.
fn is_best(book: &Book, image: &Image) -> bool {
    let best = |ladder: &Ladder| ladder.best().map(|level| level.price.units());
    best(book.bids()) == image.bids.last_key_value().map(|level| *level.0)
        && best(book.asks()) == image.asks.first_key_value().map(|level| *level.0)
}

fn levels(ladder: &Ladder, of: Outcome) -> impl Iterator<Item = (u16, i64)> + '_ {
    ladder.worst_first().iter().map(move |level| {
        let price = if of == Outcome::No { level.price.mirror() } else { level.price };
        (price.units(), level.quantity.units())
    })
}

const fn copied((price, units): (&u16, &i64)) -> (u16, i64) {
    (*price, *units)
}
