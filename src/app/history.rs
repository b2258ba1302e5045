//! A journal that is read while an engine may write it: its records folded through the same
//! tables that guard trading, and what people ask for besides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::{Mode, Overrides, Settings};
use crate::domain::{IntentId, MarketIndex, OrderId, Timestamp, TradeId, Venue};
use crate::execute::{Executor, Record, Scope, State};
use crate::journal::{self, Error, Name};

use super::args::Past;
use super::exit::Misuse;
use super::settings;

/// Something that a person had to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// When.
    pub at: Timestamp,
    /// Out of a fixed list, or `halted` or `resumed`.
    pub name: &'static str,
    /// The trade, if there is one.
    pub trade: Option<TradeId>,
    /// What happened.
    pub text: String,
}

/// All that a journal holds.
#[derive(Debug)]
pub struct History {
    /// The file.
    pub path: PathBuf,
    executor: Executor,
    markets: Vec<Name>,
    /// The venues' names of orders.
    pub order_ids: BTreeMap<IntentId, OrderId>,
    /// Incidents, halts and resumptions, oldest first.
    pub incidents: Vec<Incident>,
    /// When each trade was opened.
    pub opened: BTreeMap<TradeId, Timestamp>,
    /// The first and the last time that anything was recorded.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl History {
    /// Reads the journal that the arguments or the configuration name.
    pub fn read(args: &Past) -> anyhow::Result<Self> {
        let (settings, _) = settings::from_file(args.config.as_deref(), &Overrides::default())?;
        let path = path(args, &settings);
        let replay = journal::look(&path).map_err(|error| told(error, args))?;
        let mut history = Self {
            path,
            executor: Executor::new(settings.trade.execute),
            markets: replay.markets.clone(),
            order_ids: BTreeMap::new(),
            incidents: Vec::new(),
            opened: BTreeMap::new(),
            span: None,
        };
        // Here a market's place is its number in the journal.
        let mut next = 0;
        let records = replay.records(|_, _| {
            next += 1;
            MarketIndex(next - 1)
        });
        for record in records {
            history.take(record?);
        }
        Ok(history)
    }

    fn take(&mut self, record: Record) {
        self.executor.apply(&record);
        let at = match record {
            Record::Opened { trade, at, .. } => {
                self.opened.insert(trade, at);
                at
            }
            Record::Placed(order) => order.at,
            Record::Named { intent, id } => {
                self.order_ids.insert(intent, id);
                return;
            }
            Record::Moved { at, .. } => at,
            Record::Halted { scope, why, at } => {
                let text = format!("{}: {why}", scope_name(&scope));
                self.incidents.push(Incident { at, name: "halted", trade: None, text });
                at
            }
            Record::Resumed { scope, at } => {
                let text = scope_name(&scope);
                self.incidents.push(Incident { at, name: "resumed", trade: None, text });
                at
            }
            Record::Incident { kind, text, trade, at } => {
                self.incidents.push(Incident { at, name: kind, trade, text });
                at
            }
            Record::Reported { at, .. }
            | Record::Merged { at, .. }
            | Record::Booked { at, .. }
            | Record::Adopted { at, .. }
            | Record::Ignored { at, .. }
            | Record::Flattening { at, .. } => at,
        };
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
    }

    /// What the records say.
    pub fn state(&self) -> &State {
        self.executor.state()
    }

    /// A market's name at its venue.
    pub fn market(&self, market: MarketIndex) -> (Option<Venue>, &str) {
        self.markets.get(market.at()).map_or((None, "?"), |name| (Some(name.venue), &name.id))
    }
}

/// How wide a stop reaches, in a word or two.
pub fn scope_name(scope: &Scope) -> String {
    match scope {
        Scope::Pair(pair) => format!("pair {pair}"),
        Scope::Venue(venue) => venue.to_string(),
        Scope::All => "everything".to_owned(),
    }
}

/// Which file: the one that is named, else the one that `crossbook trade` writes by default.
pub fn path(args: &Past, settings: &Settings) -> PathBuf {
    if let Some(path) = &args.journal {
        return path.clone();
    }
    let is_paper = args.paper || settings.trade.mode == Mode::Paper;
    let kept = &settings.journal;
    Path::new(if is_paper { &kept.paper_path } else { &kept.path }).to_owned()
}

fn told(error: Error, args: &Past) -> anyhow::Error {
    match error {
        Error::Missing(path) if args.journal.is_none() => Misuse(format!(
            "there is no journal at {}: `crossbook trade` makes it; --journal names another, \
             --config the configuration that names it",
            path.display()
        ))
        .into(),
        Error::Missing(_) | Error::Foreign(_) | Error::Newer { .. } => {
            Misuse(error.to_string()).into()
        }
        other => other.into(),
    }
}
