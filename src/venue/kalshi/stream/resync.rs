//! Asking for books: subscriptions, images on demand, and the ladder of remedies.

use crate::book::{Loss, Update};
use crate::domain::{MarketIndex, Timestamp};
use crate::venue::{Notice, Output};

use super::super::encode::{self, Change};
use super::session::{Ladder, Order, Rung, Session, Subscription};
use super::table::Image;
use super::{Link, Stream};

impl Stream {
    /// Asks for the first frame's worth of books; the acknowledgement brings the rest.
    pub(super) fn subscribe_books(&mut self, now: Timestamp, out: &mut Output) {
        if self.table.is_empty() {
            return;
        }
        let id = self.command_id();
        let by = now.after(self.settings.snapshot_deadline);
        let limit = self.settings.markets_per_frame.max(1);
        let Link::Open(session) = &mut self.link else { return };
        let mut names: Vec<&str> = Vec::with_capacity(limit.min(self.table.len()));
        for (place, row) in self.table.rows_mut().iter_mut().enumerate() {
            row.asked = place < limit;
            if row.image != Image::Resyncing {
                row.image = Image::Awaited { by: if row.asked { by } else { Timestamp::MAX } };
            }
            if row.asked {
                names.push(&row.ticker);
            }
        }
        out.frames.push(encode::encode_subscribe_books(id, &names, self.settings.price_mode));
        session.books = Subscription::Asked { id, by };
        session.check_at(by);
    }

    /// Asks for the lives of markets.
    pub(super) fn subscribe_lifecycle(&mut self, now: Timestamp, out: &mut Output) {
        let id = self.command_id();
        let by = now.after(self.settings.snapshot_deadline);
        if let Link::Open(session) = &mut self.link {
            session.lifecycle = Subscription::Asked { id, by };
            out.frames.push(encode::encode_subscribe_lifecycle(id));
        }
    }

    /// The lifecycle subscription failed; the books go on without it.
    pub(super) fn lifecycle_failed(&mut self, now: Timestamp) {
        let Link::Open(session) = &self.link else { return };
        let retry_at = now.after(self.patience(session.lifecycle_failures));
        if let Link::Open(session) = &mut self.link {
            session.lifecycle_failures = session.lifecycle_failures.saturating_add(1);
            session.lifecycle = Subscription::Idle { retry_at };
        }
    }

    /// The book subscription is live: what did not fit into the first frame follows.
    pub(super) fn books_are_live(&mut self, sid: u64, now: Timestamp, out: &mut Output) {
        let lane = self.lane();
        let Link::Open(session) = &mut self.link else { return };
        session.books = Subscription::Live { sid, order: Order::default() };
        if !std::mem::replace(&mut session.announced, true) {
            out.notices.push(Notice::Live { lane });
        }
        let leftovers = std::mem::take(&mut session.leftovers);
        if self.table.is_empty() {
            self.unsubscribe_books(out);
            return;
        }
        self.send_change(Change::DeleteMarkets, &leftovers, out);
        self.ask_unasked(now, out);
    }

    /// Adds the markets that the live subscription has not been told of.
    pub(super) fn ask_unasked(&mut self, now: Timestamp, out: &mut Output) {
        let by = now.after(self.settings.snapshot_deadline);
        let mut tickers = Vec::new();
        for row in self.table.rows_mut().iter_mut().filter(|row| !row.asked) {
            row.asked = true;
            if row.image != Image::Resyncing {
                row.image = Image::Awaited { by };
            }
            tickers.push(row.ticker.clone());
        }
        if !tickers.is_empty() {
            self.send_change(Change::AddMarkets, &tickers, out);
            self.check_at(by);
        }
    }

    /// Ends the book subscription because there is nothing left to bring.
    pub(super) fn unsubscribe_books(&mut self, out: &mut Output) {
        let id = self.command_id();
        let Link::Open(session) = &mut self.link else { return };
        session.ladder = None;
        if let Some(sid) = session.retire_books() {
            out.frames.push(encode::encode_unsubscribe(id, sid));
        }
    }

    /// Asks for the image of one market, at most once within a deadline; otherwise its deadline
    /// brings it back.
    pub(super) fn ask_alone(&mut self, market: MarketIndex, now: Timestamp, out: &mut Output) {
        let patience = self.settings.snapshot_deadline;
        let Some(row) = self.table.of_market_mut(market) else { return };
        if row.image != Image::Here {
            return;
        }
        let by = now.after(patience);
        row.image = Image::Awaited { by };
        let allowed = row.asked_alone.after(patience) <= now;
        if allowed {
            row.asked_alone = now;
            let ticker = row.ticker.clone();
            self.send_change(Change::GetSnapshot, &[ticker], out);
        }
        self.check_at(by);
    }

    /// The lane lost its books: they are gone at once, and the next remedy is tried.
    pub(super) fn lose_lane(&mut self, why: Loss, now: Timestamp, out: &mut Output) {
        out.updates.push(Update::LaneLost { lane: self.lane(), why });
        self.counts.gaps += 1;
        if matches!(self.link, Link::Passive { .. }) {
            self.table.lose(Image::Awaited { by: Timestamp::MAX });
            return;
        }
        self.table.lose(Image::Resyncing);
        let missing = self.table.resyncing();
        let Link::Open(session) = &mut self.link else { return };
        match session.ladder {
            _ if missing == 0 => session.ladder = None,
            Some(ladder) => self.climb(ladder.rung, now, out),
            None => self.ask_images(missing, now, out),
        }
    }

    /// The first rung: a new image of every lost book.
    fn ask_images(&mut self, missing: usize, now: Timestamp, out: &mut Output) {
        let by = now.after(self.settings.snapshot_deadline);
        let lost = |row: &&super::table::Row| row.image == Image::Resyncing;
        let tickers: Vec<Box<str>> =
            self.table.rows().iter().filter(lost).map(|row| row.ticker.clone()).collect();
        self.send_change(Change::GetSnapshot, &tickers, out);
        if let Link::Open(session) = &mut self.link {
            session.ladder = Some(Ladder { rung: Rung::Snapshots, by, missing });
        }
    }

    /// The rung after this one.
    fn climb(&mut self, from: Rung, now: Timestamp, out: &mut Output) {
        match from {
            Rung::Snapshots => self.resubscribe(now, out),
            Rung::Resubscribe => {
                let reason = "kalshi did not bring back every book".to_owned();
                self.give_up(reason, Loss::Gap, out);
            }
        }
    }

    /// The second rung: a new subscription for everything. The caller has told that every book of
    /// the lane is lost, and each that was here is missed until its image comes back.
    fn resubscribe(&mut self, now: Timestamp, out: &mut Output) {
        let id = self.command_id();
        let by = now.after(self.settings.snapshot_deadline);
        let missing = self.table.resyncing();
        let Link::Open(session) = &mut self.link else { return };
        if session.retired.len() >= Self::RESUBSCRIBES_MAX {
            let reason = format!("{} subscriptions failed", Self::RESUBSCRIBES_MAX);
            self.give_up(reason, Loss::Gap, out);
            return;
        }
        let rung = Rung::Resubscribe;
        session.ladder = (missing > 0).then_some(Ladder { rung, by, missing });
        if let Some(sid) = session.retire_books() {
            out.frames.push(encode::encode_unsubscribe(id, sid));
        }
        self.subscribe_books(now, out);
    }

    /// The venue ended the book subscription.
    pub(super) fn books_terminated(&mut self, now: Timestamp, out: &mut Output) {
        out.updates.push(Update::LaneLost { lane: self.lane(), why: Loss::Terminated });
        self.counts.gaps += 1;
        if matches!(self.link, Link::Passive { .. }) {
            self.table.lose(Image::Awaited { by: Timestamp::MAX });
            return;
        }
        self.table.lose(Image::Resyncing);
        let Link::Open(session) = &self.link else { return };
        match session.ladder {
            Some(Ladder { rung: Rung::Resubscribe, .. }) => {
                self.climb(Rung::Resubscribe, now, out);
            }
            _ => self.resubscribe(now, out),
        }
    }

    /// Whatever of the session is due.
    pub(super) fn on_due(&mut self, now: Timestamp, out: &mut Output) {
        let Link::Open(session) = &self.link else { return };
        if matches!(session.books, Subscription::Asked { by, .. } if by <= now) {
            let reason = "kalshi did not acknowledge the subscription".to_owned();
            self.give_up(reason, Loss::NoSnapshot, out);
            return;
        }
        match session.lifecycle {
            Subscription::Asked { by, .. } if by <= now => self.lifecycle_failed(now),
            Subscription::Idle { retry_at } if retry_at <= now => {
                self.subscribe_lifecycle(now, out);
            }
            _ => {}
        }
        self.climb_if_due(now, out);
        self.miss_images(now, out);
    }

    fn climb_if_due(&mut self, now: Timestamp, out: &mut Output) {
        let Link::Open(Session { ladder: Some(ladder), .. }) = &self.link else { return };
        let rung = ladder.rung;
        if ladder.by > now {
            return;
        }
        if rung == Rung::Snapshots {
            // The books that came back end with their subscription: what changes from here on
            // until their next image is missed.
            out.updates.push(Update::LaneLost { lane: self.lane(), why: Loss::Gap });
            self.table.lose(Image::Resyncing);
        }
        self.climb(rung, now, out);
    }

    /// Reports the markets whose image is overdue and asks for them anew, one by one: the others
    /// are not touched.
    fn miss_images(&mut self, now: Timestamp, out: &mut Output) {
        let Link::Open(session) = &self.link else { return };
        if session.next_check > now {
            return;
        }
        let base = self.settings.snapshot_deadline;
        let (mut tickers, mut next) = (Vec::new(), Timestamp::MAX);
        for row in self.table.rows_mut() {
            let Image::Awaited { by } = row.image else { continue };
            if by > now {
                next = next.min(by);
                continue;
            }
            row.missed = row.missed.saturating_add(1);
            let doublings = row.missed.min(Self::PATIENCE_DOUBLINGS_MAX);
            let by = now.after(base.saturating_mul(1 << doublings));
            row.image = Image::Awaited { by };
            next = next.min(by);
            tickers.push(row.ticker.clone());
            out.notices.push(Notice::NoSnapshot { market: row.market });
            out.updates.push(Update::Lost { market: row.market, why: Loss::NoSnapshot });
        }
        if let Link::Open(session) = &mut self.link {
            session.next_check = next;
        }
        self.send_change(Change::DeleteMarkets, &tickers, out);
        self.send_change(Change::AddMarkets, &tickers, out);
    }

    fn check_at(&mut self, at: Timestamp) {
        if let Link::Open(session) = &mut self.link {
            session.check_at(at);
        }
    }
}
