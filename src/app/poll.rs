//! Books over REST: Polymarket's as a second opinion, Kalshi's when there is no key.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use crate::domain::Venue;
use crate::venue::{Error, kalshi, polymarket};

use super::driver::Message;
use super::loader::Quiet;
use super::pipeline::Pipeline;

/// The ids whose books are read: tickers on Kalshi, tokens of YES on Polymarket.
pub type Ids = Arc<ArcSwap<Vec<String>>>;

/// The ids of the markets that are brought by a feed at present.
pub fn ids_of(pipeline: &Pipeline, venue: Venue) -> Vec<String> {
    pipeline
        .registry()
        .iter()
        .filter(|(_, entry)| entry.venue == venue && entry.lane.is_some())
        .filter_map(|(_, entry)| match venue {
            Venue::Kalshi => Some(entry.id.clone()),
            Venue::Polymarket => {
                entry.facts().and_then(|market| market.tokens.as_ref()).map(|t| t.yes.clone())
            }
        })
        .collect()
}

/// Reads Polymarket's books again and again, so that a quiet book can prove that it is live.
pub async fn confirm_polymarket(
    client: Arc<polymarket::rest::Client>,
    ids: Ids,
    every: Duration,
    messages: mpsc::Sender<Message>,
) {
    const PER_CALL: usize = 500;
    let quiet = Quiet::default();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let ids = ids.load_full();
        for chunk in ids.chunks(PER_CALL) {
            let body = client.post_books_text(&as_strs(chunk)).await;
            if !pass_on(Venue::Polymarket, body, &quiet, &messages).await {
                return;
            }
        }
    }
}

/// Reads Kalshi's public books at a polite rate.
pub async fn poll_kalshi(
    client: Arc<kalshi::rest::Client>,
    ids: Ids,
    every: Duration,
    messages: mpsc::Sender<Message>,
) {
    const PER_CALL: usize = 100;
    let quiet = Quiet::default();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let ids = ids.load_full();
        if ids.is_empty() {
            ticks.tick().await;
        }
        for chunk in ids.chunks(PER_CALL) {
            ticks.tick().await;
            let body = client.get_orderbooks_text(&as_strs(chunk)).await;
            if !pass_on(Venue::Kalshi, body, &quiet, &messages).await {
                return;
            }
        }
    }
}

fn as_strs(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

/// `false` when nobody listens any more.
async fn pass_on(
    venue: Venue,
    body: Result<String, Error>,
    quiet: &Quiet,
    messages: &mpsc::Sender<Message>,
) -> bool {
    match body {
        Ok(body) => messages.send(Message::Books(venue, body)).await.is_ok(),
        Err(error) => {
            if quiet.is_due() {
                tracing::warn!(
                    "books of {venue} could not be read, and are asked for again: {error}"
                );
            }
            !messages.is_closed()
        }
    }
}
