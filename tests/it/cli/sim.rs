//! The embedded exchanges as a server of their own, and what a client of them needs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::run::{Running, arg, record};

/// `crossbook sim` under way, and a folder for its clients' files.
pub(crate) struct Sim {
    pub(crate) kalshi: Value,
    pub(crate) polymarket: Value,
    pub(crate) folder: TempDir,
    pub(crate) running: Running,
}

/// What a configuration says differently from a good one.
#[derive(Debug, Default)]
pub(crate) struct Twist<'a> {
    pub(crate) key_id: Option<&'a str>,
    pub(crate) key_file: Option<&'a Path>,
    pub(crate) kalshi_ws: Option<&'a str>,
    pub(crate) polymarket_ws: Option<&'a str>,
    pub(crate) rest: Option<&'a str>,
}

/// Nobody listens there: the port was free a moment ago and is not given out again so soon.
pub(crate) fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Sim {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with more arguments.
    pub(crate) fn start_with(more: &[&str]) -> Self {
        let args: Vec<&str> = ["sim", "--json"].into_iter().chain(more.iter().copied()).collect();
        let mut running = Running::start(&args);
        let kalshi = record(&running.wait_line("kalshi's line", |_| true));
        let polymarket = record(&running.wait_line("polymarket's line", |_| true));
        assert_eq!((kalshi["kind"].as_str(), kalshi["venue"].as_str()), EXCHANGE_KALSHI);
        let folder = tempfile::tempdir().unwrap();
        Self { kalshi, polymarket, folder, running }
    }

    /// A configuration with a key.
    pub(crate) fn config(&self, twist: &Twist<'_>) -> PathBuf {
        let own = |name: &str| self.kalshi[name].as_str().unwrap();
        let id = twist.key_id.unwrap_or_else(|| own("key_id"));
        let file = twist.key_file.map_or_else(|| own("key_file"), arg);
        let key = format!("key_id = \"{id}\"\nkey_file = \"{file}\"\n");
        self.write_config(twist, &key)
    }

    /// A configuration without a key, at a rate that the exchange allows to anybody.
    pub(crate) fn config_without_key(&self) -> PathBuf {
        self.write_config(&Twist::default(), "poll_per_s = 3\n")
    }

    fn write_config(&self, twist: &Twist<'_>, key: &str) -> PathBuf {
        let kalshi = |name: &str| self.kalshi[name].as_str().unwrap();
        let polymarket = |name: &str| self.polymarket[name].as_str().unwrap();
        let text = format!(
            "[kalshi]\nrest = \"{}\"\nws = \"{}\"\nweekly_pause = \"none\"\n{key}\n\
             [polymarket]\nclob = \"{}\"\n\
             gamma = \"{}\"\ndata = \"{}\"\nws = \"{}\"\n",
            twist.rest.map_or_else(|| kalshi("rest").to_owned(), |at| format!("{at}/trade-api/v2")),
            twist.kalshi_ws.unwrap_or_else(|| kalshi("ws")),
            twist.rest.unwrap_or_else(|| polymarket("clob")),
            polymarket("gamma"),
            polymarket("data"),
            twist.polymarket_ws.unwrap_or_else(|| polymarket("ws")),
        );
        let path = self.folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A folder with the pairs of the demo, after `edit`.
    pub(crate) fn mappings(&self, edit: impl FnOnce(String) -> String) -> PathBuf {
        let dir = self.folder.path().join("mappings");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("pairs.toml"), edit(demo_pairs())).unwrap();
        dir
    }

    /// `crossbook watch --json` on these exchanges.
    pub(crate) fn watch(&self, config: &Path, mappings: &Path, more: &[&str]) -> Running {
        let fixed = ["watch", "--config", arg(config), "--mappings", arg(mappings)];
        let args: Vec<_> = fixed.into_iter().chain(more.iter().copied()).collect();
        Running::start(&args)
    }
}

const EXCHANGE_KALSHI: (Option<&str>, Option<&str>) = (Some("exchange"), Some("kalshi"));

/// The text of the demo's mapping file.
pub(crate) fn demo_pairs() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/demo.toml");
    std::fs::read_to_string(path).unwrap()
}

/// Whether a record says that a feed is in this state.
pub(crate) fn is_feed(record: &Value, venue: &str, state: &str) -> bool {
    record["kind"] == "feed" && record["venue"] == venue && record["state"] == state
}
