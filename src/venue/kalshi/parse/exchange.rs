//! Where the exchange trades: each shard by itself.

use crate::domain::market::Status;

use super::super::wire::http::ExchangeStatus;

/// Where orders are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trading {
    /// In every shard.
    Everywhere,
    /// In some shards, but not in these.
    NotIn(Vec<i64>),
    /// In none.
    Nowhere,
}

/// Where orders are taken.
pub fn trading(said: &ExchangeStatus) -> Trading {
    if said.exchange_index_statuses.is_empty() {
        let open = said.exchange_active && said.trading_active;
        return if open { Trading::Everywhere } else { Trading::Nowhere };
    }
    let closed: Vec<i64> = said
        .exchange_index_statuses
        .iter()
        .filter(|shard| !(shard.exchange_active && shard.trading_active))
        .map(|shard| shard.exchange_index)
        .collect();
    if closed.is_empty() {
        Trading::Everywhere
    } else if closed.len() == said.exchange_index_statuses.len() {
        Trading::Nowhere
    } else {
        Trading::NotIn(closed)
    }
}

/// Whether the markets of a shard take orders. The top level of the answer mirrors shard 0, so it
/// counts for a shard that is not listed and for a market whose shard is not known.
pub fn shard_status(said: &ExchangeStatus, shard: Option<u32>) -> Status {
    let listed = shard.and_then(|shard| {
        said.exchange_index_statuses.iter().find(|one| one.exchange_index == i64::from(shard))
    });
    let open = match listed {
        Some(one) => one.exchange_active && one.trading_active,
        None => said.exchange_active && said.trading_active,
    };
    if open { Status::Open } else { Status::Paused }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> ExchangeStatus {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_pause_of_one_shard_is_not_a_pause_of_the_others() {
        let said =
            said(include_str!("../../../../tests/data/kalshi/http_exchange_status_shards.json"));
        assert_eq!(trading(&said), Trading::NotIn(vec![2]));
        assert_eq!(shard_status(&said, Some(0)), Status::Open);
        assert_eq!(shard_status(&said, Some(2)), Status::Paused);
        assert_eq!(shard_status(&said, Some(9)), Status::Open, "not listed: the top level");
        assert_eq!(shard_status(&said, None), Status::Open);
    }

    #[test]
    fn an_exchange_without_shards_is_as_its_top_level_says() {
        let closed = said(r#"{"exchange_active":true,"trading_active":false}"#);
        assert_eq!(trading(&closed), Trading::Nowhere);
        assert_eq!(shard_status(&closed, Some(1)), Status::Paused);
        let open = said(r#"{"exchange_active":true,"trading_active":true}"#);
        assert_eq!(trading(&open), Trading::Everywhere);
        let paused = said(include_str!("../../../../tests/data/kalshi/http_exchange_status.json"));
        assert_eq!(trading(&paused), Trading::Nowhere);
    }
}
