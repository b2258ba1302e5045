//! One side of a book: price levels, best last.

use crate::domain::{Price, Quantity, Side};

/// What rests at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The price of YES.
    pub price: Price,
    /// How many contracts.
    pub quantity: Quantity,
}

/// The levels of one side, ordered worst to best, without empty ones.
///
/// Nearly all changes touch the best few levels, so the best is last: inserting and removing there
/// moves the fewest levels, and a search from the end finds them first.
#[derive(Debug, Clone)]
pub struct Ladder {
    side: Side,
    levels: Vec<Level>,
}

impl Ladder {
    /// An empty side.
    pub const fn new(side: Side) -> Self {
        Self { side, levels: Vec::new() }
    }

    /// Which side of YES this is.
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The best level, if any.
    pub fn best(&self) -> Option<Level> {
        self.levels.last().copied()
    }

    /// The levels from the worst to the best.
    pub fn worst_first(&self) -> &[Level] {
        &self.levels
    }

    /// The levels from the best to the worst.
    pub fn best_first(&self) -> impl DoubleEndedIterator<Item = Level> + ExactSizeIterator + '_ {
        self.levels.iter().rev().copied()
    }

    /// How many levels there are.
    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    /// What rests at `price`.
    pub fn at(&self, price: Price) -> Quantity {
        match self.find(price) {
            Ok(index) => self.levels[index].quantity,
            Err(_) => Quantity::ZERO,
        }
    }

    /// Everything that rests on this side.
    pub fn total(&self) -> Quantity {
        self.levels.iter().fold(Quantity::ZERO, |sum, level| sum.saturating_add(level.quantity))
    }

    /// Makes `quantity` what rests at `price`.
    pub fn set(&mut self, price: Price, quantity: Quantity) {
        match (self.find(price), quantity.is_zero()) {
            (Ok(index), false) => self.levels[index].quantity = quantity,
            (Ok(index), true) => {
                self.levels.remove(index);
            }
            (Err(index), false) => self.levels.insert(index, Level { price, quantity }),
            (Err(_), true) => {}
        }
        debug_assert!(self.is_ordered(), "ladder out of order after a change at {price}");
    }

    /// Forgets all levels, keeping the memory.
    pub fn clear(&mut self) {
        self.levels.clear();
    }

    /// A value that equal sides share, whatever order their levels arrived in.
    pub fn checksum(&self) -> u64 {
        self.levels.iter().fold(0, |sum, level| sum ^ level_checksum(self.side, *level))
    }

    /// How far from the best a price is: larger is better, on both sides.
    const fn rank(&self, price: Price) -> u16 {
        match self.side {
            Side::Bid => price.units(),
            Side::Ask => Price::ONE - price.units(),
        }
    }

    fn find(&self, price: Price) -> Result<usize, usize> {
        const NEAR: usize = 8;
        let rank = self.rank(price);
        let mut index = self.levels.len();
        let stop = index.saturating_sub(NEAR);
        while index > stop {
            let other = self.rank(self.levels[index - 1].price);
            if other == rank {
                return Ok(index - 1);
            }
            if other < rank {
                return Err(index);
            }
            index -= 1;
        }
        self.levels[..stop].binary_search_by_key(&rank, |level| self.rank(level.price))
    }

    fn is_ordered(&self) -> bool {
        self.levels.windows(2).all(|pair| self.rank(pair[0].price) < self.rank(pair[1].price))
    }
}

/// Mixes one level into a book checksum; combine with exclusive or.
pub const fn level_checksum(side: Side, level: Level) -> u64 {
    let side = match side {
        Side::Bid => 0x9E37_79B9_7F4A_7C15,
        Side::Ask => 0xC2B2_AE3D_27D4_EB4F,
    };
    let mut mixed = (level.quantity.units().unsigned_abs() ^ ((level.price.units() as u64) << 48))
        .wrapping_mul(side);
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ladder_equals_a_sorted_map(
            changes in prop::collection::vec((1u16..10_000, 0i64..5), 0..300),
            ask in any::<bool>(),
        ) {
            let side = if ask { Side::Ask } else { Side::Bid };
            let (mut ladder, mut map) = (Ladder::new(side), BTreeMap::new());
            for (units, lots) in changes {
                // Few distinct prices, so that levels are hit again.
                let price = Price::from_units(units % 40 + 1).unwrap();
                let quantity = Quantity::from_units(lots * Quantity::LOT).unwrap();
                ladder.set(price, quantity);
                if lots == 0 { map.remove(&price); } else { map.insert(price, quantity); }
            }
            let mut expected: Vec<_> = map.into_iter().collect();
            if !ask { expected.reverse(); }
            let found: Vec<_> = ladder.best_first().map(|l| (l.price, l.quantity)).collect();
            prop_assert_eq!(&found, &expected);
            for (price, quantity) in expected {
                prop_assert_eq!(ladder.at(price), quantity);
            }
        }
    }

    #[test]
    fn the_checksum_does_not_depend_on_the_order_of_arrival() {
        let levels = [(4_100, 5), (4_200, 7), (3_900, 1)];
        let build = |order: &[usize]| {
            let mut ladder = Ladder::new(Side::Bid);
            for &i in order {
                let price = Price::from_units(levels[i].0).unwrap();
                ladder.set(price, Quantity::contracts(levels[i].1));
            }
            ladder.checksum()
        };
        assert_eq!(build(&[0, 1, 2]), build(&[2, 0, 1]));
        assert_ne!(build(&[0, 1, 2]), build(&[0, 1]));
    }
}
