//! The live run: one thread that owns feeds, books and decisions, and the sockets they read.
//!
//! From socket to decision everything happens here, without a hop to another thread. Requests over
//! REST, the terminal, the recording and the mapping files live elsewhere and talk to this thread
//! through bounded queues.

mod rescue;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::LocalSet;

use crate::book::Lane;
use crate::domain::market::Status;
use crate::domain::{Market, Timestamp, Venue};
use crate::engine::event::Command;
use crate::engine::trade::Trader;
use crate::engine::trade::calendar::Pause;
use crate::net::clock;
use crate::record::Writer;
use crate::venue::gateway::Call;

use super::carrier::{Carrier, Paper, PaperStart};
use super::control::{Asked, answer};
use super::desk::CallId;
use super::lane;
use super::loader::{Load, Why};
use super::pipeline::{Input, Pipeline};
use super::poll::{self, Ids};
use super::report::Reporter;
use super::shutdown::{self, Settling, Stop, Stopping};
use super::transcript::Transcript;

/// How often time passes for the engine although nothing arrives.
const TICK: Duration = Duration::from_millis(50);

/// How often the status line is drawn.
const STATUS: Duration = Duration::from_millis(500);

/// Something that other threads found out.
#[derive(Debug)]
pub enum Message {
    /// A market's facts.
    Market(Box<Market>),
    /// A market that is not there, and why.
    NoMarket(Venue, String, String),
    /// Books read over REST: the answer's body.
    Books(Venue, String),
    /// A venue's clock less ours, in nanoseconds.
    Clock(Venue, i64),
    /// A whole venue takes orders, or does not.
    Exchange(Venue, Status),
    /// The shards of Kalshi that take no orders, all of them.
    Shards(Vec<u32>),
    /// The pauses that Kalshi has announced, all of them.
    Pauses(Vec<Pause>),
    /// The mapping files, read again.
    Mappings(Vec<(String, String)>),
    /// A venue that does not answer, why, and when it is asked again.
    Trouble(Venue, String, Duration),
    /// Something to tell the user.
    Note(String),
    /// Everything is to end, and why.
    Kill(String),
}

/// Messages that may wait for the engine.
pub const MESSAGES_MAX: usize = 20_000;

/// What a run is made of.
#[derive(Debug)]
pub struct Parts {
    /// The machine.
    pub pipeline: Pipeline,
    /// Where what it decides is told.
    pub reporter: Reporter,
    /// Where what enters it is written.
    pub recorder: Option<Writer>,
    /// The first line of the recording.
    pub transcript: Transcript,
    /// What other threads found out.
    pub messages: mpsc::Receiver<Message>,
    /// Markets to be read over REST go here.
    pub loads: mpsc::Sender<Load>,
    /// The ids whose books are read over REST: Kalshi's, then Polymarket's.
    pub ids: [Ids; 2],
    /// How often all facts are read again.
    pub refresh: Duration,
    /// After the stop, how long trades that are under way have to come to rest; and how long they
    /// have to have been at rest, so that what was read of the accounts is from then.
    pub settle: Settle,
    /// Paper accounts, where orders do not leave this machine.
    pub paper: Option<PaperStart>,
    /// What is asked through the control socket.
    pub control: Option<mpsc::Receiver<Asked>>,
    /// Whether the thread never sleeps.
    pub is_awake: bool,
    /// Hears of the end.
    pub stopping: Stopping,
}

/// How a run that trades ends.
#[derive(Debug, Clone, Copy)]
pub struct Settle {
    /// The longest wait.
    pub patience: Duration,
    /// How long everything has to have been at rest.
    pub rest: Duration,
}

/// The state that all tasks of the engine thread share.
pub struct Driver {
    /// The machine.
    pub pipeline: Pipeline,
    reporter: Reporter,
    recorder: Option<Writer>,
    transcript: Transcript,
    loads: mpsc::Sender<Load>,
    wakes: Vec<Rc<Notify>>,
    opened: Vec<Lane>,
    calls: Vec<(CallId, Call)>,
    called: Rc<Notify>,
    drains: u64,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("drains", &self.drains).finish_non_exhaustive()
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// Why.
    pub stop: Stop,
    /// What was told, for the summary.
    pub reporter: Reporter,
    /// The machine, for the summary.
    pub pipeline: Pipeline,
    /// What became of the recording.
    pub recorded: std::io::Result<()>,
}

impl Driver {
    /// Gives the machine an input: writes it down, lets it act, passes on what follows.
    pub fn input(&mut self, input: &Input<'_>) {
        #[cfg(test)]
        rescue::fault::strike(input);
        let now = Timestamp::from_nanos(clock::unix_nanos());
        if let Some(recorder) = &mut self.recorder {
            let venue = |lane: Lane| self.pipeline.venue_of(lane);
            if let Some(line) = self.transcript.line(input, now, self.drains, venue) {
                recorder.write(&line);
            }
        }
        self.pipeline.handle(input, now);
        if let Input::Drained = input {
            self.drains += 1;
        }
        self.pass_on(now);
    }

    /// Begins the recording and puts the mapping files in force.
    fn begin(&mut self, mappings: &[(String, String)]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.write(&self.transcript.start(clock::unix_nanos()));
        }
        self.input(&Input::Mappings(mappings));
    }

    /// Wakes what has work to do, and tells what there is to tell.
    fn pass_on(&mut self, now: Timestamp) {
        for lane in self.pipeline.wishes.new_lanes.drain(..) {
            self.wakes.push(Rc::new(Notify::new()));
            self.opened.push(lane);
        }
        for (at, wishes) in self.pipeline.wishes.lanes.iter().enumerate() {
            if wishes.connect || wishes.close || !wishes.frames.is_empty() {
                self.wakes[at].notify_one();
            }
        }
        let loads = &mut self.pipeline.wishes.loads;
        while let Some((venue, id)) = loads.pop() {
            // A full queue keeps the rest for the next time something happens.
            let load = (venue, id, Why::Asked);
            if let Err(mpsc::error::TrySendError::Full((venue, id, _))) = self.loads.try_send(load)
            {
                loads.push((venue, id));
                break;
            }
        }
        if self.pipeline.wishes.calls.is_empty() {
            return self.tell(now);
        }
        // Orders first; what there is to tell is told when they are on their way.
        self.calls.append(&mut self.pipeline.wishes.calls);
        self.called.notify_one();
    }

    /// Tells what there is to tell.
    fn tell(&mut self, now: Timestamp) {
        while let Some(news) = self.pipeline.news.pop_front() {
            self.reporter.tell(&news, &self.pipeline, now);
        }
    }

    /// Asks for the facts of every needed market again, so that none grows old.
    fn refresh(&self) {
        for (venue, id) in self.pipeline.needed() {
            if self.loads.try_send((venue, id, Why::Refresh)).is_err() {
                tracing::warn!("too many markets wait to be read; facts are refreshed later");
                return;
            }
        }
    }

    /// Cancels our own open orders, at one venue or both; how many there were.
    pub fn cancel_own(&mut self, venue: Option<Venue>) -> usize {
        let now = Timestamp::from_nanos(clock::unix_nanos());
        let asked = self.pipeline.cancel_own(venue, now);
        self.pass_on(now);
        asked
    }

    /// Cancels every order of the account at a venue, those that were placed by hand included.
    pub fn cancel_everything(&mut self, venue: Venue) -> Result<(), String> {
        let now = Timestamp::from_nanos(clock::unix_nanos());
        let asked = self.pipeline.cancel_everything(venue, now);
        self.pass_on(now);
        asked
    }

    /// Begins nothing new from here on.
    fn drain(&mut self) {
        if self.pipeline.engine().trader().is_some() {
            self.input(&Input::Command(&Command::Drain));
        }
    }

    /// Whether what has to be done before the end is done.
    fn is_at_rest(&self, settling: &Settling) -> bool {
        if settling.is_killed() {
            return self.calls.is_empty() && self.pipeline.desk().is_none_or(|d| d.cancels() == 0);
        }
        let agrees = |of: &Trader| !settling.is_compared() || of.differences().is_empty();
        self.pipeline.engine().trader().is_none_or(|of| of.is_at_rest() && agrees(of))
    }

    /// Draws the status line, and tells the readers of books which ones there are.
    fn show(&mut self, ids: &[Ids; 2]) {
        self.reporter.status(&self.pipeline);
        for (venue, ids) in Venue::ALL.into_iter().zip(ids) {
            publish(&self.pipeline, venue, ids);
        }
    }

    /// Lets time pass; why the run is over, if it is.
    fn tick(&mut self, settling: &mut Settling) -> Option<Stop> {
        self.input(&Input::Tick);
        if !self.reporter.is_heard() && settling.begin(Stop::Done) {
            self.drain();
        }
        settling.over(self.is_at_rest(settling))
    }

    /// The bell of a lane.
    pub fn wake_of(&self, lane: Lane) -> Option<Rc<Notify>> {
        self.wakes.get(lane.at()).cloned()
    }
}

/// Runs until stopped, on this thread. A panic acts as `kill`, where anything is traded.
pub fn run(parts: Parts, mappings: &[(String, String)]) -> std::io::Result<Finished> {
    let paper = parts.paper.as_ref().map(Paper::new);
    let (driver, turning) = Driver::new(parts);
    let driver = Rc::new(RefCell::new(driver));
    let turned = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let turning = turn(Rc::clone(&driver), turning, paper.clone(), mappings);
        LocalSet::new().block_on(&runtime, turning)
    }));
    let stop = match turned {
        Ok(stop) => stop?,
        Err(panic) => rescue::rescue(&driver, paper, panic.as_ref())?,
    };
    finish(driver, stop)
}

/// What the loop needs beyond the driver.
#[derive(Debug)]
struct Turning {
    messages: mpsc::Receiver<Message>,
    control: Option<mpsc::Receiver<Asked>>,
    ids: [Ids; 2],
    refresh: Duration,
    is_awake: bool,
    settling: Settling,
}

impl Driver {
    fn new(parts: Parts) -> (Self, Turning) {
        let turning = Turning {
            messages: parts.messages,
            control: parts.control,
            ids: parts.ids,
            refresh: parts.refresh,
            is_awake: parts.is_awake,
            settling: Settling::new(parts.stopping, parts.settle),
        };
        let driver = Self {
            pipeline: parts.pipeline,
            reporter: parts.reporter,
            recorder: parts.recorder,
            transcript: parts.transcript,
            loads: parts.loads,
            wakes: Vec::new(),
            opened: Vec::new(),
            calls: Vec::new(),
            called: Rc::new(Notify::new()),
            drains: 0,
        };
        (driver, turning)
    }
}

async fn turn(
    driver: Rc<RefCell<Driver>>,
    turning: Turning,
    paper: Option<Paper>,
    mappings: &[(String, String)],
) -> std::io::Result<Stop> {
    let Turning { mut messages, mut control, ids, refresh, is_awake, mut settling } = turning;
    let carrier = Carrier::new(paper).map_err(std::io::Error::other)?;
    let (end, ending) = shutdown::channel();
    driver.borrow_mut().begin(mappings);
    let mut ticks = tokio::time::interval(TICK);
    let mut statuses = tokio::time::interval(STATUS);
    let mut refresh_at = next_refresh(refresh);
    let mut lanes = tokio::task::JoinSet::new();
    let mut calls = tokio::task::JoinSet::new();
    let called = Rc::clone(&driver.borrow().called);
    if is_awake {
        lanes.spawn_local(stay_awake(ending.clone()));
    }
    let stop = loop {
        for lane in std::mem::take(&mut driver.borrow_mut().opened) {
            lanes.spawn_local(lane::run(Rc::clone(&driver), lane, ending.clone()));
        }
        tokio::select! {
            biased;
            () = settling.heard() => driver.borrow_mut().drain(),
            () = called.notified() => {
                for (id, call) in std::mem::take(&mut driver.borrow_mut().calls) {
                    calls.spawn_local(carrier.clone().carry(Rc::clone(&driver), id, call));
                }
                // Everything that is ready runs before this goes on: the calls are written.
                tokio::task::yield_now().await;
                driver.borrow_mut().tell(Timestamp::from_nanos(clock::unix_nanos()));
            }
            Some(ended) = calls.join_next(), if !calls.is_empty() => panic_on(ended),
            Some(asked) = next(&mut control) => {
                if answer::answer(&mut driver.borrow_mut(), asked) {
                    settling.kill();
                }
            }
            Some(message) = messages.recv() => {
                if take(&driver, message) {
                    settling.kill();
                }
            }
            _ = ticks.tick() => {
                if let Some(stop) = driver.borrow_mut().tick(&mut settling) {
                    break stop;
                }
            }
            _ = statuses.tick() => driver.borrow_mut().show(&ids),
            () = tokio::time::sleep_until(refresh_at) => {
                refresh_at = next_refresh(refresh);
                driver.borrow().refresh();
            }
            Some(ended) = lanes.join_next(), if !lanes.is_empty() => panic_on(ended),
        }
    };
    end.stop(stop);
    say_goodbye(lanes).await;
    calls.shutdown().await;
    driver.borrow_mut().tell(Timestamp::from_nanos(clock::unix_nanos()));
    Ok(stop)
}

/// Always has something to do, so that the runtime looks for what arrived and does not sleep until
/// it is told. Others on the same processor go before.
async fn stay_awake(ending: Stopping) {
    while ending.reason().is_none() {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}

/// Lanes say goodbye to their servers; a server that does not answer is left alone.
async fn say_goodbye(mut lanes: tokio::task::JoinSet<()>) {
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        while lanes.join_next().await.is_some() {}
    })
    .await;
    lanes.shutdown().await;
}

/// The next request, where anybody can ask.
async fn next(control: &mut Option<mpsc::Receiver<Asked>>) -> Option<Asked> {
    match control {
        Some(control) => control.recv().await,
        None => std::future::pending().await,
    }
}

/// A lane ends only with the run, a call with its answer. One that panicked may have left the
/// engine half way through an update: nothing it says can be believed any more.
fn panic_on(ended: Result<(), tokio::task::JoinError>) {
    if let Err(panic) = ended.map_err(tokio::task::JoinError::try_into_panic)
        && let Ok(panic) = panic
    {
        std::panic::resume_unwind(panic);
    }
}

/// When all facts are read again: after `every`, and just after midnight in UTC, when Polymarket's
/// fees change.
fn next_refresh(every: Duration) -> tokio::time::Instant {
    const DAY: i64 = 86_400;
    const AFTER_MIDNIGHT: u64 = 20;
    let second = Timestamp::from_nanos(clock::unix_nanos()).secs().rem_euclid(DAY);
    let midnight = u64::try_from(DAY - second).unwrap_or(0) + AFTER_MIDNIGHT;
    tokio::time::Instant::now() + every.min(Duration::from_secs(midnight))
}

/// Tells the readers of books which ones there are, when that has changed.
fn publish(pipeline: &Pipeline, venue: Venue, ids: &Ids) {
    let new = poll::ids_of(pipeline, venue);
    if **ids.load() != new {
        ids.store(Arc::new(new));
    }
}

/// Takes in what another thread found out. True when everything is to end.
fn take(driver: &Rc<RefCell<Driver>>, message: Message) -> bool {
    let mut driver = driver.borrow_mut();
    match message {
        Message::Kill(why) => {
            driver.input(&Input::Command(&Command::Kill { why }));
            return true;
        }
        Message::Market(market) => driver.input(&Input::Market(&market)),
        Message::NoMarket(venue, id, why) => {
            let Driver { reporter, pipeline, .. } = &mut *driver;
            reporter.no_market(venue, &id, &why, pipeline);
            driver.input(&Input::NoMarket(venue, &id));
        }
        Message::Books(venue, body) => {
            let now = Timestamp::from_nanos(clock::unix_nanos());
            driver.reporter.books_read(venue, now);
            driver.input(&Input::Books(venue, &body));
        }
        Message::Clock(venue, offset) => driver.input(&Input::Clock(venue, offset)),
        Message::Exchange(venue, status) => driver.input(&Input::Exchange(venue, status)),
        Message::Shards(closed) => driver.input(&Input::Shards(&closed)),
        Message::Pauses(known) => driver.input(&Input::Command(&Command::Announced(known))),
        Message::Mappings(files) => driver.input(&Input::Mappings(&files)),
        Message::Trouble(venue, text, wait) => {
            let now = Timestamp::from_nanos(clock::unix_nanos());
            driver.reporter.trouble(venue, &text, wait, now);
        }
        Message::Note(text) => driver.reporter.note(&text),
    }
    false
}

fn finish(driver: Rc<RefCell<Driver>>, stop: Stop) -> std::io::Result<Finished> {
    let Some(driver) = Rc::into_inner(driver) else {
        return Err(std::io::Error::other("a connection outlived the run"));
    };
    let Driver { pipeline, reporter, recorder, .. } = driver.into_inner();
    // A replay has no account: what trading did to the decisions is not in a recording.
    let digest = if pipeline.desk().is_some() { String::new() } else { pipeline.digest() };
    let recorded = recorder.map_or(Ok(()), |recorder| {
        recorder.finish(|complete| crate::record::Line::End {
            t: clock::unix_nanos(),
            digest: digest.into(),
            complete,
        })
    });
    Ok(Finished { stop, reporter, pipeline, recorded })
}
