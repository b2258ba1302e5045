//! Order groups: the venue's own brake. When what a group matched within 15 s exceeds its limit,
//! the venue cancels its orders and takes no new ones until it is reset.

use serde::Serialize;

use super::super::rest::{Query, escape};
use super::order::{Request, refused};
use crate::venue::Error;

const GROUPS: &str = "/portfolio/order_groups";
/// The highest limit of a group in contracts (docs, `order_groups`, August 2026).
const LIMIT_MAX: u32 = 1_000_000;

#[derive(Serialize)]
struct Limit {
    contracts_limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_index: Option<u32>,
}

/// What is done to a group that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It takes orders again.
    Reset,
    /// Its orders are cancelled and new ones refused, now.
    Trigger,
    /// It has a new limit, in whole contracts.
    Limit(u32),
    /// It is no more.
    Delete,
}

/// Makes a group on one shard, with a limit in whole contracts.
pub fn encode_create_group(contracts_limit: u32, shard: u32) -> Result<Request, Error> {
    let body = Limit { contracts_limit: checked(contracts_limit)?, exchange_index: Some(shard) };
    Ok(Request::of("POST", format!("{GROUPS}/create"), &body))
}

/// Asks for a group and its orders.
pub fn encode_get_group(id: &str) -> Result<Request, Error> {
    Ok(Request::get(&path(id, "")?, &Query::none()))
}

/// Changes a group.
pub fn encode_change_group(id: &str, change: Change) -> Result<Request, Error> {
    let bare = |method, rest| Ok(Request::bare(method, path(id, rest)?, &Query::none()));
    match change {
        Change::Reset => bare("PUT", "/reset"),
        Change::Trigger => bare("PUT", "/trigger"),
        Change::Delete => bare("DELETE", ""),
        Change::Limit(limit) => {
            let body = Limit { contracts_limit: checked(limit)?, exchange_index: None };
            Ok(Request::of("PUT", path(id, "/limit")?, &body))
        }
    }
}

fn path(id: &str, rest: &str) -> Result<String, Error> {
    if id.trim().is_empty() || id.bytes().all(|byte| byte == b'.') {
        return Err(refused("an order group", "it has no id"));
    }
    Ok(format!("{GROUPS}/{}{rest}", escape(id)))
}

fn checked(limit: u32) -> Result<u32, Error> {
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(refused("an order group", "its limit is not between 1 and 1,000,000 contracts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_made_changed_and_ended_by_their_own_paths() {
        let made = encode_create_group(500, 2).unwrap();
        assert_eq!((made.method, &*made.path), ("POST", "/portfolio/order_groups/create"));
        let body = made.body.unwrap();
        assert_eq!(body, r#"{"contracts_limit":500,"exchange_index":2}"#);
        let get = encode_get_group("g 1").unwrap();
        assert_eq!((get.method, &*get.path), ("GET", "/portfolio/order_groups/g%201"));
        for (change, method, end) in [
            (Change::Reset, "PUT", "/reset"),
            (Change::Trigger, "PUT", "/trigger"),
            (Change::Limit(7), "PUT", "/limit"),
            (Change::Delete, "DELETE", ""),
        ] {
            let request = encode_change_group("g", change).unwrap();
            assert_eq!(request.method, method);
            assert_eq!(request.path, format!("/portfolio/order_groups/g{end}"));
            assert_eq!(request.body.is_some(), matches!(change, Change::Limit(_)));
        }
    }

    #[test]
    fn a_group_without_an_id_or_with_a_strange_limit_is_refused() {
        assert!(encode_get_group("").is_err());
        assert!(encode_change_group(" ", Change::Delete).is_err());
        assert!(encode_change_group("..", Change::Delete).is_err());
        assert!(encode_create_group(0, 0).is_err());
        assert!(encode_create_group(1_000_001, 0).is_err());
    }
}
