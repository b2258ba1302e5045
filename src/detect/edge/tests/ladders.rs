//! No ladder, fee or term, however extreme, makes the walk panic or overflow.

use proptest::prelude::*;

use super::*;

fn fee() -> impl Strategy<Value = FeeModel> {
    let rate = (0u32..=1_000_000).prop_map(|millionths| Rate::from_millionths(millionths).unwrap());
    (rate, 0u8..=2, any::<bool>()).prop_map(|(rate, exponent, kalshi)| {
        if kalshi { FeeModel::kalshi(rate) } else { FeeModel::polymarket(rate, exponent).unwrap() }
    })
}

fn ladder() -> impl Strategy<Value = Ladder> {
    let most = Quantity::MAX.units();
    let units = prop_oneof![Just(1i64), Just(most), 1i64..20_000, 1i64..=most];
    let level = (prop_oneof![1u16..30, 1u16..10_000, 9_970u16..10_000], units);
    (any::<bool>(), prop::collection::vec(level, 0..12)).prop_map(|(ask, levels)| {
        let mut ladder = Ladder::new(if ask { Side::Ask } else { Side::Bid });
        for (at, units) in levels {
            ladder.set(Price::from_units(at).unwrap(), Quantity::from_units(units).unwrap());
        }
        ladder
    })
}

fn any_money() -> impl Strategy<Value = Money> {
    prop_oneof![any::<i64>(), -100i64..100_000, Just(i64::MIN), Just(i64::MAX), Just(0)]
        .prop_map(Money::from_micros)
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let most = Quantity::MAX.units();
    let cap = prop_oneof![Just(most), 0i64..30_000, 0i64..=most];
    (any_money(), cap, any_money(), any_money(), any_money()).prop_map(
        |(resolution_risk, cap, edge_min, edge_max, profit_min)| Terms {
            resolution_risk,
            contracts_max: Quantity::from_units(cap).unwrap(),
            edge_min,
            edge_max,
            profit_min,
        },
    )
}

fn minimum() -> impl Strategy<Value = Minimum> {
    (0i64..=Quantity::MAX.units(), any_money()).prop_map(|(units, notional)| Minimum {
        quantity: Quantity::from_units(units).unwrap(),
        notional,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_input_panics_and_what_is_found_keeps_its_terms(
        books in (ladder(), ladder()), fees in (fee(), fee()), terms in any_terms(),
        minimums in (prop_oneof![Just(LOT), minimum()], prop_oneof![Just(LOT), minimum()]),
    ) {
        let leg = |ladder, fee, minimum| Leg { outcome: Outcome::Yes, ladder, fee, minimum };
        let kalshi = leg(&books.0, fees.0, minimums.0);
        let polymarket = leg(&books.1, fees.1, minimums.1);
        let mut fills = Fills::default();
        if let Ok(edge) = walk(&kalshi, &polymarket, &terms, &mut fills) {
            prop_assert!(edge.profit.is_positive());
            prop_assert!(edge.quantity <= terms.contracts_max);
            prop_assert!(edge.edge >= terms.edge_min && edge.edge <= terms.edge_max);
            prop_assert!(edge.profit >= terms.profit_min);
            for (leg, side) in [(&kalshi, edge.kalshi), (&polymarket, edge.polymarket)] {
                prop_assert!(edge.quantity >= leg.minimum.quantity);
                prop_assert!(side.cost >= leg.minimum.notional);
            }
        }
    }
}
