//! What each frame does to the session and to the books.

use crate::book::{Loss, Stamped, Update};
use crate::domain::Timestamp;
use crate::domain::market::Status;
use crate::venue::{Notice, Output};

use super::super::encode;
use super::super::error::{Remedy, remedy};
use super::super::parse::{
    self, Broken, Delta, Frame, FrameKind, Lifecycle, PriceMode, Snapshot, tame,
};
use super::session::{Order, Step, Subscription};
use super::table::Image;
use super::{Link, Sequence, Stream};

impl Stream {
    pub(super) fn take_frame(&mut self, text: &str, now: Timestamp, out: &mut Output) {
        match parse::frame(text) {
            Ok(Frame::Delta(delta)) => self.on_delta(&delta, now, out),
            Ok(Frame::Snapshot(snapshot)) => self.on_snapshot(&snapshot, now, out),
            Ok(Frame::Subscribed { id, channel, sid }) => {
                self.on_subscribed(id, &channel, sid, now, out);
            }
            Ok(Frame::Unsubscribed { sid, seq }) => self.on_unsubscribed(sid, seq, now, out),
            Ok(Frame::Failed { id, sid, seq, code, text }) => {
                let text = tame(&text);
                out.notices.push(Notice::VenueError { lane: self.lane(), code, text });
                if self.count(sid, seq, now, out) {
                    self.on_failed(id, sid, code, now, out);
                }
            }
            Ok(Frame::Lifecycle(event)) => {
                if self.count(event.sid, event.seq, now, out) {
                    self.on_lifecycle(&event, out);
                }
            }
            Ok(Frame::FeeUpdate { sid, seq, event_ticker }) => {
                if self.count(sid, seq, now, out) {
                    self.on_fee_update(&event_ticker, out);
                }
            }
            Ok(Frame::Other { sid, seq }) => {
                self.count(sid, seq, now, out);
            }
            Err(broken) => self.on_broken(&broken, now, out),
        }
    }

    fn on_delta(&mut self, delta: &Delta<'_>, now: Timestamp, out: &mut Output) {
        self.counts.deltas += 1;
        if !self.take_book_frame(delta.sid, delta.seq, now, out) {
            return;
        }
        let mode = self.settings.price_mode;
        let Some(row) = self.table.of_ticker(&delta.ticker) else {
            self.prove_lane(out);
            return;
        };
        row.counts.frames += 1;
        row.counts.deltas += 1;
        let market = row.market;
        if row.image == Image::Here {
            let (side, price) = mode.place(delta.leg, delta.price);
            let (sequence, source) = (delta.seq, delta.source);
            out.updates.push(Update::Change { market, side, price, change: delta.change });
            out.updates.push(Update::Stamp { kind: Stamped::Change, market, sequence, source });
            if !self.prove_lane(out) {
                out.updates.push(Update::Proof { market });
            }
        } else {
            self.prove_lane(out);
        }
    }

    fn on_snapshot(&mut self, snapshot: &Snapshot<'_>, now: Timestamp, out: &mut Output) {
        self.counts.snapshots += 1;
        if !self.take_book_frame(snapshot.sid, snapshot.seq, now, out) {
            return;
        }
        let (mode, lane) = (self.settings.price_mode, self.lane());
        if let Some(row) = self.table.of_ticker(&snapshot.ticker) {
            row.counts.frames += 1;
            row.counts.snapshots += 1;
            row.missed = 0;
            let was = std::mem::replace(&mut row.image, Image::Here);
            push_image(row.market, lane, mode, snapshot, out);
            if let Link::Open(session) = &mut self.link {
                session.imaged = true;
                if was == Image::Resyncing {
                    session.found();
                }
            }
        }
        self.prove_lane(out);
    }

    /// Proof for every book of the lane, unless books that it lost are still missing.
    pub(super) fn prove_lane(&self, out: &mut Output) -> bool {
        let sound = match &self.link {
            Link::Open(session) => session.ladder.is_none(),
            Link::Passive { .. } => true,
            Link::Down { .. } | Link::Connecting | Link::Closing { .. } => false,
        };
        if sound {
            out.updates.push(Update::LaneProof { lane: self.lane() });
        }
        sound
    }

    /// Takes the place of a frame about a book. Whether the frame may be looked at: frames of
    /// subscriptions that were given up may not.
    fn take_book_frame(&mut self, sid: u64, seq: u64, now: Timestamp, out: &mut Output) -> bool {
        match &mut self.link {
            Link::Open(session) => match session.books {
                Subscription::Live { sid: ours, .. } if ours == sid => {}
                // The frame overtook its acknowledgement.
                Subscription::Asked { .. } if !session.retired.contains(&sid) => {
                    self.books_are_live(sid, now, out);
                }
                _ => return false,
            },
            Link::Passive { orders, .. } => {
                if !orders.iter().any(|(known, _)| *known == sid) {
                    if orders.len() == Self::REPLAYED_SUBSCRIPTIONS_MAX {
                        orders.remove(0);
                    }
                    orders.push((sid, Order::default()));
                }
            }
            Link::Down { .. } | Link::Connecting | Link::Closing { .. } => return false,
        }
        self.take_book_place(sid, seq, now, out)
    }

    /// Takes a number in the order of a book subscription. Whether the session goes on.
    fn take_book_place(&mut self, sid: u64, seq: u64, now: Timestamp, out: &mut Output) -> bool {
        let (step, sequence) = match &mut self.link {
            Link::Open(session) => match &mut session.books {
                Subscription::Live { sid: ours, order } if *ours == sid => {
                    (order.take(seq), Sequence::Checked)
                }
                _ => return true,
            },
            Link::Passive { sequence, orders } => {
                match orders.iter_mut().find(|(known, _)| *known == sid) {
                    Some((_, order)) => (order.take(seq), *sequence),
                    None => return true,
                }
            }
            Link::Down { .. } | Link::Connecting | Link::Closing { .. } => return false,
        };
        match (step, sequence) {
            (Step::Due, _) => {}
            (Step::Jump { .. }, Sequence::Ignored) => self.counts.jumps += 1,
            (Step::Jump { expected }, Sequence::Checked) => {
                out.notices.push(Notice::Gap { lane: self.lane(), expected, found: seq });
                self.lose_lane(Loss::Gap, now, out);
            }
        }
        !matches!(self.link, Link::Closing { .. })
    }

    /// Counts a frame that is not about a book: answers to commands take a number too. Whether the
    /// session goes on.
    fn count(
        &mut self,
        sid: Option<u64>,
        seq: Option<u64>,
        now: Timestamp,
        out: &mut Output,
    ) -> bool {
        let (Some(sid), Some(seq)) = (sid, seq) else { return true };
        if self.is_books(sid) {
            let goes_on = self.take_book_place(sid, seq, now, out);
            if goes_on {
                self.prove_lane(out);
            }
            return goes_on;
        }
        let lane = self.lane();
        if let Link::Open(session) = &mut self.link
            && let Subscription::Live { sid: ours, order } = &mut session.lifecycle
            && *ours == sid
            && let Step::Jump { expected } = order.take(seq)
        {
            let what = format!(
                "kalshi skipped from {expected} to {seq} in market_lifecycle_v2: reading facts anew"
            );
            out.notices.push(Notice::Strange { lane, what });
            self.read_facts_anew(out);
        }
        true
    }

    /// What was said of markets while nobody listened is not said again.
    fn read_facts_anew(&self, out: &mut Output) {
        for row in self.table.rows() {
            out.updates.push(Update::FactsMissed { market: row.market });
        }
    }

    fn is_books(&self, sid: u64) -> bool {
        match &self.link {
            Link::Open(session) => session.books.sid() == Some(sid),
            Link::Passive { orders, .. } => orders.iter().any(|(known, _)| *known == sid),
            Link::Down { .. } | Link::Connecting | Link::Closing { .. } => false,
        }
    }

    fn on_subscribed(
        &mut self,
        id: Option<u64>,
        channel: &str,
        sid: u64,
        now: Timestamp,
        out: &mut Output,
    ) {
        match (channel, &mut self.link) {
            (encode::BOOKS, Link::Open(session)) if session.books.was_asked_by(id) => {
                self.books_are_live(sid, now, out);
            }
            (encode::LIFECYCLE, Link::Open(session)) if session.lifecycle.was_asked_by(id) => {
                session.lifecycle = Subscription::Live { sid, order: Order::default() };
                session.lifecycle_failures = 0;
                if std::mem::replace(&mut self.had_lifecycle, true) {
                    self.read_facts_anew(out);
                }
            }
            (encode::BOOKS, Link::Passive { orders, .. }) => {
                // The recorder subscribed anew: what it had is of another connection.
                let before = orders.len();
                orders.retain(|(known, _)| *known != sid);
                if orders.len() < before {
                    let lane = self.lane();
                    self.table.lose(Image::Awaited { by: Timestamp::MAX });
                    out.updates.push(Update::LaneLost { lane, why: Loss::Disconnected });
                }
            }
            _ => {}
        }
    }

    fn on_unsubscribed(
        &mut self,
        sid: Option<u64>,
        seq: Option<u64>,
        now: Timestamp,
        out: &mut Output,
    ) {
        let Some(sid) = sid else { return };
        if self.is_books(sid) {
            // What we end ourselves is retired before it is answered: this one the venue ended.
            self.books_terminated(now, out);
            return;
        }
        self.count(Some(sid), seq, now, out);
        if matches!(&self.link, Link::Open(session) if session.lifecycle.sid() == Some(sid)) {
            self.lifecycle_failed(now);
        }
    }

    fn on_failed(
        &mut self,
        id: Option<u64>,
        sid: Option<u64>,
        code: i64,
        now: Timestamp,
        out: &mut Output,
    ) {
        let Link::Open(session) = &self.link else {
            if remedy(code) == Remedy::Resubscribe && sid.is_none_or(|sid| self.is_books(sid)) {
                self.books_terminated(now, out);
            }
            return;
        };
        let of_lifecycle =
            session.lifecycle.was_asked_by(id) || (sid.is_some() && session.lifecycle.sid() == sid);
        let refused_books = session.books.was_asked_by(id);
        let of_books = sid.is_none_or(|sid| session.books.sid() == Some(sid));
        match remedy(code) {
            Remedy::Reconnect => {
                let reason = format!(
                    "kalshi asked for authentication (error {code}): check the key id, the key \
                     file and this machine's clock"
                );
                self.give_up(reason, Loss::Terminated, out);
            }
            Remedy::Resubscribe | Remedy::Nothing if of_lifecycle => self.lifecycle_failed(now),
            Remedy::Resubscribe | Remedy::Nothing if refused_books => {
                let reason = format!("kalshi refused the book subscription (error {code})");
                self.give_up(reason, Loss::Terminated, out);
            }
            Remedy::Resubscribe if of_books => self.books_terminated(now, out),
            // A command that failed leaves images missing, and their deadline brings them back.
            Remedy::Resubscribe | Remedy::Nothing => {}
        }
    }

    fn on_lifecycle(&mut self, event: &Lifecycle<'_>, out: &mut Output) {
        let Some(row) = self.table.of_ticker(&event.ticker) else { return };
        let market = row.market;
        row.counts.frames += 1;
        out.updates.push(match &*event.event {
            "activated" => Update::Trading { market, status: Status::Open },
            "deactivated" => Update::Trading { market, status: Status::Paused },
            "determined" | "settled" => Update::Trading { market, status: Status::Closed },
            "price_level_structure_updated" => Update::TicksChanged { market },
            "created" => return,
            // Close time, wording, or an event that is not known: what was read may be outdated.
            _ => Update::FactsChanged { market },
        });
    }

    /// A market's ticker is its event's and a suffix.
    fn on_fee_update(&self, event_ticker: &str, out: &mut Output) {
        for row in self.table.rows() {
            let suffix = row.ticker.strip_prefix(event_ticker);
            if suffix.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
                out.updates.push(Update::FactsChanged { market: row.market });
            }
        }
    }

    /// A frame that makes no sense costs the book it names, or all books if it can't be placed.
    fn on_broken(&mut self, broken: &Broken, now: Timestamp, out: &mut Output) {
        let what = tame(&broken.error.to_string());
        out.notices.push(Notice::Strange { lane: self.lane(), what });
        if let Link::Open(session) = &mut self.link {
            session.strange += 1;
            if session.strange >= Self::STRANGE_MAX {
                let reason = format!("kalshi sent {} broken frames", Self::STRANGE_MAX);
                self.give_up(reason, Loss::Broken, out);
                return;
            }
        }
        let about_books =
            matches!(broken.kind, None | Some(FrameKind::Snapshot | FrameKind::Delta));
        if !about_books {
            self.count(broken.sid, broken.seq, now, out);
            return;
        }
        let placed = match (broken.sid, broken.seq) {
            (Some(sid), Some(seq)) => {
                if !self.take_book_frame(sid, seq, now, out) {
                    return;
                }
                true
            }
            _ => false,
        };
        match &broken.ticker {
            Some(ticker) if placed => self.lose_one(ticker, now, out),
            Some(_) | None => {
                if !placed {
                    self.restart_order();
                }
                self.lose_lane(Loss::Broken, now, out);
            }
        }
    }

    /// A frame whose number could not be read may have taken one: the next frame is a new start,
    /// not a second loss. Every book is lost already, so nothing is missed by it.
    fn restart_order(&mut self) {
        match &mut self.link {
            Link::Open(session) => {
                if let Subscription::Live { order, .. } = &mut session.books {
                    *order = Order::default();
                }
            }
            Link::Passive { orders, .. } => {
                orders.iter_mut().for_each(|(_, order)| *order = Order::default());
            }
            Link::Down { .. } | Link::Connecting | Link::Closing { .. } => {}
        }
    }

    fn lose_one(&mut self, ticker: &str, now: Timestamp, out: &mut Output) {
        let Some(row) = self.table.of_ticker(ticker) else { return };
        row.counts.frames += 1;
        let market = row.market;
        out.updates.push(Update::Lost { market, why: Loss::Broken });
        match self.link {
            Link::Open(_) => self.ask_alone(market, now, out),
            _ if row.image == Image::Here => row.image = Image::Awaited { by: Timestamp::MAX },
            _ => {}
        }
    }
}

fn push_image(
    market: crate::domain::MarketIndex,
    lane: crate::book::Lane,
    mode: PriceMode,
    snapshot: &Snapshot<'_>,
    out: &mut Output,
) {
    out.updates.push(Update::Snapshot { market, lane });
    for level in &snapshot.levels {
        let (side, price) = mode.place(level.leg, level.price);
        out.updates.push(Update::Set { market, side, price, quantity: level.quantity });
    }
    out.updates.push(Update::SnapshotEnd { market });
    let (sequence, source) = (snapshot.seq, snapshot.source);
    out.updates.push(Update::Stamp { kind: Stamped::Image, market, sequence, source });
}
