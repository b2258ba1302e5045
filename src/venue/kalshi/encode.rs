//! Commands as text; `order` holds the requests that trade.

pub mod group;
pub mod order;

use serde::Serialize;

use super::parse::PriceMode;

/// The channel of books.
pub const BOOKS: &str = "orderbook_delta";
/// The channel of market lives.
pub const LIFECYCLE: &str = "market_lifecycle_v2";

/// The channels about an account. They know no filter that is needed and no order of their own.
pub const ACCOUNT: [&str; 4] = ["fill", "user_orders", "market_positions", "order_group_updates"];

/// What to do with the markets of a subscription that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Bring these too; an image of each follows.
    AddMarkets,
    /// Bring these no longer.
    DeleteMarkets,
    /// Send an image of each.
    GetSnapshot,
}

impl Change {
    const fn name(self) -> &'static str {
        match self {
            Self::AddMarkets => "add_markets",
            Self::DeleteMarkets => "delete_markets",
            Self::GetSnapshot => "get_snapshot",
        }
    }
}

#[derive(Serialize)]
struct Command<P> {
    id: u64,
    cmd: &'static str,
    params: P,
}

#[derive(Serialize)]
struct SubscribeBooks<'a> {
    channels: [&'static str; 1],
    market_tickers: &'a [&'a str],
    use_yes_price: bool,
}

#[derive(Serialize)]
struct SubscribeLifecycle {
    channels: [&'static str; 1],
}

#[derive(Serialize)]
struct SubscribeAccount {
    channels: [&'static str; ACCOUNT.len()],
}

#[derive(Serialize)]
struct Update<'a> {
    sid: u64,
    action: &'static str,
    market_tickers: &'a [&'a str],
}

#[derive(Serialize)]
struct Unsubscribe {
    sids: [u64; 1],
}

/// Subscribes to books. The scale of NO prices is always said: the venue's default will change.
pub fn encode_subscribe_books(id: u64, tickers: &[&str], mode: PriceMode) -> String {
    let use_yes_price = match mode {
        PriceMode::OwnLeg => false,
        PriceMode::Yes => true,
    };
    let params = SubscribeBooks { channels: [BOOKS], market_tickers: tickers, use_yes_price };
    text(&Command { id, cmd: "subscribe", params })
}

/// Subscribes to the lives of all markets; the channel knows no filter.
pub fn encode_subscribe_lifecycle(id: u64) -> String {
    text(&Command { id, cmd: "subscribe", params: SubscribeLifecycle { channels: [LIFECYCLE] } })
}

/// Subscribes to what concerns the account that signed the handshake.
pub fn encode_subscribe_account(id: u64) -> String {
    text(&Command { id, cmd: "subscribe", params: SubscribeAccount { channels: ACCOUNT } })
}

/// Changes the markets of a subscription.
pub fn encode_update(id: u64, sid: u64, change: Change, tickers: &[&str]) -> String {
    let params = Update { sid, action: change.name(), market_tickers: tickers };
    text(&Command { id, cmd: "update_subscription", params })
}

/// Ends a subscription.
pub fn encode_unsubscribe(id: u64, sid: u64) -> String {
    text(&Command { id, cmd: "unsubscribe", params: Unsubscribe { sids: [sid] } })
}

/// Strings and numbers always serialise: an empty text can't happen, and the venue would refuse it.
fn text<P: Serialize>(command: &Command<P>) -> String {
    serde_json::to_string(command).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_written_as_the_venue_documents_them() {
        assert_eq!(
            encode_subscribe_books(1, &["A", "B"], PriceMode::OwnLeg),
            concat!(
                r#"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"#,
                r#""market_tickers":["A","B"],"use_yes_price":false}}"#
            )
        );
        assert!(
            encode_subscribe_books(1, &["A"], PriceMode::Yes).contains(r#""use_yes_price":true"#)
        );
        assert_eq!(
            encode_subscribe_lifecycle(2),
            r#"{"id":2,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#
        );
        assert_eq!(
            encode_subscribe_account(2),
            concat!(
                r#"{"id":2,"cmd":"subscribe","params":"#,
                r#"{"channels":["fill","user_orders","market_positions","order_group_updates"]}}"#
            )
        );
        assert_eq!(
            encode_update(3, 1, Change::AddMarkets, &["C"]),
            concat!(
                r#"{"id":3,"cmd":"update_subscription","params":"#,
                r#"{"sid":1,"action":"add_markets","market_tickers":["C"]}}"#
            )
        );
        assert!(encode_update(3, 1, Change::DeleteMarkets, &["C"]).contains("delete_markets"));
        assert!(encode_update(3, 1, Change::GetSnapshot, &["C"]).contains("get_snapshot"));
        assert_eq!(
            encode_unsubscribe(5, 1),
            r#"{"id":5,"cmd":"unsubscribe","params":{"sids":[1]}}"#
        );
    }

    #[test]
    fn a_ticker_can_not_break_out_of_its_string() {
        let text = encode_update(3, 1, Change::AddMarkets, &["a\"],\"sid\":9"]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["params"]["sid"], 1);
    }
}
