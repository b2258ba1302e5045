//! Small tasks that run beside the engine.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::domain::market::Status;
use crate::domain::{Timestamp, Venue};
use crate::engine::trade::calendar::Pause;
use crate::venue::kalshi::parse::exchange::{Trading, trading};
use crate::venue::kalshi::wire::http::Window;

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
        // The answer also tells the key's budget of reads, which the client keeps from then on.
        if clients.kalshi.is_signed()
            && let Err(error) = clients.kalshi.get_account_limits().await
        {
            tracing::debug!("kalshi's budgets could not be read: {error}");
        }
        if let Some(millis) = clients.kalshi.clock_offset_ms() {
            let message = Message::Clock(Venue::Kalshi, millis.saturating_mul(1_000_000));
            if messages.send(message).await.is_err() {
                return;
            }
        }
    }
}

/// How often Kalshi is asked whether it trades.
const STATUS_EVERY: Duration = Duration::from_secs(15);

/// Asks Kalshi where it trades, again and again: during its weekly pause the books stand still and
/// look tradable, and single shards pause for themselves.
pub async fn watch_exchange(clients: Clients, messages: mpsc::Sender<Message>) {
    let mut ticks = tokio::time::interval(STATUS_EVERY);
    let mut before = (Status::Open, Vec::new());
    loop {
        ticks.tick().await;
        let new = match clients.kalshi.get_exchange_status().await {
            Ok(said) => closed(&trading(&said)),
            Err(error) => {
                tracing::debug!("kalshi's exchange status could not be read: {error}");
                continue;
            }
        };
        let (status, shards) = &new;
        if *status != before.0 {
            let word = if *status == Status::Open { "trades again" } else { "has paused trading" };
            tracing::warn!("kalshi {word}");
            if messages.send(Message::Exchange(Venue::Kalshi, *status)).await.is_err() {
                return;
            }
        }
        if *shards != before.1 {
            tracing::warn!("shards of kalshi that take no orders: {shards:?}");
            if messages.send(Message::Shards(shards.clone())).await.is_err() {
                return;
            }
        }
        if messages.is_closed() {
            return;
        }
        before = new;
    }
}

/// How often Kalshi is asked for the pauses that it has announced, and how soon again where it did
/// not answer.
const SCHEDULE_EVERY: [Duration; 2] = [Duration::from_mins(15), Duration::from_mins(1)];

/// Asks Kalshi which pauses it has announced, again and again.
pub async fn watch_schedule(clients: Clients, messages: mpsc::Sender<Message>) {
    let mut before = Vec::new();
    let mut trouble = String::new();
    while !messages.is_closed() {
        let [usual, again] = SCHEDULE_EVERY;
        let wait = match clients.kalshi.get_exchange_schedule().await {
            Ok(schedule) => {
                trouble.clear();
                let pauses = announced(&schedule.maintenance_windows);
                if pauses != before {
                    before.clone_from(&pauses);
                    if messages.send(Message::Pauses(pauses)).await.is_err() {
                        return;
                    }
                }
                usual
            }
            Err(error) => {
                let text = error.to_string();
                if text != trouble {
                    tracing::warn!("which pauses kalshi has announced is not known: {text}");
                    trouble = text;
                }
                again
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// The pauses in these windows.
fn announced(windows: &[Window]) -> Vec<Pause> {
    let pause = |window: &Window| {
        let [from, until] =
            [&window.start_datetime, &window.end_datetime].map(|text| Timestamp::parse(text));
        if from.is_none() || until.is_none() {
            tracing::warn!("kalshi announced a pause that cannot be read: {window:?}");
        }
        Some(Pause { from: from?, until: until? })
    };
    windows.iter().filter_map(pause).collect()
}

/// Whether the exchange as a whole takes orders, and which shards do not.
fn closed(trading: &Trading) -> (Status, Vec<u32>) {
    match trading {
        Trading::Everywhere => (Status::Open, Vec::new()),
        Trading::Nowhere => (Status::Paused, Vec::new()),
        Trading::NotIn(shards) => {
            let mut shards: Vec<u32> =
                shards.iter().filter_map(|shard| u32::try_from(*shard).ok()).collect();
            shards.sort_unstable();
            (Status::Open, shards)
        }
    }
}
