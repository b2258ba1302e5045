//! The orders that are ours, and by which ids they are known.
//!
//! An order has two ids. The client id follows from the journal's name and the intent: it is known
//! before anything is sent, and it is what an `OrderId` holds until the venue has answered. The
//! venue's own id comes with the first message that names both, and from then on `OrderId`s in
//! evidence hold that one. Either finds the order.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::{Instance, IntentId, MarketIndex, Order, Quantity, Timestamp};

/// The id under which an order of this journal goes out: a UUID of version 8 whose first bytes are
/// the journal's tag.
///
/// Version and variant take the high bits of bytes 6 and 8, so the tag in bytes 0 to 3 stays whole,
/// and 90 bits of the intent's mark tell the orders of a journal apart.
pub fn client_id(instance: &Instance, intent: IntentId) -> String {
    let mark = instance.mark(intent);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&mark[..16]);
    Uuid::new_v8(bytes).hyphenated().to_string()
}

/// Whether a client id bears this journal's tag: an order of ours, though its record may be lost.
pub fn bears_tag(instance: &Instance, client_id: &str) -> bool {
    Uuid::try_parse(client_id).is_ok_and(|id| {
        id.get_version_num() == 8 && id.as_bytes()[..Instance::TAG_BYTES] == instance.tag()
    })
}

/// One of our orders.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) order: Order,
    /// The id it went out under.
    pub(super) client: String,
    /// The venue's id, once it is known.
    pub(super) id: Option<String>,
    /// Fills that have been reported, by their ids.
    pub(super) booked: BTreeMap<String, Quantity>,
    /// How much was filled when its fills were last asked for.
    pub(super) asked: Quantity,
}

impl Known {
    /// How much of it has been reported fill by fill.
    pub(super) fn booked(&self) -> Quantity {
        self.booked.values().fold(Quantity::ZERO, |sum, one| sum.saturating_add(*one))
    }
}

/// All of our orders that have not been forgotten.
#[derive(Debug, Default)]
pub(super) struct Roster {
    orders: BTreeMap<IntentId, Known>,
    by_client: BTreeMap<String, IntentId>,
    by_id: BTreeMap<String, IntentId>,
}

impl Roster {
    /// Takes an order in, or leaves it as it is known.
    pub(super) fn add(&mut self, order: &Order, client: String) {
        self.by_client.insert(client.clone(), order.intent);
        self.orders.entry(order.intent).or_insert_with(|| Known {
            order: order.clone(),
            client,
            id: None,
            booked: BTreeMap::new(),
            asked: Quantity::ZERO,
        });
    }

    /// Learns the venue's id of an order. The first one stays: false when there is another already,
    /// or when the id is another order's.
    pub(super) fn learn(&mut self, intent: IntentId, id: &str) -> bool {
        if id.is_empty() || self.by_id.get(id).is_some_and(|other| *other != intent) {
            return false;
        }
        let Some(known) = self.orders.get_mut(&intent) else { return false };
        if known.id.as_deref().is_some_and(|before| before != id) {
            return false;
        }
        known.id = Some(id.to_owned());
        self.by_id.insert(id.to_owned(), intent);
        true
    }

    pub(super) fn forget(&mut self, intent: IntentId) {
        if let Some(known) = self.orders.remove(&intent) {
            self.by_client.remove(&known.client);
            if let Some(id) = known.id {
                self.by_id.remove(&id);
            }
        }
    }

    pub(super) fn get(&self, intent: IntentId) -> Option<&Known> {
        self.orders.get(&intent)
    }

    pub(super) fn get_mut(&mut self, intent: IntentId) -> Option<&mut Known> {
        self.orders.get_mut(&intent)
    }

    /// The order that a message is about, by whichever id it names.
    pub(super) fn find(&self, id: &str, client: &str) -> Option<IntentId> {
        self.by_id.get(id).or_else(|| self.by_client.get(client)).copied()
    }

    /// When the first of our orders in a market was decided.
    pub(super) fn since(&self, market: MarketIndex) -> Option<Timestamp> {
        let there = self.orders.values().filter(|known| known.order.market == market);
        there.map(|known| known.order.at).min()
    }

    /// The orders whose id at the venue is not known.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = &Known> {
        self.orders.values().filter(|known| known.id.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_survives_in_a_uuid_of_version_8() {
        for name in 0..=255u8 {
            let (instance, other) = (Instance([name; 16]), Instance([name.wrapping_add(1); 16]));
            let id = client_id(&instance, IntentId(u64::from(name)));
            let parsed = Uuid::try_parse(&id).unwrap();
            assert_eq!(parsed.get_version_num(), 8);
            assert_eq!(parsed.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(parsed.as_bytes()[..4], instance.tag());
            assert!(bears_tag(&instance, &id) && bears_tag(&instance, &id.to_uppercase()));
            assert!(!bears_tag(&other, &id));
        }
    }

    #[test]
    fn client_ids_follow_from_the_intent_and_differ() {
        let instance = Instance([9; 16]);
        let ids: std::collections::BTreeSet<_> =
            (1..=1_000).map(|at| client_id(&instance, IntentId(at))).collect();
        assert_eq!(ids.len(), 1_000);
        assert_eq!(client_id(&instance, IntentId(5)), client_id(&instance, IntentId(5)));
    }

    #[test]
    fn foreign_ids_bear_no_tag() {
        let instance = Instance([9; 16]);
        for id in ["", "my-bot-1", "5f0a8c1e-1111-4222-8333-9c0d1e2f3a4b"] {
            assert!(!bears_tag(&instance, id), "{id}");
        }
        let ours = client_id(&instance, IntentId(1));
        let other_version = format!("{}4{}", &ours[..14], &ours[15..]);
        assert!(!bears_tag(&instance, &other_version), "version 4 is drawn by chance");
    }
}
