//! What the exchange tells of an account's budget, and what the order desk makes of it.

use crossbook::app::desk::{Desk, Keep, Rhythm};
use crossbook::execute::{Act, Record};

use super::*;

/// A journal that keeps nothing.
struct Nothing;

impl Keep for Nothing {
    fn append(&mut self, _: &[Record]) -> Result<(), String> {
        Ok(())
    }

    fn commit(&mut self, _: &[Record]) -> Result<(), String> {
        Ok(())
    }

    fn probe(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// How many orders the exchange takes in of an account, of a thousand wanted in each of two
/// seconds, and how many it refuses as too many.
fn taken_in(tier: exchange::Tier) -> (u64, u64) {
    let mut rig = Rig::of(WalletKind::Eoa, Wallet::Eoa, tier);
    let gateway = Box::new(Rig::plain().gateway);
    let mut desk = Desk::new(vec![gateway], Box::new(Nothing), Rhythm::default(), rig.now);
    let (mut taken, mut refused) = (0, 0);
    let until = rig.now.after(seconds(2));
    while rig.now < until {
        for _ in 0..20 {
            let order = rig.taking(1);
            desk.act(&Act::Place(order), &rig.markets, rig.now);
        }
        desk.dispatch(rig.now);
        for (id, call) in std::mem::take(&mut desk.outgoing) {
            let reply = rig.request(&call);
            match (&call.subject, reply.status) {
                (Subject::Place(_), 429) => refused += 1,
                (Subject::Place(_), _) => taken += 1,
                _ => {}
            }
            desk.answer(id, &answer_of(&reply), &rig.markets, rig.now);
        }
        rig.pass(Duration::from_millis(20));
        desk.tick(&rig.markets, rig.now);
    }
    (taken, refused)
}

#[test]
fn an_account_of_a_higher_tier_is_used_faster_and_none_is_overdrawn() {
    let (standard, refused) = taken_in(exchange::Tier::Standard);
    assert_eq!(refused, 0);
    assert!((100..=60 + 80).contains(&standard), "{standard}");
    let (gold, refused) = taken_in(exchange::Tier::Gold);
    assert_eq!(refused, 0);
    assert!(gold > 700, "{gold}");
    let (elite, refused) = taken_in(exchange::Tier::Elite);
    assert_eq!(refused, 0);
    assert!(elite > 1_050, "{elite}");
}
