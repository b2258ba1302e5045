//! Where what happened is kept.

use super::Reading;
use super::take::Take;
use crate::journal::Durability;

const DURABILITIES: [(&str, Durability); 2] =
    [("process", Durability::Process), ("power", Durability::Power)];

/// Where what happened is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The file of live trading.
    pub path: String,
    /// The file of paper trading.
    pub paper_path: String,
    /// What an order waits for before it leaves.
    pub durability: Durability,
}

pub(super) fn journal(reading: &mut Reading<'_>) -> Option<Journal> {
    let mut take = Take { group: reading.group("journal"), findings: &mut reading.findings };
    let path = take.plain("path", None);
    let paper_path = take.plain("paper_path", None);
    let durability = take.word("durability", &DURABILITIES);
    take.finish();
    Some(Journal { path: path?, paper_path: paper_path?, durability: durability? })
}
