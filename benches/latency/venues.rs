//! Both venues on loopback, out of the embedded exchanges' cores, with blocking threads: what is
//! read is stamped by the thread that read it, before anything else happens.

mod http;
mod socket;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crossbook::app::clock;
use crossbook::domain::{Money, Price, Quantity, Side, Timestamp, Venue};
use crossbook::exchange::kalshi::keys::{Kind, generate};
use crossbook::exchange::kalshi::{Kalshi, Scope};
use crossbook::exchange::matching::{Book, OrderNumber, Owner, Remainder};
use crossbook::exchange::polymarket::Polymarket;
use crossbook::exchange::world::World;
use crossbook::exchange::{Connection, Core, Fact, Floor, Push};
use crossbook::net::clock::unix_nanos;

use super::Shared;
use socket::Writer;

/// Makes all quotes.
const MAKER: Owner = Owner(1);
/// What a gap offers: little, so that many shots cost little.
const CONTRACTS: u32 = 6;
/// Questions of approved pairs whose contracts pay on the same event.
const MARKETS: [usize; 6] = [0, 1, 2, 5, 6, 7];
/// Shots that come first and are not counted: connections are made, caches fill.
const WARM_UP: usize = 4 * MARKETS.len();
/// A shot is over when so many others have followed.
const LOOK_BACK: u32 = 4;
/// How long the program has to start: it trades once readings of both accounts have agreed, and a
/// venue may limit them.
const START: Duration = Duration::from_secs(20);

/// When gaps open.
pub(crate) struct Schedule {
    pub(crate) shots: usize,
    pub(crate) every: Duration,
}

/// One gap, and when its orders arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shot {
    /// How late it was opened.
    pub(crate) late: Duration,
    /// When its frame was handed to the system, in nanoseconds since 1970.
    pub(crate) at: i64,
    /// From then to the last byte of Kalshi's and of Polymarket's first order.
    pub(crate) read: [Option<Duration>; 2],
}

impl Shot {
    /// To the last byte of the later order.
    pub(crate) fn latency(&self) -> Option<Duration> {
        Some(self.read[0]?.max(self.read[1]?))
    }
}

/// Where the program finds everything.
pub(crate) struct Addresses {
    pub(crate) kalshi: SocketAddr,
    pub(crate) kalshi_ws: SocketAddr,
    pub(crate) clob: SocketAddr,
    pub(crate) gamma: SocketAddr,
    pub(crate) data: SocketAddr,
    pub(crate) polymarket_ws: SocketAddr,
    pub(crate) key_id: String,
    pub(crate) pem: String,
}

/// Everything behind the one lock.
struct State {
    kalshi: Kalshi,
    polymarket: Polymarket,
    world: World,
    writers: BTreeMap<Connection, (Venue, Writer)>,
    connections: u64,
}

/// Both venues.
pub(crate) struct Venues {
    state: Mutex<State>,
    /// The open shot of each question.
    open: Mutex<[Option<Shot>; 8]>,
    /// What an order names: the tickers, and both tokens of each question.
    names: [Vec<Vec<String>>; 2],
}

impl Venues {
    /// Opens both venues, with quiet books.
    pub(crate) fn start(kind: Kind) -> (Shared, Addresses) {
        let mut world = World::new(1);
        for venue in Venue::ALL {
            for book in &mut world.floor_mut(venue).books {
                *book = quiet(venue);
            }
        }
        let key = generate(kind, vec![Scope::Read, Scope::WriteTrade]).unwrap();
        let key_id = key.account.key_id.clone();
        let plenty = Money::from_micros(1_000_000 * Money::DOLLAR);
        let shards: Vec<_> = (0..4).map(|shard| (shard, plenty)).collect();
        let kalshi = Kalshi::new(&world.kalshi, vec![key.account]).funded(0, &shards);
        let tickers = world.kalshi.listings.iter().map(|listing| vec![listing.id.clone()]);
        let tokens = world.polymarket.listings.iter().map(|listing| {
            let (yes, no) = listing.tokens.clone();
            vec![yes, no]
        });
        let names = [tickers.collect(), tokens.collect()];
        let state = State {
            kalshi,
            polymarket: Polymarket::new(),
            world,
            writers: BTreeMap::new(),
            connections: 0,
        };
        let venues =
            Arc::new(Self { state: Mutex::new(state), open: Mutex::new([None; 8]), names });
        let (k, p) = (Venue::Kalshi, Venue::Polymarket);
        let rest = |venue, host: &'static str| {
            serve(&venues, move |venues, stream| http::talk(&venues, stream, venue, host))
        };
        let ws = |venue| serve(&venues, move |venues, stream| socket::talk(&venues, stream, venue));
        let addresses = Addresses {
            kalshi: rest(k, ""),
            kalshi_ws: ws(k),
            clob: rest(p, "clob"),
            gamma: rest(p, "gamma"),
            data: rest(p, "data"),
            polymarket_ws: ws(p),
            key_id,
            pem: key.pem.to_string(),
        };
        let ticking = Arc::clone(&venues);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(20));
                for venue in Venue::ALL {
                    ticking.with(venue, |core, floor, now, out| core.tick(floor, now, out));
                }
            }
        });
        (venues, addresses)
    }

    /// Opens a gap at each time of the schedule, whatever became of those before it.
    pub(crate) fn shoot(&self, schedule: &Schedule) -> Vec<Shot> {
        let mut shots = Vec::new();
        let mut planted: [Option<OrderNumber>; 8] = [None; 8];
        let start = Instant::now() + START;
        let all = u32::try_from(schedule.shots + WARM_UP).unwrap();
        // The last ones are only looked back from.
        for number in 0..all + LOOK_BACK {
            let due = start + schedule.every * number;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let at = |number: u32| MARKETS[number as usize % MARKETS.len()];
            if number < all {
                planted[at(number)] = Some(self.plant(at(number), due));
            }
            let rest = due + schedule.every / 2;
            std::thread::sleep(rest.saturating_duration_since(Instant::now()));
            // One that opened a while ago is over.
            if let Some(old) = number.checked_sub(LOOK_BACK) {
                let shot = self.tidy(at(old), planted[at(old)].take());
                if old as usize >= WARM_UP {
                    shots.extend(shot);
                }
            }
        }
        shots
    }

    /// Offers YES on Kalshi below what Polymarket bids for it.
    fn plant(&self, market: usize, due: Instant) -> OrderNumber {
        let mut state = self.lock();
        let mut facts = Vec::new();
        let book = &mut state.world.kalshi.books[market];
        let size = Quantity::contracts(CONTRACTS);
        let order = book.submit(MAKER, Side::Ask, price(4_400), size, Remainder::Rests, &mut facts);
        let mut out = Vec::new();
        let State { kalshi, world, .. } = &mut *state;
        kalshi.report(market, &facts, &world.kalshi, clock::now(), &mut out);
        let late = due.elapsed();
        let at = unix_nanos();
        self.open.lock().unwrap()[market] = Some(Shot { late, at, read: [None; 2] });
        deliver(&mut state, out);
        order
    }

    /// Takes back what is left of a gap and restores the books.
    fn tidy(&self, market: usize, planted: Option<OrderNumber>) -> Option<Shot> {
        let shot = self.open.lock().unwrap()[market].take();
        self.change(Venue::Kalshi, market, |book, facts| {
            if let Some(number) = planted {
                book.cancel(number, facts);
            }
        });
        self.change(Venue::Polymarket, market, |book, facts| {
            let (best, full) = (price(5_000), Quantity::contracts(DEPTH));
            let gone = full.saturating_sub(book.at(Side::Bid, best));
            if !gone.is_zero() {
                book.submit(MAKER, Side::Bid, best, gone, Remainder::Rests, facts);
            }
        });
        shot
    }

    fn change(&self, venue: Venue, market: usize, act: impl FnOnce(&mut Book, &mut Vec<Fact>)) {
        self.with(venue, |core, floor, now, out| {
            let mut facts = Vec::new();
            act(&mut floor.books[market], &mut facts);
            if !facts.is_empty() {
                core.report(market, &facts, floor, now, out);
            }
        });
    }

    /// An order's last byte was read: the first one of its venue counts for the open shot.
    fn note(&self, venue: Venue, body: &str, at: i64) {
        let place = usize::from(venue == Venue::Polymarket);
        let named = |names: &Vec<String>| names.iter().any(|name| body.contains(name.as_str()));
        let Some(market) = self.names[place].iter().position(named) else { return };
        if let Some(shot) = &mut self.open.lock().unwrap()[market] {
            let since = u64::try_from(at - shot.at).unwrap_or(0);
            shot.read[place].get_or_insert(Duration::from_nanos(since));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets a core act and writes what it pushes.
    fn with<T>(
        &self,
        venue: Venue,
        act: impl FnOnce(&mut dyn Core, &mut Floor, Timestamp, &mut Vec<Push>) -> T,
    ) -> T {
        let mut state = self.lock();
        let mut out = Vec::new();
        let State { kalshi, polymarket, world, .. } = &mut *state;
        let core: &mut dyn Core = match venue {
            Venue::Kalshi => kalshi,
            Venue::Polymarket => polymarket,
        };
        let result = act(core, world.floor_mut(venue), clock::now(), &mut out);
        deliver(&mut state, out);
        result
    }
}

/// How much Polymarket bids at its best.
const DEPTH: u32 = 5_000;

/// A book without a gap: what Kalshi offers is dearer than what Polymarket bids.
fn quiet(venue: Venue) -> Book {
    let (bid, ask) = match venue {
        Venue::Kalshi => (4_300, 5_200),
        Venue::Polymarket => (5_000, 5_200),
    };
    let mut book = Book::default();
    let size = Quantity::contracts(DEPTH);
    for level in 0..10 {
        for (side, units) in [(Side::Bid, bid - 100 * level), (Side::Ask, ask + 100 * level)] {
            book.submit(MAKER, side, price(units), size, Remainder::Rests, &mut Vec::new());
        }
    }
    book
}

fn price(units: u16) -> Price {
    Price::from_units(units).unwrap()
}

fn deliver(state: &mut State, out: Vec<Push>) {
    for push in out {
        let (connection, sent) = match push {
            Push::Text(connection, text) => (connection, Some(socket::Frame::Text(text))),
            Push::Ping(connection, body) => (connection, Some(socket::Frame::Ping(body))),
            Push::Cut(connection) | Push::Stall(connection) => (connection, None),
        };
        let open = match (sent, state.writers.get_mut(&connection)) {
            (Some(frame), Some((_, writer))) => writer.send(frame),
            _ => false,
        };
        if !open {
            state.writers.remove(&connection);
        }
    }
}

/// Listens, with a thread for each connection.
fn serve(venues: &Shared, talk: impl Fn(Shared, TcpStream) + Send + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let venues = Arc::clone(venues);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            stream.set_nodelay(true).unwrap();
            let (venues, talk) = (Arc::clone(&venues), talk.clone());
            std::thread::spawn(move || talk(venues, stream));
        }
    });
    address
}
