//! Small tasks that run beside the engine.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::domain::Venue;

use super::driver::Message;
use super::loader::Clients;
use super::mappings::Watching;

/// How often the venues' clocks are compared with ours.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

/// Passes on the mapping files whenever they change.
pub async fn forward_mappings(mut watching: Watching, messages: mpsc::Sender<Message>) {
    while let Some(read) = watching.texts.recv().await {
        let message = match read {
            Ok(files) => Message::Mappings(files),
            Err(error) => {
                tracing::error!("{error:#}; the last good set of pairs stays in force");
                continue;
            }
        };
        if messages.send(message).await.is_err() {
            return;
        }
    }
}

/// Compares the venues' clocks with ours, again and again.
pub async fn compare_clocks(clients: Clients, messages: mpsc::Sender<Message>) {
    let mut ticks = tokio::time::interval(COMPARE_EVERY);
    loop {
        ticks.tick().await;
        match clients.polymarket.clock_offset().await {
            Ok(offset) => {
                let message = Message::Clock(Venue::Polymarket, offset.nanos);
                if messages.send(message).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::debug!("the clocks could not be compared: {error}"),
        }
        if let Some(millis) = clients.kalshi.clock_offset_ms() {
            let message = Message::Clock(Venue::Kalshi, millis.saturating_mul(1_000_000));
            if messages.send(message).await.is_err() {
                return;
            }
        }
    }
}
