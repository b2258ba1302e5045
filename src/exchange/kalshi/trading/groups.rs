//! The endpoints of order groups.

use serde_json::{Value, json};

use crate::domain::{Quantity, Timestamp};
use crate::exchange::Floor;

use super::change::Sweep;
use super::group::{self, Group, LIMITS};
use super::order::Reason;
use super::ticket::{Fields, Refused};
use super::{Trading, member::Member, order};

/// The number at the end of an id that is shaped as a UUID.
pub(super) fn tail(id: &str) -> Option<u64> {
    u64::from_str_radix(id.rsplit_once('-')?.1, 16).ok()
}

/// The number of a group's id.
pub(super) fn number_of(id: &str) -> Option<u64> {
    tail(id).filter(|number| group::id_of(*number) == id)
}

fn limit_of(fields: &Fields) -> Result<Quantity, Refused> {
    let whole = fields.integer("contracts_limit")?;
    let fixed = fields.count("contracts_limit_fp")?;
    let limit = match (whole, fixed) {
        (Some(whole), _) => whole.checked_mul(Quantity::CONTRACT),
        (None, Some(fixed)) => Some(fixed.units()),
        (None, None) => None,
    };
    let range = LIMITS.0 * Quantity::CONTRACT..=LIMITS.1 * Quantity::CONTRACT;
    let limit = limit.filter(|limit| range.contains(limit)).and_then(Quantity::from_units);
    limit.ok_or(Refused::invalid("contracts_limit must be between 1 and 1000000"))
}

fn missing() -> Refused {
    Refused::new(404, "not_found")
}

/// A group as its endpoint shows it.
pub(super) fn value(member: &Member, number: u64) -> Option<Value> {
    let group = member.groups.get(&number)?;
    let orders: Vec<String> = member
        .resting()
        .filter(|order| order.group == Some(number))
        .map(|order| order::id_of(order.serial))
        .collect();
    Some(json!({
        "is_auto_cancel_enabled": true, "contracts_limit_fp": group.limit.to_string(),
        "orders": orders, "exchange_index": group.shard,
    }))
}

/// All groups of a member.
pub(super) fn list(member: &Member) -> Value {
    let one = |(number, group): (&u64, &Group)| {
        json!({
            "id": group::id_of(*number), "contracts_limit_fp": group.limit.to_string(),
            "is_auto_cancel_enabled": true, "exchange_index": group.shard,
        })
    };
    member.groups.iter().map(one).collect()
}

impl Trading {
    pub(super) fn create_group(
        &mut self,
        place: usize,
        fields: &Fields,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let limit = limit_of(fields)?;
        let index = fields.integer("exchange_index")?.unwrap_or(0);
        let shard = u32::try_from(index).map_err(|_| Refused::invalid("exchange_index"))?;
        self.last_group += 1;
        let number = self.last_group;
        let member = self.members.get_mut(place).ok_or(missing())?;
        member.groups.insert(number, Group::new(limit, shard));
        let msg = group::update("created", number, Some(limit), now);
        self.tell(place, "order_group_updates", None, msg);
        Ok(json!({
            "order_group_id": group::id_of(number), "subaccount": 0, "exchange_index": shard,
        }))
    }

    /// Resets, trips, limits or deletes a group.
    pub(super) fn change_group(
        &mut self,
        place: usize,
        id: &str,
        action: &str,
        body: &[u8],
        floor: &mut Floor,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let number = number_of(id).ok_or(missing())?;
        let member = self.members.get_mut(place).ok_or(missing())?;
        let group = member.groups.get_mut(&number).ok_or(missing())?;
        let (kind, limit) = match action {
            "reset" => {
                group.reset();
                ("reset", None)
            }
            "trigger" => {
                group.triggered = true;
                ("triggered", None)
            }
            "limit" => {
                group.limit = limit_of(&Fields::parse(body)?)?;
                ("limit_updated", Some(group.limit))
            }
            _ => ("deleted", None),
        };
        if matches!(kind, "triggered" | "deleted") {
            self.sweep(Sweep::Group(place, number), Reason::GROUP, floor, now);
        }
        if let Some(member) = self.members.get_mut(place).filter(|_| kind == "deleted") {
            member.groups.remove(&number);
        }
        let msg = group::update(kind, number, limit, now);
        self.tell(place, "order_group_updates", None, msg);
        Ok(json!({}))
    }
}
