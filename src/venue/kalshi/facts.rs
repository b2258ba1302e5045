//! Addresses and limits of Kalshi's Trade API v2, each with its source and the date it was read.
//!
//! Sources: *docs* is docs.kalshi.com (pages `api_environments`, `rate_limits`, `websockets`,
//! `openapi.yaml` 3.34.0, `asyncapi.yaml`), *wire* is what recordings of public frames show.

use std::time::Duration;

/// REST of the exchange (docs, `api_environments`, May 2026). The older host
/// `api.elections.kalshi.com` serves the same.
pub const REST_URL: &str = "https://external-api.kalshi.com/trade-api/v2";
/// WebSocket of the exchange (docs, `api_environments`, May 2026); another host than REST.
pub const WS_URL: &str = "wss://external-api-ws.kalshi.com/trade-api/ws/v2";
/// REST of the demo exchange (docs, `api_environments`, May 2026); it has keys of its own.
pub const DEMO_REST_URL: &str = "https://external-api.demo.kalshi.co/trade-api/v2";
/// WebSocket of the demo exchange (docs, `api_environments`, May 2026).
pub const DEMO_WS_URL: &str = "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2";

/// How often the server pings (docs, `asyncapi.yaml`, autumn 2026).
pub const PING_EVERY: Duration = Duration::from_secs(10);
/// Silence beyond this is a dead connection: two and a half pings.
pub const SILENCE_MAX: Duration = Duration::from_secs(25);
/// How long an image may take after it was asked for. Our choice: images come within a second.
pub const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(5);
/// Tickers in one subscribe or update frame. Our choice: a frame of about 16 KiB.
pub const MARKETS_PER_FRAME: usize = 500;
/// Market subscriptions a session may hold (docs, changelog of 2026-06-18).
pub const MARKETS_PER_SESSION: usize = 500_000;

/// Which part of the reads that a key may make the order side keeps for itself; market facts get
/// the rest. The venue counts them together.
pub const ORDER_READS_PERCENT: u64 = 50;

/// How far the clock may be off: 5 s were accepted and 30 s refused on the demo exchange (wire,
/// June 2026), 10 s accepted and 60 s refused on the exchange (wire, October 2026).
pub const CLOCK_OFFSET_MAX: Duration = Duration::from_secs(5);

/// What a request costs when the venue does not say otherwise (docs, `rate_limits`, September
/// 2026).
pub const REQUEST_COST: u64 = 10;
/// Read tokens a second of the lowest tier (docs, `rate_limits`, September 2026), and the size of
/// its bucket (wire, `/account/limits`, June 2026).
pub const READ_TOKENS_PER_S: u64 = 200;
/// Write tokens a second of the lowest tier, and the size of its bucket (wire, `/account/limits`,
/// June 2026).
pub const WRITE_TOKENS_PER_S: u64 = 100;
/// Requests a second without a key. The limit is per address and not documented; 429 was seen at
/// two to five a second (wire, September 2026).
pub const UNSIGNED_REQUESTS_PER_S: u64 = 1;
/// First and longest wait after a 429, which carries no `Retry-After` (docs, `rate_limits`).
pub const LIMITED_WAIT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// Largest page of `/markets` (docs, `openapi.yaml` 3.34.0).
pub const MARKETS_PAGE: usize = 1_000;
/// Largest page of orders, fills, positions and settlements (docs, `openapi.yaml` 3.34.0).
pub const PORTFOLIO_PAGE: usize = 1_000;
/// Largest page of deposits and of withdrawals (docs, `openapi.yaml` 3.27.0).
pub const MOVEMENTS_PAGE: usize = 500;
/// Most tickers in one `/markets/orderbooks` (docs, `openapi.yaml` 3.34.0).
pub const ORDERBOOKS_MAX: usize = 100;
/// The deepest book that can be asked for; zero asks for all levels (docs, `openapi.yaml` 3.34.0).
pub const ORDERBOOK_DEPTH_ALL: u32 = 0;

/// Taker coefficient of the three quadratic fee types, in millionths (fee schedule of July 2026).
pub const TAKER_RATE_MILLIONTHS: u32 = 70_000;
/// Fee types whose taker coefficient is [`TAKER_RATE_MILLIONTHS`]; they differ in the maker's
/// (docs, `openapi.yaml` 3.34.0). Any other type, `flat` included, is an unknown fee.
pub const QUADRATIC_FEE_TYPES: [&str; 3] =
    ["quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees"];

/// The shortest RSA key that is accepted here; the venue makes keys of 2048 bits (docs,
/// `api_keys`).
pub const RSA_BITS_MIN: usize = 2_048;
