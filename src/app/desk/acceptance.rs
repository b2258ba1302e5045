//! Which pairs may be traded, as far as a person on this machine decided it.

use std::collections::BTreeSet;

use crate::pairing::Pair;

/// Which pairs a person accepted on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// None.
    None,
    /// Every pair that is approved: nothing of value is traded.
    Approved,
    /// Those with these fingerprints.
    Fingerprints(BTreeSet<String>),
    /// Every pair that is approved, also where its rules are not known to be the reviewed ones:
    /// orders stay on this machine. Those with these fingerprints could be traded live.
    OnPaper(BTreeSet<String>),
}

impl Acceptance {
    /// Whether a pair was accepted as it stands.
    pub fn holds(&self, pair: &Pair) -> bool {
        match self {
            Self::None => false,
            Self::Approved | Self::OnPaper(_) => true,
            Self::Fingerprints(known) => known.contains(&pair.fingerprint()),
        }
    }

    /// A person accepts one more.
    pub fn take(&mut self, fingerprint: String) {
        match self {
            Self::None | Self::Approved => {}
            Self::Fingerprints(known) | Self::OnPaper(known) => {
                known.insert(fingerprint);
            }
        }
    }

    /// Whether a pair as it stands could be traded with money.
    pub fn holds_live(&self, pair: &Pair) -> bool {
        match self {
            Self::OnPaper(known) => known.contains(&pair.fingerprint()),
            other => other.holds(pair),
        }
    }
}
