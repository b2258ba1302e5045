//! One run: the process, both exchanges, and everything that is under way between them.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbook::app::desk::CallId;
use crossbook::app::pipeline::{Input, Pipeline};
use crossbook::book::Lane;
use crossbook::domain::{Market, Money, Timestamp, Venue};
use crossbook::engine::event::Command;
use crossbook::exchange::dice::Dice;
use crossbook::exchange::faults::Fault;
use crossbook::exchange::polymarket::ApiKey;
use crossbook::exchange::{Connection, Reply};
use crossbook::execute::Scope;
use crossbook::venue::Handshake;
use crossbook::venue::gateway::Call;
use crossbook::venue::kalshi::rest::Client;

use crate::harness::client::{self, Carrier};
use crate::harness::clock;

use super::belief::Watch;
use super::calls::Told;
use super::draw::{Blow, End, Odds, Script, Strike, WARM};
use super::early::Early;
use super::oracle::Oracle;
use super::paper::{Ended, Paper};
use super::process;
use super::venues::Venues;
use super::{Failure, Outcome};

const START: &str = "2026-11-22T00:00:00Z";
/// What a person of the swarm says of a halt.
pub(super) const ASKED: &str = "asked for by the swarm";
/// A command for a process that does not run is given again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// From the start of a process to the moment at which a person lifts a halt.
const LOOKS: Duration = Duration::from_secs(3);
/// The floors' pulse.
const BREATH: Duration = Duration::from_millis(250);
/// The exchanges' own timers.
const VENUE_TICK: Duration = Duration::from_millis(100);
/// The machine's timer, as the driver has it.
const TICK: Duration = Duration::from_millis(100);
/// A timer that is due again at once more often than this goes round in circles.
const TIMERS_AT_ONCE_MAX: usize = 64;
/// Rounds at one moment; more would never end.
const AT_ONCE_MAX: u32 = 10_000;
/// Lines of the log that are kept for whoever reads why a run failed.
const LOG_MAX: usize = 4_000;
/// Characters of a line that are kept.
const COLUMNS_MAX: usize = 700;

/// What happens at its time besides timers, wires and requests.
pub(super) enum Event {
    Dial(Lane, Handshake),
    Opened(Lane, Connection),
    Refused(Lane, Reply),
    Frame(Connection, String),
    Gone(Connection),
    Breathe,
    VenueTick,
    Tick,
    Confirm,
    Blow(usize),
    /// A call of the desk is at its exchange.
    Arrives(u32, CallId, Call, Option<Told>),
    /// A call of the desk has its answer, or has waited long enough.
    Answered(u32, CallId, Told),
    Resume,
    /// A person ends the process.
    Quit,
    JournalWhole,
    Clock(Venue, i64),
    Restart,
}

/// What a task over REST found out.
pub(super) enum Found {
    Market(Box<Market>),
    NoMarket(Venue, String),
    Books(Venue, String),
}

type Task = Pin<Box<dyn Future<Output = Found>>>;

/// Our end of a lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) connection: Option<Connection>,
    /// Frames to the server keep their order.
    pub(super) up_due: Timestamp,
}

/// What happened last, for people.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Option<VecDeque<String>>,
}

impl Log {
    pub(super) fn write(&mut self, now: Timestamp, line: impl FnOnce() -> String) {
        let Some(lines) = &mut self.lines else { return };
        if lines.len() == LOG_MAX {
            lines.pop_front();
        }
        let since = now.since(Timestamp::parse(START).unwrap()).as_millis();
        let mut line = line();
        if let Some((end, _)) = line.char_indices().nth(COLUMNS_MAX) {
            line.truncate(end);
        }
        lines.push_back(format!("{since:>7} {line}"));
    }
}

/// How the floors behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Busy,
    Refilling,
    Still,
}

pub(super) struct Run {
    pub(super) script: Script,
    pub(super) odds: Odds,
    pub(super) venues: Arc<Mutex<Venues>>,
    pub(super) kalshi: Arc<Client<Carrier<Venues>>>,
    pub(super) machine: Option<Pipeline>,
    /// Which process this is, from 1.
    pub(super) epoch: u32,
    pub(super) paper: Paper,
    pub(super) now: Timestamp,
    pub(super) started: Timestamp,
    events: BTreeMap<(Timestamp, u64), Event>,
    queued: u64,
    pub(super) lanes: Vec<Ends>,
    pub(super) tasks: Vec<Task>,
    /// Whether books are being read over REST.
    pub(super) confirming: bool,
    pub(super) mood: Mood,
    pub(super) dice: Dice,
    /// How the process ends, if it is to end at a send, and sends since that was decided.
    pub(super) end: Option<(End, u64)>,
    pub(super) restart_after: Duration,
    /// How the next process ends, if it is to end early.
    pub(super) end_again: Option<End>,
    pub(super) sends: u64,
    /// What faults did to us, and how often.
    pub(super) bites: BTreeMap<String, u64>,
    pub(super) log: Log,
    pub(super) failure: Option<Failure>,
    pub(super) oracle: Oracle,
    pub(super) watch: Watch,
    pub(super) early: Early,
    pub(super) api_key: ApiKey,
}

impl Run {
    pub(super) fn new(script: &Script, with_log: bool) -> Self {
        let now = Timestamp::parse(START).unwrap();
        clock::start(now);
        let venues = Venues::new(script);
        let api_key = venues.api_key.clone();
        let venues = Arc::new(Mutex::new(venues));
        let signer = process::credentials(script.key).0.signer().unwrap();
        let kalshi = client::kalshi(&venues, Some(signer));
        let lines = with_log.then(VecDeque::new);
        let mut run = Self {
            odds: Odds::default(),
            venues,
            kalshi,
            machine: None,
            epoch: 0,
            paper: Paper::new(script.seed),
            now,
            started: now,
            events: BTreeMap::new(),
            queued: 0,
            lanes: Vec::new(),
            tasks: Vec::new(),
            confirming: false,
            mood: Mood::Busy,
            dice: Dice::stream(script.seed, 0xca11),
            end: None,
            restart_after: Duration::ZERO,
            end_again: None,
            sends: 0,
            bites: BTreeMap::new(),
            log: Log { lines },
            failure: None,
            oracle: Oracle::default(),
            watch: Watch::default(),
            early: Early::default(),
            api_key,
            script: script.clone(),
        };
        run.queue(Duration::ZERO, Event::Restart);
        for (every, event) in [
            (BREATH, Event::Breathe),
            (VENUE_TICK, Event::VenueTick),
            (TICK, Event::Tick),
            (process::settings(script).polymarket.confirm_every, Event::Confirm),
        ] {
            run.queue(every, event);
        }
        for (place, blow) in script.blows.iter().enumerate() {
            run.queue(blow.after, Event::Blow(place));
        }
        run
    }

    /// The whole run.
    pub(super) fn play(mut self) -> Outcome {
        self.until(WARM);
        self.odds = self.script.odds;
        self.until(WARM + self.script.busy);
        self.odds = Odds::default();
        self.end_well();
        let digest = self.digest();
        let refusals = self.refusals();
        self.log.write(self.now, || refusals);
        let lines = self.log.lines.take().unwrap_or_default().into();
        let (writes, sends) = (self.paper.written(), self.sends);
        for (venue, name, count) in self.venues.lock().unwrap().met() {
            *self.bites.entry(format!("{venue} {name}")).or_default() += count;
        }
        let bites = std::mem::take(&mut self.bites);
        let early = std::mem::take(&mut self.early.left);
        Outcome { digest, failure: self.failure.take(), lines, writes, sends, bites, early }
    }

    /// Goes on until so long after the start, or until something is wrong.
    fn until(&mut self, after: Duration) {
        self.until_at(self.started.after(after));
    }

    /// Goes on until then, or until something is wrong.
    pub(super) fn until_at(&mut self, goal: Timestamp) {
        let mut at_once = 0;
        while self.now < goal && self.failure.is_none() {
            let before = self.now;
            self.advance();
            at_once = if self.now == before { at_once + 1 } else { 0 };
            if at_once > AT_ONCE_MAX {
                self.fail("liveness", "time stands still".to_owned());
            }
        }
    }

    /// Notes that a rule is broken; the first one counts.
    pub(super) fn fail(&mut self, rule: &'static str, text: String) {
        if self.failure.is_none() {
            self.log.write(self.now, || format!("BROKEN {rule}: {text}"));
            self.failure = Some(Failure { rule, at: self.now, text });
        }
    }

    /// Goes on to the next moment at which anything happens, and does all of it.
    fn advance(&mut self) {
        let next = self.events.first_key_value().map_or(Timestamp::MAX, |((due, _), _)| *due);
        let wires = self.venues.lock().unwrap().wires.next_due();
        let timers = self.timers().map(|(_, due)| due).min().unwrap_or(Timestamp::MAX);
        self.now = next.min(wires).min(timers).min(clock::next_wake()).max(self.now);
        clock::set(self.now);
        self.fire_timers();
        self.judge();
        self.poll_tasks();
        self.judge();
        for place in 0..self.lanes.len() {
            self.deliver(place);
            self.judge();
        }
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= self.now)
        {
            let event = entry.remove();
            self.happen(event);
            self.judge();
        }
    }

    fn timers(&self) -> impl Iterator<Item = (Lane, Timestamp)> + '_ {
        let machine = self.machine.iter();
        machine.flat_map(|one| one.lanes().map(|(lane, _)| (lane, one.deadline(lane))))
    }

    fn fire_timers(&mut self) {
        for _ in 0..TIMERS_AT_ONCE_MAX {
            let Some((lane, _)) = self.timers().find(|(_, due)| *due <= self.now) else { return };
            self.input(&Input::Timer(lane));
        }
        self.fail("liveness", "a feed's timer is due again and again".to_owned());
    }

    pub(super) fn queue(&mut self, after: Duration, event: Event) {
        self.queue_at(self.now.after(after), event);
    }

    pub(super) fn queue_at(&mut self, due: Timestamp, event: Event) {
        self.queued += 1;
        self.events.insert((due, self.queued), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Dial(lane, handshake) => self.dial(lane, handshake),
            Event::Opened(lane, connection) => self.opened(lane, connection),
            Event::Refused(lane, reply) => self.refused(lane, reply),
            Event::Frame(connection, text) => {
                self.venues.lock().unwrap().text(connection, &text, self.now);
            }
            Event::Gone(connection) => self.venues.lock().unwrap().closed(connection),
            Event::Breathe => {
                let mut venues = self.venues.lock().unwrap();
                match self.mood {
                    Mood::Busy => venues.breathe(self.now),
                    Mood::Refilling => venues.refill(self.now),
                    Mood::Still => {}
                }
                drop(venues);
                self.queue(BREATH, Event::Breathe);
            }
            Event::VenueTick => {
                self.venues.lock().unwrap().tick(self.now);
                self.queue(VENUE_TICK, Event::VenueTick);
            }
            Event::Tick => {
                self.paper.settle();
                self.input(&Input::Tick);
                self.note_rested();
                self.queue(TICK, Event::Tick);
            }
            Event::Confirm => self.confirm(),
            Event::Blow(place) => {
                let Blow { strike, .. } = self.script.blows[place].clone();
                self.strike(&strike);
            }
            Event::Arrives(epoch, id, call, told) => self.arrives(epoch, id, &call, told),
            Event::Answered(epoch, id, told) => self.answered(epoch, id, &told),
            Event::Resume if self.machine.is_none() => self.queue(AGAIN, Event::Resume),
            Event::Resume => {
                self.lift();
                if self.machine.is_none() {
                    // The process ended over it.
                    self.queue(AGAIN, Event::Resume);
                }
            }
            Event::Quit => self.quit(),
            Event::JournalWhole => self.paper.set_broken(false),
            Event::Clock(venue, offset) => self.input(&Input::Clock(venue, offset)),
            Event::Restart => self.restart(),
        }
    }

    fn strike(&mut self, strike: &Strike) {
        self.log.write(self.now, || format!("strike {strike:?}"));
        match strike {
            Strike::Fault(venue, fault) => {
                if let Fault::Resolve { market, .. } = fault {
                    self.ends(*venue, *market);
                }
                self.venues.lock().unwrap().fault(*venue, fault, self.now);
                if let Fault::ClockSkew { ms, lasts } = fault {
                    self.queue(Duration::from_secs(1), Event::Clock(*venue, ms * 1_000_000));
                    self.queue(*lasts + Duration::from_secs(1), Event::Clock(*venue, 0));
                }
            }
            Strike::Halt(lasts) => {
                let why = ASKED.to_owned();
                self.command(&Command::Halt { scope: Scope::All, why });
                self.queue(*lasts, Event::Resume);
            }
            Strike::JournalBroken(lasts) => {
                self.paper.set_broken(true);
                self.queue(*lasts, Event::JournalWhole);
            }
            Strike::Crash(end, away) => {
                self.restart_after = *away;
                self.end_at(*end);
            }
            Strike::CrashTwice(end, away, again) => {
                self.restart_after = *away;
                self.end_again = Some(*again);
                self.end_at(*end);
            }
            Strike::Flatten(dollars, lasts) => {
                let loss_max = Money::from_micros(i64::from(*dollars) * Money::DOLLAR);
                self.watch.is_flattening |= self.machine.is_some();
                self.command(&Command::Flatten { loss_max });
                self.queue(*lasts, Event::Quit);
            }
            Strike::Kill(lasts) => {
                self.command(&Command::Kill { why: ASKED.to_owned() });
                self.watch.is_killed = self.machine.is_some();
                self.queue(*lasts, Event::Quit);
            }
            Strike::CancelOwn(venue) => {
                let now = self.now;
                self.with(|machine| {
                    machine.cancel_own(*venue, now);
                });
            }
        }
    }

    pub(super) fn end_at(&mut self, end: End) {
        match end {
            End::BeforeWrite(_) | End::AfterWrite(_) => self.paper.end_at(Some(end)),
            End::BeforeSend(_) | End::AfterSend(_) => self.end = Some((end, 0)),
        }
    }

    /// A person ends the process, starts it again, looks at it and lifts the halt.
    fn quit(&mut self) {
        if self.machine.is_some() {
            self.restart_after = AGAIN;
            self.crash();
        }
        self.queue(LOOKS, Event::Resume);
    }

    pub(super) fn command(&mut self, command: &Command) {
        self.log.write(self.now, || format!("command {command:?}"));
        self.input(&Input::Command(command));
    }

    /// Gives the process an input; it may end over it. What it wants done is done.
    pub(super) fn input(&mut self, input: &Input<'_>) {
        let now = self.now;
        self.with(|machine| machine.handle(input, now));
    }

    /// Does something with the process, as long as it runs; it may end over it.
    pub(super) fn with(&mut self, act: impl FnOnce(&mut Pipeline)) {
        let Some(machine) = &mut self.machine else { return };
        match catch_unwind(AssertUnwindSafe(|| act(machine))) {
            Ok(()) => self.follow_wishes(),
            Err(payload) if payload.is::<Ended>() => self.crash(),
            Err(payload) => {
                let text = payload.downcast_ref::<String>().cloned();
                let text = text.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                self.machine = None;
                self.fail("no_panic", text.unwrap_or_default());
            }
        }
    }
}
