//! From the first byte of a frame on a loopback socket to the last byte of both order requests.
//!
//! Two processes. This one is both venues: it serves their REST and WebSocket protocols on loopback
//! out of the embedded exchanges' cores, and opens a gap on a fixed schedule that waits for nobody,
//! so that a slow answer does not hide those behind it. The other one is the program: the engine
//! of a live run with both gateways, private channels, limits, the executor and the journal in a
//! file, trading `concurrent`.
//!
//! A sample begins when this process hands the frame that opens the gap to the system, and ends
//! when it has read the last byte of the later of both requests: both are read off the same
//! monotonic clock. In between lie the way over loopback, the frame's way to a decision, plan,
//! limits, journal (committed before anything leaves), both signatures and both HTTP requests, and
//! every time the system had to wake a thread, this process's included. No TLS: loopback speaks
//! plain HTTP.
//!
//! `cargo bench --bench latency -- [--shots N] [--every-ms N] [--key rsa|ed25519]
//! [--durability process|power] [--waiting sleep|poll]`

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up fails")]

mod program;
mod report;
mod stages;
mod venues;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbook::exchange::kalshi::keys::Kind;
use venues::{Addresses, Schedule, Venues};

/// The first account of every Anvil and Hardhat test chain, good for tests and nothing else.
const TEST_WALLET_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// More than all shots together can spend.
const LIMITS: &str = "\
loss_max = \"10\"
legs = \"concurrent\"
reconcile_every_s = 5
reconcile_grace_s = 2

[limits]
order = \"10000\"
market = \"1000000\"
pair = \"1000000\"
event = \"1000000\"
kalshi = \"1000000\"
polymarket = \"1000000\"
total = \"2000000\"
unconfirmed = \"1000000\"
stranded = \"100000\"
loss_per_day = \"100000\"
open_trades = 100
orders_per_s = 100
dust_market = \"1000\"
dust_total = \"1000\"
";

/// What is asked for on the command line.
struct Wishes {
    schedule: Schedule,
    key: Kind,
    durability: String,
    waiting: String,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, role, config, journal] = args.as_slice()
        && role == "program"
    {
        program::run(Path::new(config), Path::new(journal));
        return;
    }
    let wishes = wishes(&args);
    let folder = tempfile::tempdir().unwrap();
    let (venues, addresses) = Venues::start(wishes.key);
    let config = configure(folder.path(), &addresses, &wishes);
    let (mut program, told) = start(&config, &folder.path().join("journal.db"));
    let shots = venues.shoot(&wishes.schedule);
    drop(program.stdin.take());
    let _ = program.wait();
    let stamps = told.join().unwrap();
    report::print(&shots, &stamps, &wishes);
    // A gap that was not answered has no time to be counted with: left out, it would flatter.
    assert!(shots.iter().all(|shot| shot.latency().is_some()), "some gaps were not answered");
}

fn wishes(args: &[String]) -> Wishes {
    let after = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let number = |name: &str, usual: u64| after(name).map_or(usual, |text| text.parse().unwrap());
    Wishes {
        schedule: Schedule {
            shots: usize::try_from(number("--shots", 2_000)).unwrap(),
            every: Duration::from_millis(number("--every-ms", 140)),
        },
        key: if after("--key").as_deref() == Some("ed25519") { Kind::Ed25519 } else { Kind::Rsa },
        durability: after("--durability").unwrap_or_else(|| "process".to_owned()),
        waiting: after("--waiting").unwrap_or_else(|| "sleep".to_owned()),
    }
}

/// Writes keys and settings for the program.
fn configure(folder: &Path, at: &Addresses, wishes: &Wishes) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let secret = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let (pem, wallet) = (secret("kalshi.pem", &at.pem), secret("wallet.key", TEST_WALLET_KEY));
    let Wishes { durability, waiting, .. } = wishes;
    let Addresses { kalshi, kalshi_ws, clob, gamma, data, polymarket_ws, key_id, .. } = at;
    let text = format!(
        "[kalshi]\nrest = \"http://{kalshi}/trade-api/v2\"\nws = \"ws://{kalshi_ws}/trade-api/ws/v2\"\n\
         key_id = \"{key_id}\"\nkey_file = \"{pem}\"\nweekly_pause = \"none\"\n\n\
         [polymarket]\nclob = \"http://{clob}\"\ngamma = \"http://{gamma}\"\n\
         data = \"http://{data}\"\nws = \"ws://{polymarket_ws}/ws\"\nsite = \"http://{clob}\"\n\
         wallet_key_file = \"{wallet}\"\nconversions = \"venue\"\n\n\
         [journal]\ndurability = \"{durability}\"\n\n[trade]\nwaiting = \"{waiting}\"\n{LIMITS}"
    );
    let path = folder.join("settings.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Starts the program; it ends when its standard input does, and tells when it passed what.
fn start(config: &Path, journal: &Path) -> (Child, JoinHandle<Vec<stages::Stamp>>) {
    let mut program = Command::new(std::env::current_exe().unwrap())
        .arg("program")
        .args([config, journal])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(program.stdout.take().unwrap());
    let listening = std::thread::spawn(move || {
        let aloud = std::env::var_os("LATENCY_ALOUD").is_some();
        let mut stamps = Vec::new();
        for line in told.lines().map_while(Result::ok) {
            match stages::read(&line) {
                Some(stamp) => stamps.push(stamp),
                None if aloud => report::say(&line),
                None => {}
            }
        }
        stamps
    });
    (program, listening)
}

/// Shares what all threads of the venues look at.
type Shared = Arc<Venues>;
