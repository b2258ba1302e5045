//! What goes out on the connections: books, trades, lives of markets, and members' own messages.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::market::{Band, Status};
use crate::domain::{Change, Price, Side, Timestamp};
use crate::exchange::{Floor, Push};

use super::frames::{Delta, Print, Ticker, Trade, price_ranges, structure};
use super::listing::shard;
use super::stream::Channel;
use super::trading::{Cause, News, Sweep};
use super::{Kalshi, TRADES_MAX};

/// A time as the `Date` header of HTTP writes it.
pub(super) fn date(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.secs())
        .map(|stamp| stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}

/// The type of a private channel's messages.
fn kind(channel: &'static str) -> &'static str {
    match channel {
        "user_orders" => "user_order",
        "market_positions" => "market_position",
        other => other,
    }
}

impl Kalshi {
    /// Sends out all news, and a ticker for every market that they touch.
    pub(super) fn spread(
        &mut self,
        about: Option<usize>,
        floor: &Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let mut touched: BTreeSet<usize> = about.into_iter().collect();
        let mut private = Vec::new();
        for news in self.trading.take_news() {
            match news {
                News::Level { market, side, price, change, cause } => {
                    touched.insert(market);
                    self.delta(market, (side, price), change, cause.as_ref(), floor, now, out);
                }
                News::Print { market, print } => {
                    touched.insert(market);
                    for link in self.links.values_mut() {
                        link.publish(
                            "trade",
                            |held| held.channel == Channel::Trade && held.markets.covers(market),
                            |_| Trade::of(&floor.listings[market], &print),
                            out,
                        );
                    }
                    self.record(market, print);
                }
                News::Lifecycle(message) => self.lifecycle(&message, out),
                News::Private { member, channel, market, msg } => {
                    let sequenced = channel == "order_group_updates";
                    let out = if sequenced { &mut *out } else { &mut private };
                    for link in self.links.values_mut().filter(|link| link.member == member) {
                        link.publish(
                            kind(channel),
                            |held| {
                                held.channel == Channel::Private(channel)
                                    && market.is_none_or(|market| held.markets.covers(market))
                            },
                            |_| &msg,
                            out,
                        );
                    }
                }
            }
        }
        self.confide(private, now, out);
        for market in touched {
            let tally = self.tallies[market];
            for link in self.links.values_mut() {
                link.publish(
                    "ticker",
                    |held| held.channel == Channel::Ticker && held.markets.covers(market),
                    |_| Ticker::of(&floor.listings[market], &floor.books[market], tally, now),
                    out,
                );
            }
        }
    }

    /// Sends private messages as the faults in force let them through.
    fn confide(&mut self, mut private: Vec<Push>, now: Timestamp, out: &mut Vec<Push>) {
        if private.is_empty() || self.trouble.silent.is_some_and(|until| now < until) {
            return;
        }
        if self.trouble.jumbled.is_some_and(|until| now < until) {
            private.reverse();
            let repeats = std::mem::take(&mut self.trouble.repeats);
            self.trouble.repeats = private.iter().take(2).cloned().collect();
            out.extend(private);
            out.extend(repeats);
        } else {
            self.trouble.repeats.clear();
            out.extend(private);
        }
    }

    fn record(&mut self, market: usize, print: Print) {
        let tally = &mut self.tallies[market];
        tally.volume = tally.volume.saturating_add(print.quantity);
        tally.last = Some((print.price, print.quantity));
        let trades = &mut self.trades[market];
        if trades.len() == TRADES_MAX {
            trades.pop_front();
        }
        trades.push_back(print);
    }

    #[expect(clippy::too_many_arguments, reason = "a delta says all of this")]
    fn delta(
        &mut self,
        market: usize,
        (side, price): (Side, Price),
        change: Change,
        cause: Option<&Cause>,
        floor: &Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let listing = &floor.listings[market];
        for link in self.links.values_mut() {
            let own = cause.filter(|cause| cause.member == link.member);
            link.publish(
                "orderbook_delta",
                |held| held.channel == Channel::Orderbook && held.live(market),
                |held| Delta::of(listing, (side, price), change, held.scale, now).caused_by(own),
                out,
            );
        }
    }

    fn lifecycle(&mut self, message: &Value, out: &mut Vec<Push>) {
        for link in self.links.values_mut() {
            link.publish(
                "market_lifecycle_v2",
                |held| held.channel == Channel::Lifecycle,
                |_| message,
                out,
            );
        }
    }

    pub(super) fn pause(
        &mut self,
        market: usize,
        lasts: Duration,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        let Some(listing) = floor.listings.get_mut(market) else { return };
        let until = now.after(lasts);
        let known = self.trouble.paused.insert(market, until).is_some();
        if known || listing.status == Status::Closed {
            return;
        }
        listing.status = Status::Paused;
        self.trading.announce(json!({
            "event_type": "deactivated", "market_ticker": listing.id,
            "exchange_index": shard(listing), "is_deactivated": true,
        }));
        self.trading.halt(Sweep::Pausing(market), floor, now);
    }

    /// Markets whose pause is over take orders again; all that rested there is cancelled.
    pub(super) fn resume(&mut self, floor: &mut Floor, now: Timestamp) {
        let over = |until: &Timestamp| *until <= now;
        let markets: Vec<usize> = self
            .trouble
            .paused
            .iter()
            .filter(|(_, until)| over(until))
            .map(|(market, _)| *market)
            .collect();
        for market in markets {
            self.trouble.paused.remove(&market);
            let Some(listing) = floor.listings.get_mut(market) else { continue };
            if listing.status != Status::Paused {
                continue;
            }
            listing.status = Status::Open;
            self.trading.announce(json!({
                "event_type": "activated", "market_ticker": listing.id,
                "exchange_index": shard(listing), "is_deactivated": false,
            }));
            self.trading.halt(Sweep::Market(market), floor, now);
        }
    }

    pub(super) fn change_ticks(&mut self, market: usize, bands: &[Band], floor: &mut Floor) {
        let Some(listing) = floor.listings.get_mut(market) else { return };
        listing.bands = bands.to_vec();
        self.trading.announce(json!({
            "event_type": "price_level_structure_updated", "market_ticker": listing.id,
            "exchange_index": shard(listing), "price_level_structure": structure(bands),
            "price_ranges": price_ranges(bands),
        }));
    }
}
