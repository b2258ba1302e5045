//! Frames to updates.

use crate::book::{Loss, Update};
use crate::domain::market::Status;
use crate::domain::{MarketIndex, Timestamp};
use crate::venue::{Error, Notice, Output};

use super::roster::Image;
use super::{Phase, Stream, parse};
use crate::venue::polymarket::parse::Event;

impl Stream {
    /// Takes a frame: one object, an array of objects, or plain text.
    pub(super) fn read(&mut self, text: &str, now: Timestamp, out: &mut Output) {
        let text = text.trim();
        match text.as_bytes().first() {
            Some(b'{') => {
                self.hear(now, out);
                self.object(text, out, now);
            }
            Some(b'[') => match parse::elements(text) {
                Ok(all) => {
                    if !all.is_empty() {
                        self.hear(now, out);
                    }
                    for raw in all {
                        if !self.is_listening() {
                            return;
                        }
                        self.object(raw.get(), out, now);
                    }
                }
                Err(error) => self.unreadable(text, &error, now, out),
            },
            _ if text == "PONG" => {
                if let Phase::Open(session) = &mut self.phase {
                    session.pong_due = None;
                }
            }
            // The server also answers bad requests in plain words; they carry no data.
            _ => self.complain("plain text".to_owned(), &format!("plain text: {text}"), out),
        }
    }

    /// Data came: the connection brings what it is for.
    fn hear(&mut self, now: Timestamp, out: &mut Output) {
        if let Phase::Open(session) = &mut self.phase {
            session.data_at = now;
            if !session.heard {
                session.heard = true;
                self.backoff.reset();
                out.notices.push(Notice::Live { lane: self.lane });
            }
        }
    }

    fn object(&mut self, text: &str, out: &mut Output, now: Timestamp) {
        let event = match parse::event(text) {
            Ok(event) => event,
            Err(error) => return self.unreadable(text, &error, now, out),
        };
        let done = match event {
            Event::PriceChange => self.price_change(text, out),
            Event::Book => self.book(text, out),
            Event::Ticks => self.ticks(text, out),
            Event::Best | Event::Trade | Event::Resolved => {
                // These carry no level: what can't be read of them costs no book.
                if let Err(error) = self.said_about_market(&event, text, out) {
                    self.complain(complaint(&error), &error.to_string(), out);
                }
                return;
            }
            Event::NewMarket => Ok(()),
            Event::Unknown(name) => {
                let what = if name.is_empty() {
                    "a frame without event_type".to_owned()
                } else {
                    format!("an unknown event_type: {name}")
                };
                self.complain(format!("event {name}"), &what, out);
                Ok(())
            }
        };
        if let Err(error) = done {
            self.unreadable(text, &error, now, out);
        }
    }

    /// A frame with levels can't be read: what it names is lost, and if it names nothing that is
    /// watched and is not even JSON, any book may have missed something.
    fn unreadable(&mut self, text: &str, error: &Error, now: Timestamp, out: &mut Output) {
        self.complain(complaint(error), &error.to_string(), out);
        let named = self.roster.named_in(text);
        for market in &named {
            self.lose(*market, Loss::Broken, out);
        }
        let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if named.is_empty() && !is_json() {
            match self.phase {
                Phase::Open(_) => self.give_up(Loss::Broken, "a frame that is not JSON", now, out),
                _ => out.updates.push(Update::LaneLost { lane: self.lane, why: Loss::Broken }),
            }
        }
    }

    fn price_change(&mut self, text: &str, out: &mut Output) -> Result<(), Error> {
        let roster = &self.roster;
        let source = parse::price_change(text, &|token| roster.place(token), &mut self.scratch)?;
        for run in self.scratch.changes.chunk_by(|a, b| a.market == b.market) {
            let Some(last) = run.last() else { continue };
            let market = last.market;
            out.updates.extend(run.iter().map(|change| Update::Set {
                market,
                side: change.side,
                price: change.price,
                quantity: change.quantity,
            }));
            // All entries of a frame tell the same best prices: those after the whole batch.
            if let Some(best) = last.best {
                out.updates.push(Update::Announced { market, bid: best.bid, ask: best.ask });
            }
            if let Some(entry) = self.roster.entry(market) {
                entry.newest = entry.newest.max(source);
            }
            out.updates.push(Update::Stamp { market, sequence: 0, source });
            out.updates.push(Update::Proof { market });
        }
        Ok(())
    }

    fn book(&mut self, text: &str, out: &mut Output) -> Result<(), Error> {
        let roster = &self.roster;
        let image = parse::book(text, &|token| roster.place(token), &mut self.scratch)?;
        let Some(place) = image.place else { return Ok(()) };
        let (market, source) = (place.market, image.source);
        let Some(entry) = self.roster.entry(market) else { return Ok(()) };
        if source.is_some() && source < entry.newest {
            return Ok(());
        }
        entry.newest = entry.newest.max(source);
        let was_asked = matches!(entry.image, Image::Asked { .. });
        entry.image = Image::Here;
        if was_asked {
            self.images_due = self.roster.due();
        }
        out.updates.push(Update::Snapshot { market, lane: self.lane });
        out.updates.extend(self.scratch.levels.iter().map(|(side, level)| Update::Set {
            market,
            side: *side,
            price: level.price,
            quantity: level.quantity,
        }));
        out.updates.push(Update::SnapshotEnd { market });
        out.updates.push(Update::Stamp { market, sequence: 0, source });
        Ok(())
    }

    fn ticks(&mut self, text: &str, out: &mut Output) -> Result<(), Error> {
        let Some(place) = self.roster.place(parse::asset(text, "tick_size_change")?) else {
            return Ok(());
        };
        out.updates.push(Update::TicksChanged { market: place.market });
        self.lose(place.market, Loss::Ticks, out);
        Ok(())
    }

    fn said_about_market(
        &mut self,
        event: &Event<'_>,
        text: &str,
        out: &mut Output,
    ) -> Result<(), Error> {
        match event {
            Event::Best => {
                let roster = &self.roster;
                let said = parse::best(text, &|token| roster.place(token))?;
                let Some((market, best, source)) = said else { return Ok(()) };
                let entry = self.roster.get(market);
                let is_late = source.is_some() && source < entry.and_then(|entry| entry.newest);
                let kept = entry.is_some_and(|entry| entry.image == Image::Here);
                if kept && !is_late {
                    out.updates.push(Update::Announced { market, bid: best.bid, ask: best.ask });
                    out.updates.push(Update::Proof { market });
                }
            }
            Event::Trade => {
                if let Some(place) = self.roster.place(parse::asset(text, "last_trade_price")?) {
                    out.updates.push(Update::Proof { market: place.market });
                }
            }
            _ => {
                let mut told: Option<MarketIndex> = None;
                for token in parse::resolved(text)? {
                    let Some(place) = self.roster.place(&token) else { continue };
                    if told == Some(place.market) {
                        continue;
                    }
                    let market = place.market;
                    told = Some(market);
                    // Known to be unreliable: enough to stop for, and to read the facts again,
                    // which then say what holds.
                    out.updates.push(Update::Trading { market, status: Status::Paused });
                    out.updates.push(Update::FactsChanged { market });
                }
            }
        }
        Ok(())
    }
}

/// The same complaint has the same key: what it is about and which field.
fn complaint(error: &Error) -> String {
    match error {
        Error::Malformed { what, field, .. } => format!("{what}: {field}"),
        other => other.to_string(),
    }
}
