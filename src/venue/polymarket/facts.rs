//! Polymarket's addresses and limits, each with its source and date.
//!
//! Sources: the official clients `polymarket-client` 0.14.0 (Python), `clob-client-v2` 1.1.0
//! (TypeScript) and `polymarket_client_sdk_v2` 0.9.0 (Rust), October 2026; docs.polymarket.com,
//! August to October 2026; issues of those clients where named.

use std::time::Duration;

/// Polygon, the chain that settles orders.
pub const CHAIN_ID: u64 = 137;

/// REST of the order books (official clients, 2026-10).
pub const CLOB_URL: &str = "https://clob.polymarket.com";
/// REST of the market facts (official clients, 2026-10).
pub const GAMMA_URL: &str = "https://gamma-api.polymarket.com";
/// REST of positions and payments (official clients, 2026-10).
pub const DATA_URL: &str = "https://data-api.polymarket.com";
/// The site, which judges where we are; not an API host (docs, geoblocking, 2026-10).
pub const SITE_URL: &str = "https://polymarket.com";
/// How far the data API lags: one to three minutes (field notes of users, 2026-07).
pub const DATA_LAG: Duration = Duration::from_secs(180);
/// Base of the WebSocket channels; `/market` and `/user` are added (official clients, 2026-10).
pub const WS_URL: &str = "wss://ws-subscriptions-clob.polymarket.com/ws";
/// Path of the market channel behind the base.
pub const MARKET_CHANNEL: &str = "/market";
/// Path of the user channel behind the base.
pub const USER_CHANNEL: &str = "/user";

/// Most asset ids in one subscription frame: a frame with thousands makes the server close the
/// socket at once (rs-clob-client-v2 issues 116 and 117, 2026-09-12).
pub const IDS_PER_FRAME: usize = 100;
/// Most asset ids on one connection: undocumented; beyond 500 no images came (`nautilus_trader`
/// issue 2915, 2025-08-30), and 200 is what that project settled on.
pub const IDS_PER_CONNECTION: usize = 200;
/// Most markets on one connection: each has two tokens.
pub const MARKETS_PER_CONNECTION: usize = IDS_PER_CONNECTION / 2;
/// How often the official Rust client sends the text `PING` (0.9.0); the server drops a silent
/// connection some 20 s after the last one.
pub const PING_EVERY: Duration = Duration::from_secs(5);
/// How long the official Rust client waits for the text `PONG` (0.9.0).
pub const PONG_MAX: Duration = Duration::from_secs(15);

/// Most ids in one call of Gamma with repeated keys (seen in use, 2026-10).
pub const GAMMA_IDS_MAX: usize = 100;
/// Most markets on one page of `/markets/keyset` and `/events/keyset` (docs, 2026-10).
pub const GAMMA_PAGE_MAX: usize = 100;
/// Most orders in one `POST /orders` (docs, 2026-10).
pub const ORDERS_MAX: usize = 15;
/// The least time from now that the end of a `GTD` order may name: 180 s by the official Python
/// client (2026-10), 60 or 90 s in older texts; the longest is the safe one.
pub const RESTING_AHEAD_MIN: Duration = Duration::from_secs(180);
/// By how much a `GTD` order ends before the time that it names (docs, order types, 2026-10).
pub const RESTING_CUT: Duration = Duration::from_secs(60);
/// Most ids in one `DELETE /orders`: 1,000 in the API description, 3,000 in the guide (2026-10);
/// the smaller one holds either way.
pub const CANCELS_MAX: usize = 1_000;
/// The nonce that all official clients make API keys with (2026-10).
pub const API_KEY_NONCE: u64 = 0;
/// Most tokens in one `POST /books` (docs, 2026-10).
pub const BOOKS_MAX: usize = 500;

/// Requests in ten seconds that an address may send (docs, rate limits, August to October 2026).
pub mod limit {
    /// All of the CLOB.
    pub const CLOB: u64 = 9_000;
    /// `GET /book`.
    pub const BOOK: u64 = 1_500;
    /// `POST /books`.
    pub const BOOKS: u64 = 500;
    /// Gamma `/events`.
    pub const GAMMA_EVENTS: u64 = 500;
    /// Gamma `/markets`.
    pub const GAMMA_MARKETS: u64 = 300;
}

/// How long the engine takes only resting orders after a restart, where its answer does not say how
/// much of that is left (docs, matching engine, 2026-10).
pub const POST_ONLY_LASTS: Duration = Duration::from_secs(120);

/// What a signer may send, by the volume of its account (docs, CLOB trading rate limits, 2026-10).
pub mod tier {
    /// What is left of the bucket that a request is charged to; below zero where cancels owe some.
    pub const REMAINING: &str = "poly-ratelimit-remaining";
    /// When a request that was refused could be taken, in whole seconds of Unix time; of one that
    /// was taken it may be the present.
    pub const RESET: &str = "poly-ratelimit-reset";
    /// The tier's name.
    pub const TIER: &str = "poly-ratelimit-tier";
    /// `true` when a request would have been refused had the limits been enforced.
    pub const WARNING: &str = "poly-ratelimit-warning";
    /// All of them.
    pub const HEADERS: &[&str] = &[REMAINING, RESET, TIER, WARNING];

    /// Each tier's name, its orders in a second and its orders at once; cancels are double.
    pub const ALL: [(&str, u64, u64); 8] = [
        ("standard", 40, 60),
        ("copper", 60, 90),
        ("bronze", 80, 120),
        ("silver", 200, 300),
        ("gold", 400, 600),
        ("platinum", 450, 675),
        ("diamond", 525, 787),
        ("elite", 600, 900),
    ];
    /// The cancels of the one tier whose burst is not quite double that of its orders.
    pub const DIAMOND_CANCELS: u64 = 1_575;
}

/// Contracts on Polygon (official clients, 2026-10).
pub mod contract {
    /// pUSD, the collateral.
    pub const COLLATERAL: &str = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB";
    /// Conditional Tokens, which holds the outcomes of all but Protocol V2.
    pub const OUTCOMES: &str = "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045";
    /// `PositionManager`, which holds the positions of Protocol V2.
    pub const POSITIONS: &str = "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF";
    /// The exchange of CLOB V2.
    pub const EXCHANGE: &str = "0xE111180000d2663C0091e4f400237545B87B996B";
    /// The neg-risk exchange of CLOB V2.
    pub const NEG_RISK_EXCHANGE: &str = "0xe2222d279d744050d28e00520010520000310F59";
    /// `ExchangeV3` of Protocol V2.
    pub const EXCHANGE_V3: &str = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa";
    /// What splits, merges and redeems outcomes of standard markets.
    pub const ADAPTER: &str = "0xAdA100Db00Ca00073811820692005400218FcE1f";
    /// What splits, merges and redeems outcomes of neg-risk markets.
    pub const NEG_RISK_ADAPTER: &str = "0xadA2005600Dec949baf300f4C6120000bDB6eAab";
    /// What splits, merges and redeems positions of Protocol V2.
    pub const ROUTER: &str = "0x12121212006e4CD160D18e3f00711DA5c3372600";
}

/// What makes wallets for owners on Polygon (`polymarket-client` 0.14.0, 2026-10).
pub mod factory {
    use alloy_primitives::{Address, B256, address, b256};

    /// Makes proxies of the early e-mail accounts.
    pub const PROXY: Address = address!("aB45c5A4B0c941a2F231C04C3f49182e1A254052");
    /// What such a proxy does.
    pub const PROXY_IMPLEMENTATION: Address = address!("44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f");
    /// Makes Safes of the early browser accounts.
    pub const SAFE: Address = address!("aacFeEa03eb1561C4e67d661e40682Bd20E3541b");
    /// The hash of the code that makes such a Safe.
    pub const SAFE_CODE_HASH: B256 =
        b256!("2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf");
    /// Makes deposit wallets.
    pub const DEPOSIT: Address = address!("00000000000Fb5C9ADea0298D729A0CB3823Cc07");
    /// What a deposit wallet of the first form does.
    pub const DEPOSIT_IMPLEMENTATION: Address =
        address!("58CA52ebe0DadfdF531Cde7062e76746de4Db1eB");
    /// Where a deposit wallet of the second form asks what it does.
    pub const DEPOSIT_BEACON: Address = address!("7A18EDfe055488A3128f01F563e5B479D92ffc3a");
}

/// Least dollars of a marketable order, in whole dollars (official clients' order checks, 2026-10).
pub const NOTIONAL_MIN_DOLLARS: i64 = 1;
/// The longest taker delay reported for markets with `itode` set: 250 ms on the docs page, less in
/// the changelog of 2026-08-17 and 2026-09-04; the longest is the safe one.
pub const ITODE_DELAY: Duration = Duration::from_millis(250);
