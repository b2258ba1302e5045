//! REST order books.

use crate::book::{self, Lane, Reading, Stamped, Update, level_checksum};
use crate::domain::{MarketIndex, Outcome, Timestamp};
use crate::venue::Error;

use super::super::wire::http;
use super::frame::push_levels;
use super::{Level, PriceMode, misread};

/// Reads one order book.
pub fn orderbook(text: &str, ticker: &str) -> Result<Vec<Level>, Error> {
    let what = format!("orderbook of {ticker}");
    let answer: http::OrderbookAnswer<'_> =
        serde_json::from_str(text).map_err(|error| misread(&what, text, &error))?;
    levels(&what, &answer.orderbook_fp)
}

/// Books that could be read, and why others could not.
#[derive(Debug, Default)]
pub struct Orderbooks {
    /// Those that could be read, each with its ticker.
    pub found: Vec<(String, Vec<Level>)>,
    /// One error for each that could not.
    pub refused: Vec<Error>,
}

/// Reads many order books; one that makes no sense does not hide the others.
pub fn orderbooks(text: &str) -> Result<Orderbooks, Error> {
    let answer: http::OrderbooksAnswer<'_> =
        serde_json::from_str(text).map_err(|error| misread("orderbooks", text, &error))?;
    let mut all = Orderbooks::default();
    for raw in answer.orderbooks {
        match named(raw.get()) {
            Ok(book) => all.found.push(book),
            Err(error) => all.refused.push(error),
        }
    }
    Ok(all)
}

fn named(text: &str) -> Result<(String, Vec<Level>), Error> {
    let book: http::NamedOrderbook<'_> = serde_json::from_str(text)
        .map_err(|error| misread("a book of orderbooks", text, &error))?;
    let found = levels(&format!("orderbook of {}", book.ticker), &book.orderbook_fp)?;
    Ok((book.ticker, found))
}

fn levels(what: &str, book: &http::Orderbook<'_>) -> Result<Vec<Level>, Error> {
    let side = |levels: &Option<Vec<_>>| levels.as_ref().map_or(0, Vec::len);
    let mut found = Vec::with_capacity(side(&book.yes_dollars) + side(&book.no_dollars));
    let yes = book.yes_dollars.as_deref().unwrap_or_default();
    let no = book.no_dollars.as_deref().unwrap_or_default();
    push_levels(what, "yes_dollars", Outcome::Yes, yes, &mut found)?;
    push_levels(what, "no_dollars", Outcome::No, no, &mut found)?;
    Ok(found)
}

/// A REST book as a full image for the books. REST books know no `use_yes_price`: a NO level always
/// has its own price.
pub fn image(lane: Lane, market: MarketIndex, levels: &[Level], out: &mut Vec<Update>) {
    out.push(Update::Snapshot { market, lane });
    for level in levels {
        let (side, price) = PriceMode::OwnLeg.place(level.leg, level.price);
        out.push(Update::Set { market, side, price, quantity: level.quantity });
    }
    out.push(Update::SnapshotEnd { market });
    out.push(Update::Stamp { kind: Stamped::Image, market, sequence: 0, source: None });
}

/// A REST book as a reading that confirms or refutes the local one. Such books carry no time of
/// their own: `asked` is when the question was put, the earliest moment they can be of.
pub fn reading(market: MarketIndex, levels: &[Level], asked: Option<Timestamp>) -> Reading {
    let checksum = levels.iter().filter(|level| !level.quantity.is_zero()).fold(0, |sum, level| {
        let (side, price) = PriceMode::OwnLeg.place(level.leg, level.price);
        sum ^ level_checksum(side, book::Level { price, quantity: level.quantity })
    });
    Reading { market, source: asked, checksum }
}
