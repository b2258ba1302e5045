//! Order groups: the venue's own brake on what this program may trade in one burst.
//!
//! A group is made at the start on every shard that holds cash, anew with each run. All orders go
//! out in the group of their shard, and none that begins anything goes out without one; what hedges
//! a leg that an earlier run left alone does not wait until the group is there. When more than its
//! limit matched within 15 seconds, the venue cancels the group's orders and takes no new ones
//! until somebody resets it: then nothing new is begun, and a person has to look. What the venue
//! itself lets do no more than reduce goes out beside a group that tripped, since a brake that
//! strands a leg does harm.

use std::collections::BTreeMap;

use crate::domain::report::Permission;
use crate::domain::{Order, Report, Timestamp, Venue};
use crate::venue::Error;
use crate::venue::gateway::{Answer, Class, Subject, Taken};

use super::super::encode::group::encode_create_group;
use super::super::encode::order::is_reduce_only;
use super::super::parse::tame;
use super::super::wire::portfolio as wire;
use super::inquiry::read_page;
use super::{Gateway, unknown};

pub(super) const NAME: &str = "order_group";

/// One shard's group.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Group {
    /// It was asked for.
    Asked,
    /// It takes orders.
    Open(String),
    /// It takes none until it is reset.
    Tripped(String),
}

/// The groups of all shards in use.
#[derive(Debug, Default)]
pub(super) struct Brake {
    groups: BTreeMap<u32, Group>,
    /// Whether a permission waits for the groups that were asked for.
    is_awaited: bool,
}

impl Brake {
    /// The group that an order goes out in.
    fn of(&self, order: &Order, shard: u32) -> Result<Option<&str>, Error> {
        let refuse = |why: &str| Err(unknown(&order.intent.to_string(), why));
        match self.groups.get(&shard) {
            Some(Group::Open(id)) => Ok(Some(id)),
            _ if is_reduce_only(order) => Ok(None),
            Some(Group::Tripped(_)) => refuse("the order group of its shard has tripped"),
            Some(Group::Asked) | None if order.purpose.reduces() => Ok(None),
            Some(Group::Asked) | None => refuse("its shard has no order group yet"),
        }
    }

    /// Why nothing may be opened, if a group has tripped.
    fn tripped(&self) -> Option<String> {
        let is_tripped = |group: &Group| matches!(group, Group::Tripped(_));
        let (shard, _) = self.groups.iter().find(|(_, group)| is_tripped(group))?;
        Some(format!(
            "the order group of shard {shard} has tripped: more was traded within 15 s than \
             kalshi.order_group_contracts; look why, then reset it at kalshi or start again"
        ))
    }

    fn find(&mut self, id: &str) -> Option<(u32, &mut Group)> {
        let is = |group: &Group| matches!(group, Group::Open(of) | Group::Tripped(of) if of == id);
        self.groups.iter_mut().find(|(_, group)| is(group)).map(|(shard, group)| (*shard, group))
    }
}

impl Gateway {
    /// The group that an order goes out in; `None` where there is no brake, or it does not apply.
    pub(super) fn group_of(&self, order: &Order, shard: u32) -> Result<Option<String>, Error> {
        if self.settings.order_group_contracts.is_none() {
            return Ok(None);
        }
        self.brake.of(order, shard).map(|group| group.map(str::to_owned))
    }

    /// The account may trade as far as the venue goes, and cash lies on these shards: the groups
    /// that are missing there are asked for, and the permission waits for them.
    pub(super) fn set_brakes(&mut self, shards: &[u32], now: Timestamp, taken: &mut Taken) {
        let Some(limit) = self.settings.order_group_contracts else { return };
        for shard in shards {
            if matches!(self.brake.groups.get(shard), Some(Group::Open(_) | Group::Tripped(_))) {
                continue;
            }
            let subject = Subject::Other(NAME, shard.to_string());
            let call = encode_create_group(limit, *shard)
                .and_then(|request| self.call(subject, Class::Cancel, request, now));
            match call {
                Ok(call) => {
                    self.brake.groups.insert(*shard, Group::Asked);
                    taken.calls.push(call);
                }
                Err(error) => taken.notices.push(error.to_string()),
            }
        }
        self.brake.is_awaited = true;
        self.permit_braked(taken);
    }

    /// Says that the account may trade, once every group that was asked for is there.
    fn permit_braked(&mut self, taken: &mut Taken) {
        let waits = self.brake.groups.values().any(|group| *group == Group::Asked);
        if !self.brake.is_awaited || waits {
            return;
        }
        self.brake.is_awaited = false;
        let permission = match self.brake.tripped() {
            Some(why) => Permission::ReadOnly(why),
            None if self.brake.groups.is_empty() => {
                Permission::ReadOnly("no order group could be made".to_owned())
            }
            None => Permission::Open,
        };
        taken.reports.push(Report::Permission { venue: Venue::Kalshi, permission });
    }

    pub(super) fn read_group(&mut self, shard: &str, answer: &Answer<'_>, taken: &mut Taken) {
        let Ok(shard) = shard.parse::<u32>() else { return };
        if self.brake.groups.get(&shard) != Some(&Group::Asked) {
            return;
        }
        match read_page::<wire::OrderGroup>(answer, "order group") {
            Ok(group) if !group.order_group_id.trim().is_empty() => {
                self.brake.groups.insert(shard, Group::Open(group.order_group_id));
                self.permit_braked(taken);
            }
            said => {
                let why = said.err().unwrap_or_else(|| "it has no id".to_owned());
                self.brake.groups.remove(&shard);
                self.brake.is_awaited = false;
                let permission = Permission::ReadOnly(format!(
                    "the order group of shard {shard} could not be made ({why}); \
                     kalshi.order_group_contracts = 0 goes without"
                ));
                taken.reports.push(Report::Permission { venue: Venue::Kalshi, permission });
            }
        }
    }

    /// A group of ours changed, by the venue's hand or somebody's.
    pub(super) fn take_group(&mut self, said: &wire::OrderGroupUpdate, taken: &mut Taken) {
        let Some((shard, group)) = self.brake.find(&said.order_group_id) else { return };
        let id = said.order_group_id.clone();
        match said.event_type.as_str() {
            "triggered" => *group = Group::Tripped(id),
            "reset" => *group = Group::Open(id),
            "deleted" => {
                self.brake.groups.remove(&shard);
                let why = format!("the order group of shard {shard} was deleted");
                let permission = Permission::ReadOnly(why);
                taken.reports.push(Report::Permission { venue: Venue::Kalshi, permission });
                return;
            }
            "limit_updated" => {
                let limit = tame(said.contracts_limit_fp.as_deref().unwrap_or("unknown"));
                let text = format!("the order group of shard {shard} has a new limit: {limit}");
                taken.notices.push(text);
                return;
            }
            _ => return,
        }
        self.brake.is_awaited = true;
        self.permit_braked(taken);
    }

    /// An order was refused with these words: they may say that its group has tripped, where the
    /// channel was down when that happened.
    pub(super) fn hear_refusal(
        &mut self,
        order: &Order,
        shard: u32,
        text: &str,
        taken: &mut Taken,
    ) {
        let text = text.to_ascii_lowercase().replace([' ', '-'], "_");
        let Some(group) = self.brake.groups.get_mut(&shard) else { return };
        let Group::Open(id) = group else { return };
        if !text.contains("order_group") {
            return;
        }
        let id = std::mem::take(id);
        if text.contains("not_found") {
            self.brake.groups.remove(&shard);
            let why = format!("the order group of {} is gone", order.intent);
            let permission = Permission::ReadOnly(why);
            taken.reports.push(Report::Permission { venue: Venue::Kalshi, permission });
            return;
        }
        *group = Group::Tripped(id);
        self.brake.is_awaited = true;
        self.permit_braked(taken);
    }
}
