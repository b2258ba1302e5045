//! The embedded exchanges behind loopback servers, with agents that trade in real time.
//!
//! Each venue has its own HTTP and WebSocket listeners on 127.0.0.1. All state is behind one lock
//! that is never held across a wait. Every queue is bounded; everything ends with [`Running`].

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use zeroize::Zeroizing;

use crate::domain::{Timestamp, Venue};

use super::Core;
use super::faults::{Scheduled, Script};
use super::kalshi::keys::{KeyError, Kind, generate};
use super::kalshi::{Kalshi, Scope};
use super::world::World;
use http::Counter;
use hub::{Habits, Hub};

pub use hub::Image;

/// How often the cores look at the time, besides each step.
const TICK_EVERY: Duration = Duration::from_millis(20);
/// The shortest time between two steps.
const STEP_EVERY_MIN: Duration = Duration::from_millis(1);
/// How long the servers get to finish what they are at.
const STOP_MAX: Duration = Duration::from_secs(2);

type Shared = Arc<Mutex<Hub>>;

/// The ports to listen on; zero takes any that is free.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// Kalshi's REST API.
    pub kalshi_rest: u16,
    /// Kalshi's WebSocket.
    pub kalshi_ws: u16,
    /// Polymarket's CLOB.
    pub polymarket_clob: u16,
    /// Polymarket's Gamma.
    pub polymarket_gamma: u16,
    /// Polymarket's Data API.
    pub polymarket_data: u16,
    /// Polymarket's WebSocket.
    pub polymarket_ws: u16,
}

/// How the exchanges run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time from one step of the agents to the next.
    pub step_every: Duration,
    /// How many steps the agents make; `None` for no end. The servers stay up afterwards.
    pub steps: Option<u64>,
    /// What goes wrong, and when.
    pub faults: Vec<Scheduled>,
    /// Where to listen.
    pub ports: Ports,
    /// The kind of the Kalshi key that is made for the client.
    pub key: Kind,
    /// What that key may do.
    pub scopes: Vec<Scope>,
    /// The time.
    pub clock: fn() -> Timestamp,
    /// How many images of books to keep for tests; zero keeps none.
    pub images_max: usize,
}

/// Why the exchanges did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port could not be had.
    #[error("could not listen on 127.0.0.1:{port} for {server}")]
    Listen {
        /// Which server wanted it.
        server: &'static str,
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Both exchanges at work. Dropping it ends them; [`Running::stop`] waits for the end.
#[derive(Debug)]
pub struct Running {
    /// Kalshi's REST base, up to `/trade-api/v2`.
    pub kalshi_rest: String,
    /// Kalshi's WebSocket, up to `/trade-api/ws/v2`.
    pub kalshi_ws: String,
    /// Polymarket's CLOB base.
    pub polymarket_clob: String,
    /// Polymarket's Gamma base.
    pub polymarket_gamma: String,
    /// Polymarket's Data base.
    pub polymarket_data: String,
    /// Polymarket's WebSocket base, to which `/market` is added.
    pub polymarket_ws: String,
    /// The id of the client's Kalshi key.
    pub kalshi_key_id: String,
    /// The private half of that key.
    pub kalshi_key_pem: Zeroizing<String>,
    /// How many steps the agents have made.
    pub steps_done: watch::Receiver<u64>,
    shared: Shared,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Starts the servers and the agents.
pub async fn start(
    options: Options,
    world: World,
    polymarket: Box<dyn Core>,
) -> Result<Running, StartError> {
    let Options { step_every, steps, faults, ports, key, scopes, clock, images_max } = options;
    let step_every = step_every.max(STEP_EVERY_MIN);
    let key = generate(key, scopes)?;
    let kalshi_key_id = key.account.key_id.clone();
    let kalshi = Box::new(Kalshi::new(&world.kalshi, vec![key.account]));
    let habits = Habits { script: Script::new(faults), step_every, clock, images_max };
    let shared = Arc::new(Mutex::new(Hub::new(world, kalshi, polymarket, habits)));
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut serve_http = |server, listener: Listener| {
        let (venue, host) = server;
        let counter = Counter { venue, host, shared: Arc::clone(&shared) };
        tasks.spawn(http::serve(listener.socket, counter, stopped.clone()));
        listener.address
    };
    let (k, p) = (Venue::Kalshi, Venue::Polymarket);
    let rest = serve_http((k, None), listen("kalshi rest", ports.kalshi_rest).await?);
    let clob =
        serve_http((p, Some("clob")), listen("polymarket clob", ports.polymarket_clob).await?);
    let gamma =
        serve_http((p, Some("gamma")), listen("polymarket gamma", ports.polymarket_gamma).await?);
    let data =
        serve_http((p, Some("data")), listen("polymarket data", ports.polymarket_data).await?);
    let mut sockets = Vec::with_capacity(2);
    for (venue, server, port) in
        [(k, "kalshi ws", ports.kalshi_ws), (p, "polymarket ws", ports.polymarket_ws)]
    {
        let listener = listen(server, port).await?;
        sockets.push(listener.address);
        let server = socket::serve(listener.socket, venue, Arc::clone(&shared), stopped.clone());
        tasks.spawn(server);
    }
    let (report, steps_done) = watch::channel(0);
    let pace = Pace { step_every, steps };
    tasks.spawn(run(Arc::clone(&shared), pace, report, stopped));
    Ok(Running {
        kalshi_rest: socket::url("http", rest, "/trade-api/v2"),
        kalshi_ws: socket::url("ws", sockets[0], "/trade-api/ws/v2"),
        polymarket_clob: socket::url("http", clob, ""),
        polymarket_gamma: socket::url("http", gamma, ""),
        polymarket_data: socket::url("http", data, ""),
        polymarket_ws: socket::url("ws", sockets[1], "/ws"),
        kalshi_key_id,
        kalshi_key_pem: key.pem,
        steps_done,
        shared,
        stop,
        tasks,
    })
}

impl Running {
    /// The digest of the market history so far.
    pub fn digest(&self) -> String {
        lock(&self.shared).world().digest()
    }

    /// Lets every server show this text under `/embedded/card`: what a client on this machine needs
    /// to begin. Both statements stand under `/embedded/statement`.
    pub fn publish(&self, card: String) {
        lock(&self.shared).card = card;
    }

    /// What both venues know of the client's account, as of now.
    pub fn statements(&self) -> serde_json::Value {
        lock(&self.shared).statements()
    }

    /// How often each kind of fault struck each venue.
    pub fn faults_done(&self) -> BTreeMap<(Venue, &'static str), u64> {
        lock(&self.shared).struck().clone()
    }

    /// The books of a venue as they are, in the order of its listings. All frames about what they
    /// contain are queued.
    pub fn books(&self, venue: Venue) -> Vec<Image> {
        let hub = lock(&self.shared);
        let markets = hub.world().floor(venue).books.len();
        (0..markets).filter_map(|market| hub.image(venue, market, 0)).collect()
    }

    /// The images kept for tests, oldest first: every market at the start, and then each market
    /// whenever a step changed it.
    pub fn images(&self) -> Vec<Image> {
        lock(&self.shared).images().iter().cloned().collect()
    }

    /// Ends all connections, servers and agents, and waits for them.
    pub async fn stop(mut self) {
        // Without receivers all tasks have ended already.
        let _ = self.stop.send(true);
        lock(&self.shared).hang_up();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(STOP_MAX, all).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

/// How fast and how long the agents go.
#[derive(Debug, Clone, Copy)]
struct Pace {
    step_every: Duration,
    steps: Option<u64>,
}

/// Lets the agents step and the cores look at the time until told to stop.
async fn run(
    shared: Shared,
    pace: Pace,
    report: watch::Sender<u64>,
    mut stop: watch::Receiver<bool>,
) {
    let mut steps = interval(pace.step_every);
    // A step that comes late moves all later ones: pauses counted in steps never end early.
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks = interval(TICK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done = 0;
    loop {
        let more = pace.steps.is_none_or(|steps| done < steps);
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            _ = steps.tick(), if more => {
                done = lock(&shared).step();
                report.send_replace(done);
            }
            _ = ticks.tick() => lock(&shared).tick(),
        }
    }
}

/// A bound socket.
#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

async fn listen(server: &'static str, port: u16) -> Result<Listener, StartError> {
    let failed = |source| StartError::Listen { server, port, source };
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok(Listener { socket, address })
}

/// The hub, also after a panic in another task: its state is whole between any two calls.
fn lock(shared: &Shared) -> MutexGuard<'_, Hub> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

mod http;
mod hub;
mod socket;
