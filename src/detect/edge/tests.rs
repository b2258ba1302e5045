use super::*;
use crate::book::Ladder;
use crate::domain::{Rate, Timestamp};

mod brute;
mod ladders;
mod vectors;

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn kalshi_fee(rate: &str) -> FeeModel {
    FeeModel::kalshi(Rate::parse(rate).unwrap())
}

fn polymarket_fee(rate: &str) -> FeeModel {
    FeeModel::polymarket(Rate::parse(rate).unwrap(), 1).unwrap()
}

/// A ladder that offers `levels` of a contract, at the contract's own prices.
fn offering(outcome: Outcome, levels: &[(&str, &str)]) -> Ladder {
    let side = match outcome {
        Outcome::Yes => Side::Ask,
        Outcome::No => Side::Bid,
    };
    let mut ladder = Ladder::new(side);
    for (at, count) in levels {
        let own = price(at);
        let yes = if outcome == Outcome::Yes { own } else { own.mirror() };
        ladder.set(yes, quantity(count));
    }
    ladder
}

const LOT: Minimum = Minimum { quantity: Quantity::ZERO, notional: Money::ZERO };

fn terms() -> Terms {
    Terms {
        resolution_risk: Money::ZERO,
        contracts_max: Quantity::MAX,
        edge_min: Money::ZERO,
        edge_max: Money::from_micros(Money::DOLLAR),
        profit_min: Money::ZERO,
    }
}

/// Two ladders with the fees and minimums of an ordinary politics market.
struct Case {
    kalshi: Ladder,
    polymarket: Ladder,
    kalshi_minimum: Minimum,
    polymarket_minimum: Minimum,
    fills: Fills,
}

impl Case {
    fn new(kalshi: &[(&str, &str)], polymarket: &[(&str, &str)]) -> Self {
        Self {
            kalshi: offering(Outcome::Yes, kalshi),
            polymarket: offering(Outcome::No, polymarket),
            kalshi_minimum: LOT,
            polymarket_minimum: LOT,
            fills: Fills::default(),
        }
    }

    fn walk(&mut self, terms: &Terms) -> Result<Edge, NoEdge> {
        let kalshi = Leg {
            outcome: Outcome::Yes,
            ladder: &self.kalshi,
            fee: kalshi_fee("0.07"),
            minimum: self.kalshi_minimum,
        };
        let polymarket = Leg {
            outcome: Outcome::No,
            ladder: &self.polymarket,
            fee: polymarket_fee("0.04"),
            minimum: self.polymarket_minimum,
        };
        walk(&kalshi, &polymarket, terms, &mut self.fills)
    }
}

#[test]
fn the_example_of_the_record_comes_out_to_the_last_micro_dollar() {
    // Half a cent of risk aside, the third Kalshi level costs more than it pays.
    let mut case = Case::new(
        &[("0.42", "50"), ("0.43", "70"), ("0.47", "500")],
        &[("0.52", "120"), ("0.55", "900")],
    );
    let terms = Terms { resolution_risk: money("0.002"), ..terms() };
    let edge = case.walk(&terms).unwrap();
    let fills = |fills: &[(Price, Quantity)]| format!("{fills:?}");
    assert_eq!(fills(&case.fills.kalshi), "[(0.4200, 50.00), (0.4300, 70.00)]");
    assert_eq!(fills(&case.fills.polymarket), "[(0.5200, 120.00)]");
    assert_eq!(edge.quantity, quantity("120.00"));
    assert_eq!(edge.payout, money("120.000000"));
    assert_eq!(edge.cost, money("113.500000"));
    assert_eq!(edge.fees, money("3.251680"));
    assert_eq!(edge.resolution_risk, money("0.240000"));
    assert_eq!(edge.profit, money("3.008320"));
    assert_eq!(edge.edge, money("0.025069"));
    assert_eq!(
        edge.kalshi,
        LegEdge { limit: price("0.43"), cost: money("51.1"), fee: money("2.053600") }
    );
    assert_eq!(
        edge.polymarket,
        LegEdge { limit: price("0.52"), cost: money("62.4"), fee: money("1.198080") }
    );
    let now = Timestamp::parse("2026-11-22T10:00:00.123456Z").unwrap();
    let settles = "2026-12-09".parse().unwrap();
    assert_eq!(annualised(edge.profit, edge.cost + edge.fees, now, settles), Some(567));
}

#[test]
fn both_outcomes_are_bought_at_their_own_price() {
    let (kalshi, polymarket) =
        (offering(Outcome::No, &[("0.40", "10")]), offering(Outcome::Yes, &[("0.50", "10")]));
    let free = FeeModel::kalshi(Rate::ZERO);
    let leg = |outcome, ladder| Leg { outcome, ladder, fee: free, minimum: LOT };
    let mut fills = Fills::default();
    let edge =
        walk(&leg(Outcome::No, &kalshi), &leg(Outcome::Yes, &polymarket), &terms(), &mut fills)
            .unwrap();
    assert_eq!(fills.kalshi, [(price("0.40"), quantity("10"))]);
    assert_eq!(fills.polymarket, [(price("0.50"), quantity("10"))]);
    assert_eq!(edge.profit, money("1"));
}

#[test]
fn an_empty_side_is_no_depth() {
    assert_eq!(Case::new(&[], &[("0.5", "10")]).walk(&terms()), Err(NoEdge::NoDepth));
    assert_eq!(Case::new(&[("0.5", "10")], &[]).walk(&terms()), Err(NoEdge::NoDepth));
}

#[test]
fn a_dollar_that_costs_a_dollar_is_below_threshold() {
    for (k, p) in [("0.50", "0.50"), ("0.48", "0.50"), ("0.9999", "0.0001")] {
        let found = Case::new(&[(k, "100")], &[(p, "100")]).walk(&terms());
        assert_eq!(found, Err(NoEdge::BelowThreshold), "{k} + {p}");
    }
}

#[test]
fn the_walk_ends_where_a_share_stops_paying() {
    let mut case = Case::new(
        &[("0.40", "10"), ("0.41", "10"), ("0.53", "10")],
        &[("0.45", "15"), ("0.46", "10"), ("0.47", "10")],
    );
    let edge = case.walk(&terms()).unwrap();
    assert_eq!(edge.quantity, quantity("20"));
    assert_eq!(edge.kalshi.limit, price("0.41"));
    assert_eq!(edge.polymarket.limit, price("0.46"));
}

#[test]
fn the_cap_and_the_thresholds_hold() {
    let mut case = Case::new(&[("0.42", "50")], &[("0.52", "120")]);
    let capped = Terms { contracts_max: quantity("20"), ..terms() };
    let edge = case.walk(&capped).unwrap();
    assert!(edge.quantity <= quantity("20") && edge.quantity >= quantity("19.9"));
    let edge = case.walk(&terms()).unwrap();
    let just = Terms { edge_min: edge.edge, profit_min: edge.profit, ..terms() };
    assert_eq!(case.walk(&just), Ok(edge));
    let micro = Money::from_micros(1);
    for strict in [
        Terms { edge_min: edge.edge + micro, ..terms() },
        Terms { profit_min: edge.profit + micro, ..terms() },
        Terms { resolution_risk: edge.edge + micro + micro, ..terms() },
    ] {
        assert_eq!(case.walk(&strict), Err(NoEdge::BelowThreshold));
    }
    let wary = Terms { edge_max: edge.edge - micro, ..terms() };
    assert_eq!(case.walk(&wary), Err(NoEdge::TooGood));
    assert_eq!(case.walk(&Terms { edge_max: edge.edge, ..terms() }), Ok(edge));
}

#[test]
fn less_than_a_venue_takes_is_below_minimum() {
    let order = |count: &str, dollars: &str| Minimum {
        quantity: quantity(count),
        notional: money(dollars),
    };
    let mut case = Case::new(&[("0.80", "9")], &[("0.10", "9")]);
    assert!(case.walk(&terms()).is_ok());
    case.polymarket_minimum = order("5", "1");
    assert_eq!(case.walk(&terms()), Err(NoEdge::BelowMinimum), "0.90 dollars are below one");
    case.polymarket_minimum = order("9.01", "0");
    assert_eq!(case.walk(&terms()), Err(NoEdge::BelowMinimum));
    case.polymarket_minimum = order("9", "0.9");
    assert!(case.walk(&terms()).is_ok(), "exactly the minimum is enough");
    case.kalshi_minimum = order("9.01", "0");
    assert_eq!(case.walk(&terms()), Err(NoEdge::BelowMinimum));
    let dust = Terms { contracts_max: Quantity::from_units(9_999).unwrap(), ..terms() };
    case.kalshi_minimum = LOT;
    assert_eq!(case.walk(&dust), Err(NoEdge::BelowMinimum), "less than a lot");
}

#[test]
fn polymarket_is_bought_for_whole_cents_and_kalshi_takes_whole_lots_of_it() {
    // 33.33 shares at 0.37 cost 12.3321 dollars: 12.33 buy 33.324324 of them. The search below
    // finds the 33.00 shares that cost 12.21 to the cent, or better.
    let mut case = Case::new(&[("0.55", "33.33")], &[("0.37", "100")]);
    let edge = case.walk(&terms()).unwrap();
    assert!(edge.quantity.units() % Quantity::LOT == 0);
    let bought = fit::total(&case.fills.polymarket);
    let surplus = bought.units() - edge.quantity.units();
    assert!((0..Quantity::LOT).contains(&surplus), "{surplus}");
    assert_eq!(edge.polymarket.cost.micros() % 10_000, 0, "{:?}", edge.polymarket);
}

#[test]
fn a_smaller_quantity_is_taken_where_its_surplus_is_cheaper() {
    // At 0.03 left per share, the fraction of a lot that 100.01 shares drag along costs more than
    // the few lots down to the next quantity that comes out even in cents.
    let mut case = Case::new(&[("0.50", "100.01")], &[("0.45", "100.01")]);
    let edge = case.walk(&terms()).unwrap();
    assert_eq!(edge.quantity, quantity("100.00"));
    assert_eq!(edge.polymarket.cost, money("45.00"));
}

#[test]
fn the_fills_of_an_earlier_walk_are_gone() {
    let mut case = Case::new(&[("0.42", "50"), ("0.43", "50")], &[("0.50", "100")]);
    case.walk(&terms()).unwrap();
    let two = case.fills.clone();
    case.kalshi = offering(Outcome::Yes, &[("0.42", "50")]);
    case.walk(&terms()).unwrap();
    assert_eq!((two.kalshi.len(), case.fills.kalshi.len()), (2, 1));
}
