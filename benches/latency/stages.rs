//! Where the time goes: the milestones that the program passes, stamped there and matched here.
//!
//! Both processes read the same clock of the machine. The program keeps its stamps in memory and
//! tells them when it ends.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbook::app::milestone::{Milestone, TARGET};
use crossbook::net::clock;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::venues::Shot;

/// What a line with a stamp begins with.
const LINE: &str = "stamp ";
/// Room for the stamps of many shots, so that none waits for memory.
const ROOM: usize = 4 << 20;

/// When a milestone was passed, in nanoseconds since 1970.
pub(crate) type Stamp = (i64, &'static str);

/// Stamps milestones.
#[derive(Debug, Clone)]
pub(crate) struct Stamps(Arc<Mutex<Vec<Stamp>>>);

impl Stamps {
    /// Listens from here on.
    pub(crate) fn listen() -> Self {
        let stamps = Self(Arc::new(Mutex::new(Vec::with_capacity(ROOM))));
        let only = Targets::new().with_target(TARGET, Level::TRACE);
        tracing_subscriber::registry().with(stamps.clone().with_filter(only)).init();
        stamps
    }

    /// Writes all stamps to the standard output.
    pub(crate) fn tell(&self) {
        let mut out = std::io::stdout().lock();
        for (at, name) in self.0.lock().unwrap().iter() {
            let _ = writeln!(out, "{LINE}{at} {name}");
        }
    }
}

struct Name(Option<&'static str>);

impl Visit for Name {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, _: &Field, text: &str) {
        self.0 = named(text);
    }
}

fn named(text: &str) -> Option<&'static str> {
    Milestone::ALL.into_iter().map(Milestone::name).find(|name| *name == text)
}

impl<S: Subscriber> Layer<S> for Stamps {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = clock::unix_nanos();
        let mut name = Name(None);
        event.record(&mut name);
        if let Some(name) = name.0 {
            self.0.lock().unwrap().push((now, name));
        }
    }
}

/// The stamp in a line of the program's output.
pub(crate) fn read(line: &str) -> Option<Stamp> {
    let (at, name) = line.strip_prefix(LINE)?.split_once(' ')?;
    Some((at.parse().ok()?, named(name)?))
}

/// The milestones of one shot, back from the later request: how long after the frame each was
/// passed.
pub(crate) fn passed(shot: &Shot, stamps: &[Stamp]) -> Option<[Duration; Milestone::ALL.len()]> {
    let end = shot.at + i64::try_from(shot.latency()?.as_nanos()).ok()?;
    let mut until = stamps.partition_point(|(at, _)| *at <= end);
    let mut passed = [Duration::ZERO; Milestone::ALL.len()];
    for (place, milestone) in Milestone::ALL.into_iter().enumerate().rev() {
        until = stamps[..until].iter().rposition(|(_, name)| *name == milestone.name())?;
        let since = u64::try_from(stamps[until].0 - shot.at).ok()?;
        passed[place] = Duration::from_nanos(since);
    }
    Some(passed)
}
