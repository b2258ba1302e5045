//! The order desk: between the engine, the gateways and the journal, without I/O.
//!
//! Acts of the engine come in; calls to be carried go out, their answers come back, and what the
//! venues say returns to the engine as reports. An order leaves in one way only: its gateway names
//! it, the journal holds it durably, and then its call goes out. Orders that are decided on
//! together are made durable together: the journal writes the first while the second is signed.
//! Whoever carries the calls, a socket or a simulation, knows nothing of this.
//!
//! Budgets are known in advance: a call waits here until its venue's budget has room. An order
//! that opens something does not wait, its price would be old: it is reported as kept back.

mod acceptance;
mod asking;
mod counter;
mod emergency;
mod past;
mod placing;
mod queue;
mod reserve;
mod talk;
mod unpaid;
mod withdrawal;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::report::{Permission, Route};
use crate::domain::{IntentId, MarketIndex, Report, Timestamp, TradeId, Venue};
use crate::execute::{Act, Record};
use crate::journal::{Mark, Reply, Request};
use crate::venue::gateway::{
    Answer, Call, Class, Conversion, Gateway, Markets, Question, Subject, Taken,
};

pub use acceptance::Acceptance;
pub use asking::Rhythm;

use counter::{Counter, Released, Turn};
use placing::Sent;
use queue::{Batch, Ready};
use reserve::Reserve;
use unpaid::Unpaid;

pub use placing::ANSWER_MAX;

/// Where records are kept. What it cannot write stops new trades, and nothing else.
pub trait Keep: Send {
    /// Puts records behind those before them. They become durable soon, in order.
    fn append(&mut self, records: &[Record]) -> Result<(), String>;
    /// Puts records behind those before them, and returns when all are durable.
    fn commit(&mut self, records: &[Record]) -> Result<(), String>;
    /// Whether it can be written: asked from time to time after it could not.
    fn probe(&mut self) -> Result<(), String>;
    /// Says which market an index means in this process, before any record names it. What lasts no
    /// longer than the process needs no names.
    fn learn(&mut self, _index: MarketIndex, _venue: Venue, _id: &str) {}
    /// Keeps how far a listing of the past has been read, behind the records before it.
    fn mark(&mut self, _mark: Mark) {}
    /// Keeps requests that went out, for people to read.
    fn note_requests(&mut self, _requests: Vec<Request>) {}
    /// Keeps what came back, for people to read.
    fn note_reply(&mut self, _reply: Reply) {}
}

/// A call that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Whether the journal takes what it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Journal {
    /// It does.
    Whole,
    /// It does not, and why.
    Broken(String),
}

/// The desk.
pub struct Desk {
    counters: Vec<Counter>,
    keep: Box<dyn Keep>,
    /// Where each order of this journal went, and whether it may still be on its way.
    orders: BTreeMap<IntentId, Sent>,
    /// When this process began.
    began: Timestamp,
    /// Orders to be asked about once nothing of them can be on its way any more.
    doubtful: Vec<(Timestamp, IntentId)>,
    rhythm: Rhythm,
    journal: Journal,
    under_way: BTreeMap<CallId, Call>,
    /// Calls that place or cancel something and went out since the last tick.
    unnoted: Vec<(CallId, Timestamp)>,
    last_call: u64,
    /// Orders that are to be taken back with what was decided together.
    cancelling: Vec<IntentId>,
    /// Orders that the journal was given and may not hold durably yet.
    ready: Vec<Ready>,
    /// Trades of which an order could not be prepared, among what was decided together.
    unready: BTreeSet<TradeId>,
    /// Orders that the journal holds and that wait for a budget, in order.
    waiting: Vec<Batch>,
    /// What trades under way may still have to send.
    reserve: Reserve,
    taken: Taken,
    /// Calls to be carried, in order.
    pub outgoing: Vec<(CallId, Call)>,
    /// Markets that an order went to and that are not known to have paid.
    unpaid: Unpaid,
    /// Listings that were read whole, for the journal.
    marks: Vec<Mark>,
    /// What the venues said, for the engine.
    pub reports: Vec<Report>,
    /// What became of the journal since it was last asked, for the engine.
    pub journal_news: Vec<Journal>,
    /// What the venues' order routes showed of themselves, for the engine.
    pub routes: Vec<(Venue, Route)>,
    /// What a person may want to read.
    pub notices: Vec<(Venue, String)>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("under_way", &self.under_way.len())
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

/// Calls that may be under way at once.
const UNDER_WAY_MAX: usize = 10_000;

impl Desk {
    /// A desk for these gateways. `since` is from when on fills and payments are not yet known.
    pub fn new(
        gateways: Vec<Box<dyn Gateway>>,
        keep: Box<dyn Keep>,
        rhythm: Rhythm,
        since: Timestamp,
    ) -> Self {
        let counters = gateways.into_iter().map(|gateway| Counter::new(gateway, since)).collect();
        Self {
            counters,
            keep,
            orders: BTreeMap::new(),
            began: since,
            doubtful: Vec::new(),
            rhythm,
            journal: Journal::Whole,
            under_way: BTreeMap::new(),
            unnoted: Vec::new(),
            last_call: 0,
            cancelling: Vec::new(),
            ready: Vec::new(),
            unready: BTreeSet::new(),
            waiting: Vec::new(),
            reserve: Reserve::default(),
            taken: Taken::default(),
            unpaid: Unpaid::default(),
            marks: Vec::new(),
            outgoing: Vec::new(),
            reports: Vec::new(),
            journal_news: Vec::new(),
            routes: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Does what the engine wants done.
    pub fn act(&mut self, act: &Act, markets: &dyn Markets, now: Timestamp) {
        match act {
            Act::Write(record) => {
                let written = self.keep.append(std::slice::from_ref(record));
                self.note_journal(written);
                self.unpaid.hear(record);
                self.reserve.hear(record);
            }
            Act::Place(order) => self.place(order, markets, now),
            Act::Adopt { order, id } => self.adopt(order, id),
            Act::Cancel(intent) => self.cancelling.push(*intent),
            // Nobody but us has it.
            Act::Inquire(intent) if self.waits(*intent) => {}
            Act::Inquire(intent) => {
                let Some(venue) = self.venue_of(*intent) else { return };
                self.ask(venue, &Question::Order(*intent), markets, now);
            }
            Act::Review { venue, market } => {
                self.ask(*venue, &Question::Market(*market), markets, now);
            }
            Act::Merge { market, quantity, .. } => {
                let conversion = Conversion::Merge { market: *market, quantity: *quantity };
                self.convert(conversion, markets, now);
            }
            Act::Redeem { market } => {
                self.convert(Conversion::Redeem { market: *market }, markets, now);
            }
        }
    }

    /// Asks a venue's order routes whether they answer.
    pub fn probe(&mut self, venue: Venue, markets: &dyn Markets, now: Timestamp) {
        let mut taken = std::mem::take(&mut self.taken);
        if let Some(counter) = self.counter(venue) {
            counter.gateway.probe(now, &mut taken);
        }
        self.take(venue, taken, markets, now);
    }

    fn venue_of(&mut self, intent: IntentId) -> Option<Venue> {
        let known = self.orders.get(&intent).map(|sent| sent.venue);
        if known.is_none() {
            let text = format!("{intent} is not an order of this journal");
            self.notices.push((Venue::Kalshi, text));
        }
        known
    }

    /// Tells the journal which market an index means.
    pub fn learn(&mut self, index: MarketIndex, venue: Venue, id: &str) {
        self.keep.learn(index, venue, id);
    }

    /// Takes the answer to a call.
    pub fn answer(
        &mut self,
        id: CallId,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
    ) {
        self.keep_requests();
        let Some(call) = self.under_way.remove(&id) else { return };
        self.keep_reply(id, call.class, answer, now);
        self.note_end(&call.subject, answer, now);
        let mut taken = std::mem::take(&mut self.taken);
        if let Some(counter) = self.counter(call.venue) {
            counter.gateway.read(&call, answer, markets, now, &mut taken);
            counter.note_written(call.class, answer, now);
            if call.class == Class::Read {
                counter.note_read(answer, now);
            }
            counter.take_budgets();
            if let Some(left) = taken.left.take() {
                counter.note_left(call.class, left, now);
            }
        }
        self.take(call.venue, taken, markets, now);
    }

    /// Takes a frame of a private channel.
    pub fn private(&mut self, venue: Venue, text: &str, markets: &dyn Markets, now: Timestamp) {
        let mut taken = std::mem::take(&mut self.taken);
        if let Some(counter) = self.counter(venue) {
            counter.gateway.read_private(text, markets, now, &mut taken);
        }
        self.take(venue, taken, markets, now);
    }

    /// A private channel is up again: what it missed is read.
    pub fn private_live(&mut self, venue: Venue, markets: &dyn Markets, now: Timestamp) {
        if let Some(counter) = self.counter(venue) {
            counter.due.reconcile = now;
        }
        self.reconcile(venue, markets, now);
    }

    /// Does what is due.
    pub fn tick(&mut self, markets: &dyn Markets, now: Timestamp) {
        self.take_back(markets, now);
        if matches!(self.journal, Journal::Broken(_)) {
            let probed = self.keep.probe();
            self.note_journal(probed);
        }
        self.keep_requests();
        // What the listings told has been heard and is in the journal, in front of the marks.
        for mark in std::mem::take(&mut self.marks) {
            self.keep.mark(mark);
        }
        self.ask_about_doubtful(markets, now);
        for venue in Venue::ALL {
            let mut taken = std::mem::take(&mut self.taken);
            if let Some(counter) = self.counter(venue) {
                counter.gateway.tick(now, &mut taken);
            }
            self.take(venue, taken, markets, now);
            self.reconcile(venue, markets, now);
            self.release(venue, markets, now);
        }
        self.release_orders(now);
    }

    /// How many calls, and orders that leave together, are under way or wait for a budget.
    pub fn pending(&self) -> usize {
        let waiting = self.counters.iter().map(|one| one.waiting().count()).sum::<usize>();
        self.under_way.len() + waiting + self.waiting.len()
    }

    /// How many cancels are under way or wait for a budget, and how many orders are looked for to
    /// be cancelled.
    pub fn cancels(&self) -> usize {
        let waiting = self.counters.iter().flat_map(Counter::waiting);
        let calls = self.under_way.values().chain(waiting);
        calls.filter(|call| is_to_cancel(call)).count() + self.cancelling.len()
    }

    /// Whether the journal takes what it is given.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    fn counter(&mut self, venue: Venue) -> Option<&mut Counter> {
        self.counters.iter_mut().find(|counter| counter.gateway.venue() == venue)
    }

    fn with<T>(
        &mut self,
        venue: Venue,
        call: impl FnOnce(&mut dyn Gateway) -> Result<T, crate::venue::Error>,
    ) -> Result<T, String> {
        match self.counter(venue) {
            Some(counter) => call(&mut *counter.gateway).map_err(|error| error.to_string()),
            None => Err(format!("there is no gateway to {venue}")),
        }
    }

    fn send(&mut self, call: Call, now: Timestamp) {
        self.last_call += 1;
        let id = CallId(self.last_call);
        self.note_sent(id, call.class, now);
        self.under_way.insert(id, call.clone());
        self.outgoing.push((id, call));
    }

    fn convert(&mut self, conversion: Conversion, markets: &dyn Markets, now: Timestamp) {
        let mut taken = std::mem::take(&mut self.taken);
        if let Some(counter) = self.counter(Venue::Polymarket) {
            counter.gateway.convert(conversion, markets, now, &mut taken);
        }
        self.take(Venue::Polymarket, taken, markets, now);
    }

    /// Sends a call that may wait, or lets it wait.
    fn offer(
        &mut self,
        venue: Venue,
        call: Result<Call, String>,
        turn: Turn,
        markets: &dyn Markets,
        now: Timestamp,
    ) {
        match call {
            Ok(call) => {
                if let Some(counter) = self.counter(venue) {
                    counter.queue(call, turn, now);
                }
                self.release(venue, markets, now);
            }
            Err(text) => self.notices.push((venue, text)),
        }
    }

    /// Sends what waits, as far as the budgets reach. Of what waited too long, cancels are made
    /// anew; the rest is dropped, to be asked again by whoever still wants to know. What may be a
    /// part of a reading of the account makes the whole of it due again.
    fn release(&mut self, venue: Venue, markets: &dyn Markets, now: Timestamp) {
        let room = UNDER_WAY_MAX.saturating_sub(self.under_way.len());
        let Some(counter) = self.counter(venue) else { return };
        let Released { free, expired } = counter.release(room, now);
        for call in free {
            self.send(call, now);
        }
        let (mut dropped, mut parts) = (0, 0);
        let mut anew = Vec::new();
        for call in expired {
            match call.subject {
                Subject::Cancel(intent) | Subject::Seek(intent, _) => anew.push(Some(intent)),
                Subject::Cancels(intents) => anew.extend(intents.into_iter().map(Some)),
                Subject::Everything => anew.push(None),
                Subject::Other(..) if call.class == Class::Read => parts += 1,
                _ => dropped += 1,
            }
        }
        for intent in anew {
            let made = self.with(venue, |gateway| match intent {
                Some(intent) => gateway.cancel(intent, markets, now),
                None => gateway.cancel_everything(now),
            });
            match (made, self.counter(venue)) {
                (Ok(call), Some(counter)) => counter.queue(call, Turn::First, now),
                (Ok(_), None) => {}
                (Err(text), _) => self.notices.push((venue, text)),
            }
        }
        if parts > 0
            && let Some(counter) = self.counter(venue)
        {
            counter.read_again(now);
        }
        if dropped + parts > 0 {
            let dropped = dropped + parts;
            let text = format!("{dropped} questions waited too long for a budget and are dropped");
            self.notices.push((venue, text));
        }
    }

    fn take(&mut self, venue: Venue, mut taken: Taken, markets: &dyn Markets, now: Timestamp) {
        for report in taken.reports.drain(..) {
            if self.is_early(&report) {
                continue;
            }
            if let Report::Permission {
                venue,
                permission: Permission::ReadOnly(why) | Permission::OpenBut { why, .. },
            } = &report
            {
                self.notices.push((*venue, why.clone()));
            }
            if let Report::Permission { venue, permission } = &report {
                let Rhythm { permission_every, permission_again, .. } = self.rhythm;
                if let Some(counter) = self.counter(*venue) {
                    let due = &mut counter.due.permission;
                    // A no may be an answer that was lost, also one of a round that was overtaken.
                    *due = match permission.is_open() {
                        true => now.after(permission_every),
                        false => (*due).min(now.after(permission_again)),
                    };
                }
            }
            self.reports.push(report);
        }
        for (listing, until) in taken.whole.drain(..) {
            if let Some(counter) = self.counter(venue) {
                counter.due.read(listing, until);
            }
            self.marks.push(Mark { venue, listing, until });
        }
        self.routes.extend(taken.route.take().map(|route| (venue, route)));
        self.notices.extend(taken.notices.drain(..).map(|text| (venue, text)));
        let calls = std::mem::take(&mut taken.calls);
        self.taken = taken;
        for call in calls {
            self.offer(venue, Ok(call), Turn::Next, markets, now);
        }
    }

    fn note_journal(&mut self, written: Result<(), String>) {
        let state = match written {
            Ok(()) => Journal::Whole,
            Err(why) => Journal::Broken(why),
        };
        if std::mem::discriminant(&state) != std::mem::discriminant(&self.journal) {
            self.journal_news.push(state.clone());
        }
        self.journal = state;
    }
}

/// Whether orders are cancelled by this, or by what follows from its answer. Not all that is
/// charged like a cancel is one: no end waits for a sign of life, or for a brake to be set.
const fn is_to_cancel(call: &Call) -> bool {
    match call.subject {
        Subject::Cancel(_) | Subject::Cancels(_) | Subject::Everything | Subject::Seek(..) => true,
        Subject::Place(_)
        | Subject::Places(_)
        | Subject::Decrease(..)
        | Subject::Amend(..)
        | Subject::Order(_)
        | Subject::Other(..) => false,
    }
}

#[cfg(test)]
mod tests;
