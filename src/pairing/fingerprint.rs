//! What a person accepts when a pair is accepted: everything that decides whether both contracts
//! pay on the same event, and what is held back for the doubt; nothing that only describes.

use sha2::{Digest as _, Sha256};

use super::{Pair, Payoff, Relation};

impl Pair {
    /// A hash of the contracts, the outcome, the relation, the payoff table, the resolution risk
    /// and the rules that were read, as 64 hex digits. An edit of any of them needs a new look;
    /// an edit of the title, the notes, the dates or the limits, which only tighten, does not.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Each part goes in with its length, so that no two lists of parts read alike.
        let mut take = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        };
        take("crossbook pair 1");
        take(&self.kalshi);
        take(&self.polymarket);
        take(&self.outcome);
        take(match self.relation {
            Relation::Same => "same",
            Relation::Opposite => "opposite",
        });
        take(&self.resolution_risk.to_string());
        // The order of the cases says nothing.
        let mut payoff: Vec<_> = self.payoff.iter().collect();
        payoff.sort_by(|one, other| one.case.cmp(&other.case));
        take(&payoff.len().to_string());
        for branch in payoff {
            take(&branch.case);
            take(&paid(branch.kalshi));
            take(&paid(branch.polymarket));
        }
        let rules = |of: fn(&super::Review) -> &Option<String>| {
            self.review.as_ref().and_then(|review| of(review).as_deref()).unwrap_or_default()
        };
        take(rules(|review| &review.kalshi_rules));
        take(rules(|review| &review.polymarket_rules));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn paid(payoff: Payoff) -> String {
    match payoff {
        Payoff::Fixed(money) => money.to_string(),
        Payoff::Last => "last".to_owned(),
        Payoff::Fair => "fair".to_owned(),
        Payoff::Refund => "refund".to_owned(),
        Payoff::AsResolved => "as-resolved".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Date, Money, Quantity};
    use crate::pairing::{Branch, Legs, Limits, PairId, Place, Review, Standing};

    fn pair() -> Pair {
        let branch = |case: &str, kalshi| Branch {
            case: case.to_owned(),
            kalshi,
            polymarket: Payoff::Fixed(Money::from_micros(500_000)),
        };
        Pair {
            id: PairId("fed".to_owned()),
            title: "Fed".to_owned(),
            relation: Relation::Same,
            standing: Standing::Approved,
            kalshi: "KX-A".to_owned(),
            polymarket: "0xb".to_owned(),
            outcome: "Yes".to_owned(),
            settles: None,
            resolution_risk: Money::from_micros(2_000),
            payoff: vec![branch("void", Payoff::Last), branch("tie", Payoff::Fair)],
            review: Some(Review {
                by: "reviewer".to_owned(),
                on: Date::constant(2026, 11, 20),
                kalshi_rules: Some("aa".to_owned()),
                polymarket_rules: Some("bb".to_owned()),
                notes: String::new(),
            }),
            limits: Limits::default(),
            place: Place { file: "a.toml".to_owned(), line: 1 },
        }
    }

    fn changed(change: impl FnOnce(&mut Pair)) -> bool {
        let mut other = pair();
        change(&mut other);
        other.fingerprint() != pair().fingerprint()
    }

    fn review(change: impl FnOnce(&mut Review)) -> bool {
        changed(|pair| change(pair.review.as_mut().unwrap()))
    }

    #[test]
    fn whatever_decides_on_the_payout_changes_it() {
        assert!(changed(|pair| pair.kalshi.push('X')));
        assert!(changed(|pair| pair.polymarket.push('0')));
        assert!(changed(|pair| pair.outcome = "No".to_owned()));
        assert!(changed(|pair| pair.relation = Relation::Opposite));
        assert!(changed(|pair| pair.resolution_risk = Money::ZERO));
        assert!(changed(|pair| pair.payoff[0].case = "early_close".to_owned()));
        assert!(changed(|pair| pair.payoff[0].kalshi = Payoff::Refund));
        assert!(changed(|pair| pair.payoff[1].polymarket = Payoff::AsResolved));
        assert!(changed(|pair| pair.payoff[1].polymarket = Payoff::Fixed(Money::ZERO)));
        assert!(changed(|pair| drop(pair.payoff.pop())));
        assert!(review(|review| review.kalshi_rules = Some("ab".to_owned())));
        assert!(review(|review| review.polymarket_rules = None));
        assert!(changed(|pair| pair.review = None));
        let moved = |pair: &mut Pair| {
            pair.kalshi = "KX-A0".to_owned();
            pair.polymarket = "xb".to_owned();
        };
        assert!(changed(moved), "parts cannot run into each other");
    }

    #[test]
    fn what_only_describes_or_tightens_does_not_change_it() {
        assert!(!changed(|pair| pair.title = "Fed holds".to_owned()));
        assert!(!changed(|pair| pair.standing = Standing::Suspended));
        assert!(!changed(|pair| pair.settles = Some(Date::constant(2026, 12, 9))));
        assert!(!changed(|pair| pair.place.line = 9));
        assert!(!changed(|pair| pair.payoff.reverse()));
        assert!(!review(|review| review.notes = "read twice".to_owned()));
        assert!(!review(|review| review.by = "another".to_owned()));
        let limits = Limits {
            contracts_max: Some(Quantity::contracts(5)),
            edge_min: Some(Money::from_micros(1)),
            legs: Some(Legs::KalshiFirst),
        };
        assert!(!changed(|pair| pair.limits = limits));
    }

    #[test]
    fn it_stays_what_it_was_when_it_was_accepted() {
        let print = pair().fingerprint();
        assert_eq!(print, "4d9f2423c2f676460f1c4df99401b63313e651bc75042c47b802d76f168fa3d3");
    }
}
