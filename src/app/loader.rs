//! Reads market facts over REST, beside the engine.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use crate::domain::{Market, Venue};
use crate::net::backoff::Backoff;
use crate::venue::{Error, kalshi, polymarket};

use super::driver::Message;

/// Requests under way at once; the clients' budgets hold the rate.
const AT_ONCE: usize = 8;

/// Markets that may wait to be read; all pairs of a large mapping folder fit.
pub const LOADS_MAX: usize = 20_000;

/// A market that cannot be read because the venue does not answer is tried again this long, and no
/// longer, between two tries.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Both venues' REST clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Kalshi's.
    pub kalshi: Arc<kalshi::rest::Client>,
    /// Polymarket's.
    pub polymarket: Arc<polymarket::rest::Client>,
}

impl Clients {
    /// A market's facts.
    pub async fn load(&self, venue: Venue, id: &str) -> Result<Market, Error> {
        match venue {
            Venue::Kalshi => self.kalshi.load_market(id).await,
            Venue::Polymarket => self.polymarket.load_market(id).await,
        }
    }
}

/// Reads what it is asked for until nobody asks any more.
pub async fn run(
    clients: Clients,
    mut loads: mpsc::Receiver<(Venue, String)>,
    messages: mpsc::Sender<Message>,
) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut seed = 0u64;
    while let Some((venue, id)) = loads.recv().await {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (clients, messages) = (clients.clone(), messages.clone());
        seed = seed.wrapping_add(1);
        let backoff = Backoff::new(PATIENCE.0, PATIENCE.1, seed);
        tokio::spawn(async move {
            let message = load(&clients, venue, id, backoff, &messages).await;
            drop(permit);
            // The engine is gone only at the end of a run.
            let _ = messages.send(message).await;
        });
    }
}

async fn load(
    clients: &Clients,
    venue: Venue,
    id: String,
    mut backoff: Backoff,
    messages: &mpsc::Sender<Message>,
) -> Message {
    loop {
        match clients.load(venue, &id).await {
            Ok(market) => return Message::Market(Box::new(market)),
            Err(error) if error.is_passing() && !messages.is_closed() => {
                let wait = backoff.wait();
                tracing::warn!(
                    "{error}; market {id} is asked for again in {} ms",
                    wait.as_millis()
                );
                tokio::time::sleep(wait).await;
            }
            Err(error) => return Message::NoMarket(venue, id, error.to_string()),
        }
    }
}
