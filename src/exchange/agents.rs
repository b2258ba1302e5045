//! The traders who make the books move: makers, noise, and an arbitrageur.
//!
//! A question has one fair value, which drifts and sometimes jumps on news. Makers at both venues
//! quote around what they believe it is. After news the makers of one venue stay behind for a
//! while: that is how a gap opens. It closes when they catch up, which the arbitrageur's trades may
//! hasten. All numbers are integers and all chance comes from the seed. Values are in 1/10,000
//! dollars of YES as Kalshi words the question.

use crate::domain::market::Band;
use crate::domain::{Price, Quantity, Rate, Side};

use super::Fact;
use super::dice::Dice;
use super::matching::{Book, OrderNumber, Owner, Remainder, Resting, opposite};

/// How often news arrives about a question, per thousand steps.
const NEWS_PER_MILLE: u64 = 2;
/// What a gap is worth to whoever takes it, after fees and spreads.
const GAP_NET: (i64, i64) = (250, 550);
/// How many steps the slow makers stay behind.
const LAG_STEPS: (i64, i64) = (4, 60);
/// Fair values stay inside, so that both sides have room for a ladder.
const FAIR: (i64, i64) = (1_300, 8_700);
/// How often the fair value drifts, per thousand steps, and how far.
const DRIFT_PER_MILLE: u64 = 250;
const DRIFT: i64 = 12;
/// How far from its anchor news may lead the fair value before it must lead back.
const STRAY: i64 = 600;
/// How often a resting quote gets another size, per thousand steps of a market.
const RESIZE_PER_MILLE: u64 = 450;
/// How often somebody trades, per thousand steps of a market, and how many contracts.
const NOISE_PER_MILLE: u64 = 40;
const NOISE_CONTRACTS: (i64, i64) = (5, 150);
/// How many price levels beyond the best a trader of noise accepts.
const NOISE_REACH: i64 = 2;
/// How often the arbitrageur acts on a gap, and then how often the slow makers learn from it.
const ARBITRAGE_PER_MILLE: u64 = 30;
const LESSON_PER_MILLE: u64 = 500;
/// Quote sizes in whole contracts; some have two decimals.
const QUOTE_CONTRACTS: (i64, i64) = (15, 320);
const FRACTION_PER_MILLE: u64 = 200;

const NOISE: Owner = Owner(100);
const ARBITRAGEUR: Owner = Owner(200);

/// A maker's habits.
#[derive(Debug, Clone, Copy)]
struct Maker {
    owner: Owner,
    /// Distance of the best quote from the believed value.
    half_spread: i64,
    /// How many levels a side it keeps.
    levels: usize,
    /// How many levels beyond these it leaves in place.
    slack: usize,
}

/// The makers of every market. Together they keep 10 to 40 levels a side.
const MAKERS: [Maker; 2] = [
    Maker { owner: Owner(1), half_spread: 60, levels: 22, slack: 6 },
    Maker { owner: Owner(2), half_spread: 160, levels: 12, slack: 4 },
];

/// One of the two venues' markets of a question, as the agents see it.
#[derive(Debug)]
pub(super) struct Stall<'a> {
    pub(super) book: &'a mut Book,
    pub(super) bands: &'a [Band],
    pub(super) rate: Rate,
    /// Whether YES here is NO on Kalshi.
    pub(super) mirrored: bool,
    /// Whether the agents trade here in this step.
    pub(super) open: bool,
    /// What happened here in this step.
    pub(super) facts: Vec<Fact>,
}

/// What the makers of one venue have not heard yet.
#[derive(Debug, Clone, Copy)]
struct Lag {
    slow: usize,
    until: u64,
}

/// The value of a question, and what the makers at the two venues believe it is.
#[derive(Debug)]
pub(super) struct Opinion {
    fair: i64,
    anchor: i64,
    believed: [i64; 2],
    lag: Option<Lag>,
    dice: Dice,
}

impl Opinion {
    pub(super) fn new(anchor: u16, dice: Dice) -> Self {
        let fair = i64::from(anchor);
        Self { fair, anchor: fair, believed: [fair; 2], lag: None, dice }
    }

    /// Lets all agents of a question act once, in a fixed order.
    pub(super) fn step(&mut self, step: u64, stalls: &mut [Stall<'_>; 2]) {
        self.learn(step, stalls);
        for (venue, stall) in stalls.iter_mut().enumerate() {
            if !stall.open {
                continue;
            }
            let believed =
                if stall.mirrored { ONE - self.believed[venue] } else { self.believed[venue] };
            quote(stall, believed, &mut self.dice);
            if self.dice.chance(RESIZE_PER_MILLE) {
                resize(stall, &mut self.dice);
            }
            if self.dice.chance(NOISE_PER_MILLE) {
                noise(stall, &mut self.dice);
            }
        }
        self.arbitrage(step, stalls);
    }

    /// Moves the value, spreads news, and lets those who are behind catch up.
    fn learn(&mut self, step: u64, stalls: &[Stall<'_>; 2]) {
        let news = self.dice.chance(NEWS_PER_MILLE);
        let drift = self.dice.chance(DRIFT_PER_MILLE);
        match self.lag {
            Some(lag) if step < lag.until => return,
            Some(lag) => {
                self.believed[lag.slow] = self.fair;
                self.lag = None;
            }
            None => {}
        }
        // The makers of the second venue hear of a drift one step later than those of the first.
        self.believed[1] = self.fair;
        if drift {
            let pull = (self.anchor - self.fair).signum() * (DRIFT / 6);
            let moved = self.fair + self.dice.between(-DRIFT, DRIFT) + pull;
            self.fair = moved.clamp(FAIR.0, FAIR.1);
        }
        self.believed[0] = self.fair;
        if news && stalls.iter().all(|stall| stall.open) {
            self.break_news(step, stalls);
        }
    }

    fn break_news(&mut self, step: u64, stalls: &[Stall<'_>; 2]) {
        let fees: i64 = stalls.iter().map(|stall| fee(stall.rate, self.fair)).sum();
        let spreads = 2 * MAKERS[0].half_spread;
        // Quotes are rounded away from the value by half a tick a side on average.
        let rounding = stalls.iter().map(|stall| tick_at(stall.bands, self.fair) / 2).sum::<i64>();
        let size = fees + spreads + rounding + self.dice.between(GAP_NET.0, GAP_NET.1);
        let away = self.fair - self.anchor;
        let up = if away.abs() > STRAY { away < 0 } else { self.dice.chance(500) };
        let signed = if up { size } else { -size };
        let within = |value: i64| (FAIR.0..=FAIR.1).contains(&value);
        let Some(fair) =
            [self.fair + signed, self.fair - signed].into_iter().find(|value| within(*value))
        else {
            return;
        };
        let slow = self.dice.index(2);
        self.fair = fair;
        self.believed[1 - slow] = fair;
        let steps = self.dice.between(LAG_STEPS.0, LAG_STEPS.1);
        self.lag = Some(Lag { slow, until: step + steps.unsigned_abs() });
    }

    /// Takes the best quotes on both sides of a gap, sometimes.
    fn arbitrage(&mut self, step: u64, stalls: &mut [Stall<'_>; 2]) {
        let Some(lag) = self.lag else { return };
        if !self.dice.chance(ARBITRAGE_PER_MILLE) || stalls.iter().any(|stall| !stall.open) {
            return;
        }
        let slow_is_cheap = self.believed[lag.slow] < self.fair;
        let side_of = |venue: usize, mirrored: bool| {
            let buys = (venue == lag.slow) == slow_is_cheap;
            if buys == mirrored { Side::Ask } else { Side::Bid }
        };
        let sides = [side_of(0, stalls[0].mirrored), side_of(1, stalls[1].mirrored)];
        let best = [0, 1].map(|venue| stalls[venue].book.best(opposite(sides[venue])));
        let [Some((first, a)), Some((second, b))] = best else { return };
        let quantity = a.min(b);
        for (venue, price) in [first, second].into_iter().enumerate() {
            let Stall { book, facts, .. } = &mut stalls[venue];
            book.submit(ARBITRAGEUR, sides[venue], price, quantity, Remainder::Dropped, facts);
        }
        if self.dice.chance(LESSON_PER_MILLE) {
            self.lag = Some(Lag { until: step, ..lag });
        }
    }
}

const ONE: i64 = Price::ONE as i64;

/// The taker fee of one contract at a price, in 1/10,000 dollars, rounded up.
fn fee(rate: Rate, price: i64) -> i64 {
    let scaled = i64::from(rate.millionths()) * price * (ONE - price);
    (scaled + 9_999_999_999) / 10_000_000_000
}

/// Keeps every maker's ladder where it belongs: first all cancels, then all new quotes, so that no
/// maker trades with a quote that was about to go.
fn quote(stall: &mut Stall<'_>, believed: i64, dice: &mut Dice) {
    let resting: Vec<_> = stall.book.resting().collect();
    let mut wanted = Vec::with_capacity(MAKERS.len() * 2);
    for maker in MAKERS {
        for side in [Side::Bid, Side::Ask] {
            let levels = ladder(stall.bands, maker, side, believed);
            let kept = cancel_strays(stall, (maker, side), &levels, &resting);
            wanted.push((maker, side, levels, kept));
        }
    }
    for (maker, side, levels, kept) in wanted {
        for price in levels.iter().take(maker.levels) {
            if !kept.contains(price) {
                let quantity = size(dice);
                let Stall { book, facts, .. } = stall;
                book.submit(maker.owner, side, *price, quantity, Remainder::Rests, facts);
            }
        }
    }
}

/// Cancels the maker's orders that are not on `levels`; returns the prices of those that stay.
fn cancel_strays(
    stall: &mut Stall<'_>,
    (maker, side): (Maker, Side),
    levels: &[Price],
    resting: &[(Side, Price, Resting)],
) -> Vec<Price> {
    let own = resting.iter().filter(|(at, _, order)| *at == side && order.owner == maker.owner);
    let mut kept = Vec::with_capacity(levels.len());
    for (_, price, order) in own {
        if levels.contains(price) {
            kept.push(*price);
        } else {
            stall.book.cancel(order.number, &mut stall.facts);
        }
    }
    kept
}

/// The valid prices of a maker's side, best first, slack included.
fn ladder(bands: &[Band], maker: Maker, side: Side, believed: i64) -> Vec<Price> {
    let mut levels = Vec::with_capacity(maker.levels + maker.slack);
    let mut at = match side {
        Side::Bid => believed - maker.half_spread,
        Side::Ask => believed + maker.half_spread,
    };
    while levels.len() < maker.levels + maker.slack {
        let Some(price) = valid(bands, side, at) else { break };
        levels.push(price);
        at = match side {
            Side::Bid => i64::from(price.units()) - 1,
            Side::Ask => i64::from(price.units()) + 1,
        };
    }
    levels
}

/// The valid price nearest to `at` that is not better for the other side.
fn valid(bands: &[Band], side: Side, at: i64) -> Option<Price> {
    let in_band = |band: &Band| {
        let (start, end) = (i64::from(band.start), i64::from(band.end));
        let step = i64::from(band.step.max(1));
        let units = match side {
            Side::Bid if at < start => return None,
            Side::Bid => start + (at.min(end) - start) / step * step,
            Side::Ask if at > end => return None,
            Side::Ask => start + (at.max(start) - start + step - 1) / step * step,
        };
        (units <= end).then_some(units).and_then(price_of)
    };
    let candidates = bands.iter().filter_map(in_band);
    match side {
        Side::Bid => candidates.max(),
        Side::Ask => candidates.min(),
    }
}

fn price_of(units: i64) -> Option<Price> {
    u16::try_from(units).ok().and_then(Price::from_units)
}

fn tick_at(bands: &[Band], at: i64) -> i64 {
    let inside = |band: &&Band| at >= i64::from(band.start) && at <= i64::from(band.end);
    bands.iter().find(inside).map_or(0, |band| i64::from(band.step))
}

/// A quote's size: whole contracts, or now and then a size with two decimals.
fn size(dice: &mut Dice) -> Quantity {
    let contracts = dice.between(QUOTE_CONTRACTS.0, QUOTE_CONTRACTS.1);
    let lots = if dice.chance(FRACTION_PER_MILLE) { dice.between(1, 99) } else { 0 };
    let units = contracts * Quantity::CONTRACT + lots * Quantity::LOT;
    Quantity::from_units(units).unwrap_or(Quantity::MAX)
}

/// One quote of a maker is replaced by one of another size at the same price.
fn resize(stall: &mut Stall<'_>, dice: &mut Dice) {
    let owner = MAKERS[dice.index(MAKERS.len())].owner;
    let own: Vec<_> = stall.book.resting().filter(|(.., order)| order.owner == owner).collect();
    let quantity = size(dice);
    let Some(&(side, price, order)) = own.get(dice.index(own.len())) else { return };
    let Stall { book, facts, .. } = stall;
    book.cancel(order.number, facts);
    book.submit(owner, side, price, quantity, Remainder::Rests, facts);
}

/// Somebody trades at the best price, or a little beyond it.
fn noise(stall: &mut Stall<'_>, dice: &mut Dice) {
    let side = if dice.chance(500) { Side::Bid } else { Side::Ask };
    let contracts = dice.between(NOISE_CONTRACTS.0, NOISE_CONTRACTS.1);
    let reach = dice.between(0, NOISE_REACH);
    let reach = usize::try_from(reach).unwrap_or(0);
    let Some((price, _)) = stall.book.levels(opposite(side)).nth(reach) else { return };
    let quantity = Quantity::contracts(u32::try_from(contracts).unwrap_or(1));
    let Stall { book, facts, .. } = stall;
    book.submit(NOISE, side, price, quantity, Remainder::Dropped, facts);
}

/// All quotes of the agents are taken out of a book, as Kalshi does when a paused market resumes.
pub(super) fn withdraw(stall: &mut Stall<'_>) {
    let makes = |owner: Owner| MAKERS.iter().any(|maker| maker.owner == owner);
    let own: Vec<OrderNumber> = stall
        .book
        .resting()
        .filter(|(.., order)| makes(order.owner))
        .map(|(.., order)| order.number)
        .collect();
    for number in own {
        stall.book.cancel(number, &mut stall.facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tapered() -> Vec<Band> {
        [(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)]
            .map(|(start, end, step)| Band { start, end, step })
            .to_vec()
    }

    #[test]
    fn a_ladder_follows_the_bands_it_crosses() {
        let maker = Maker { owner: Owner(1), half_spread: 0, levels: 4, slack: 0 };
        let units = |side, at| {
            let prices = ladder(&tapered(), maker, side, at);
            prices.into_iter().map(Price::units).collect::<Vec<_>>()
        };
        assert_eq!(units(Side::Bid, 1_150), [1_100, 1_000, 990, 980]);
        assert_eq!(units(Side::Ask, 8_850), [8_900, 9_000, 9_010, 9_020]);
        assert_eq!(units(Side::Ask, 9_975), [9_980, 9_990], "a dollar is no price");
        assert_eq!(units(Side::Bid, 15), [10]);
    }

    #[test]
    fn fees_are_rounded_up_to_the_price_unit() {
        assert_eq!(fee(Rate::parse("0.07").unwrap(), 5_000), 175);
        assert_eq!(fee(Rate::parse("0.07").unwrap(), 100), 7, "0.000693 is rounded up");
        assert_eq!(fee(Rate::ZERO, 5_000), 0);
    }
}
