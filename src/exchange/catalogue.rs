//! The eight invented questions that both exchanges list, and which contract equals which.
//!
//! Everything here is fixed: ids, tokens, texts and dates do not depend on the seed, so that
//! mapping files can name them. No question, ticker or id belongs to a real market.

use sha2::{Digest, Sha256};

use crate::domain::market::{Band, Status};
use crate::domain::{Price, Quantity, Rate, Timestamp, Venue};

use super::Listing;

/// How the Polymarket contract of a pair relates to YES of the Kalshi market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Both pay on the same event.
    Same,
    /// One pays exactly when the other does not.
    Opposite,
}

impl Relation {
    /// The relation's name in mapping files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Opposite => "opposite",
        }
    }
}

/// One question and what it is called at both venues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired {
    /// The index of the question, which is also the index of both listings.
    pub question: usize,
    /// The Kalshi ticker.
    pub kalshi: String,
    /// The Polymarket condition id.
    pub condition: String,
    /// The label of Polymarket's first outcome.
    pub outcome: String,
    /// How that outcome relates to YES on Kalshi.
    pub relation: Relation,
}

/// What is fixed about one question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ticker: &'static str,
    event: &'static str,
    series: &'static str,
    slug: &'static str,
    kalshi_title: &'static str,
    polymarket_title: &'static str,
    kalshi_rules: &'static str,
    polymarket_rules: &'static str,
    labels: (&'static str, &'static str),
    pub(super) relation: Relation,
    kalshi_ticks: &'static [(u16, u16, u16)],
    polymarket_ticks: u16,
    /// Taker fee coefficients in millionths.
    kalshi_rate: u32,
    polymarket_rate: u32,
    closes: &'static str,
    /// Where the fair value of YES on Kalshi starts and whereto it returns, in 1/10,000 dollars.
    pub(super) anchor: u16,
}

const CENTS: &[(u16, u16, u16)] = &[(0, 10_000, 100)];
const TAPERED: &[(u16, u16, u16)] = &[(0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)];
const YES_NO: (&str, &str) = ("Yes", "No");

/// The questions, in the order of their listings at both venues.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        ticker: "KXDEMORATES-27MAR-H0",
        event: "KXDEMORATES-27MAR",
        series: "KXDEMORATES",
        slug: "demo-central-bank-decision-in-march-2027",
        kalshi_title: "Will the demo central bank hold rates in March 2027?",
        polymarket_title: "Demo central bank: no change in March 2027?",
        kalshi_rules: "If the target rate published after the demo central bank's scheduled March \
            2027 meeting equals the rate in force before it, the market resolves to Yes. If the \
            meeting is not held by March 31, 2027, the market resolves to No.",
        polymarket_rules: "This market resolves to \"Yes\" if the statement of the demo central \
            bank's March 2027 meeting leaves the target rate unchanged. Otherwise it resolves to \
            \"No\". If no statement is published by March 31, 2027, it resolves to \"No\".",
        labels: YES_NO,
        relation: Relation::Same,
        kalshi_ticks: CENTS,
        polymarket_ticks: 100,
        kalshi_rate: 70_000,
        polymarket_rate: 50_000,
        closes: "2027-03-17T18:00:00Z",
        anchor: 6_200,
    },
    Question {
        ticker: "KXDEMORATES-27MAR-C25",
        event: "KXDEMORATES-27MAR",
        series: "KXDEMORATES",
        slug: "demo-central-bank-decision-in-march-2027",
        kalshi_title: "Will the demo central bank cut rates by 25 points in March 2027?",
        polymarket_title: "Demo central bank: 25 basis point cut in March 2027?",
        kalshi_rules: "If the target rate published after the demo central bank's scheduled March \
            2027 meeting is exactly 0.25 percentage points below the rate in force before it, the \
            market resolves to Yes.",
        polymarket_rules: "This market resolves to \"Yes\" if the demo central bank lowers its \
            target rate by 25 basis points at its March 2027 meeting. Other changes are rounded to \
            the nearest 25 basis points. Otherwise it resolves to \"No\".",
        labels: YES_NO,
        relation: Relation::Same,
        kalshi_ticks: CENTS,
        polymarket_ticks: 100,
        kalshi_rate: 70_000,
        polymarket_rate: 50_000,
        closes: "2027-03-17T18:00:00Z",
        anchor: 3_100,
    },
    Question {
        ticker: "KXDEMOCPI-27JUN-T3.0",
        event: "KXDEMOCPI-27JUN",
        series: "KXDEMOCPI",
        slug: "demo-inflation-june-2027",
        kalshi_title: "Will demo inflation be above 3.0% in June 2027?",
        polymarket_title: "Demo inflation above 3.0% in June 2027?",
        kalshi_rules: "If the first published annual change of the demo price index for June 2027 \
            is above 3.0%, the market resolves to Yes. Later revisions are not considered.",
        polymarket_rules: "This market resolves to \"Yes\" if the annual change of the demo price \
            index for June 2027, as first published and rounded to one decimal, is 3.1% or more. \
            Revisions do not count.",
        labels: YES_NO,
        relation: Relation::Same,
        kalshi_ticks: TAPERED,
        polymarket_ticks: 100,
        kalshi_rate: 70_000,
        polymarket_rate: 40_000,
        closes: "2027-07-14T12:25:00Z",
        anchor: 1_600,
    },
    Question {
        ticker: "KXDEMOGAME-27SEP05HARNOR-HAR",
        event: "KXDEMOGAME-27SEP05HARNOR",
        series: "KXDEMOGAME",
        slug: "demo-harbor-city-northfield-2027-09-05",
        kalshi_title: "Harbor City at Northfield winner? (Harbor City)",
        polymarket_title: "Harbor City vs. Northfield",
        kalshi_rules: "If Harbor City wins the game against Northfield originally scheduled for \
            September 5, 2027, the market resolves to Yes. If the game is not started within 48 \
            hours of its scheduled time, the market resolves to a fair market price. A tie \
            resolves to No.",
        polymarket_rules: "This market resolves to the team that wins the game scheduled for \
            September 5, 2027. If the game is postponed, the market stays open until it is played. \
            If it is cancelled with no make-up game, or ends in a tie, the market resolves 50-50.",
        labels: ("Harbor City", "Northfield"),
        relation: Relation::Same,
        kalshi_ticks: CENTS,
        polymarket_ticks: 100,
        kalshi_rate: 70_000,
        polymarket_rate: 50_000,
        closes: "2027-09-07T17:00:00Z",
        anchor: 5_400,
    },
    Question {
        ticker: "KXDEMOBUDGET-27OCT01",
        event: "KXDEMOBUDGET-27OCT01",
        series: "KXDEMOBUDGET",
        slug: "demo-ministries-close-on-october-1-2027",
        kalshi_title: "Will a demo budget be in force on October 1, 2027?",
        polymarket_title: "Will the demo ministries close for lack of a budget on October 1, 2027?",
        kalshi_rules: "If a full or interim budget of the demo government is in force at 00:00 on \
            October 1, 2027, so that no ministry closes for lack of funds, the market resolves to \
            Yes. Otherwise it resolves to No.",
        polymarket_rules: "This market resolves to \"Yes\" if neither a full nor an interim budget \
            of the demo government is in force at 00:00 on October 1, 2027 and ministries close \
            for lack of funds. Otherwise it resolves to \"No\".",
        labels: YES_NO,
        relation: Relation::Opposite,
        kalshi_ticks: CENTS,
        polymarket_ticks: 100,
        kalshi_rate: 70_000,
        polymarket_rate: 0,
        closes: "2027-10-01T00:00:00Z",
        anchor: 7_300,
    },
    Question {
        ticker: "KXDEMOCOIN-27DEC31-T150000",
        event: "KXDEMOCOIN-27DEC31",
        series: "KXDEMOCOIN",
        slug: "demo-coin-above-150000-on-december-31-2027",
        kalshi_title: "Demo coin above $150,000 on December 31, 2027?",
        polymarket_title: "Will demo coin be above $150k on December 31, 2027?",
        kalshi_rules: "If the mean of the demo coin index over the 60 seconds before 17:00 UTC on \
            December 31, 2027 is above 150000, the market resolves to Yes.",
        polymarket_rules: "This market resolves to \"Yes\" if the demo coin index, averaged over \
            the minute that ends at 17:00 UTC on December 31, 2027, is above 150,000. Otherwise it \
            resolves to \"No\".",
        labels: YES_NO,
        relation: Relation::Same,
        kalshi_ticks: CENTS,
        polymarket_ticks: 10,
        kalshi_rate: 35_000,
        polymarket_rate: 70_000,
        closes: "2027-12-31T17:00:00Z",
        anchor: 4_600,
    },
    Question {
        ticker: "KXDEMOVOTE-27NOV02-BLUE",
        event: "KXDEMOVOTE-27NOV02",
        series: "KXDEMOVOTE",
        slug: "demo-republic-election-2027",
        kalshi_title: "Will the Blue Party win the 2027 election of the demo republic?",
        polymarket_title: "Will the Blue Party win the demo republic's election?",
        kalshi_rules: "If the Blue Party's candidate is sworn in as president of the demo republic \
            after the election scheduled for November 2, 2027, the market resolves to Yes. If \
            another person is sworn in, it resolves to No.",
        polymarket_rules: "This market resolves to \"Yes\" if the electoral office of the demo \
            republic declares the Blue Party's candidate the winner of the election scheduled for \
            November 2, 2027. If no winner is declared by December 31, 2027, it \
            resolves to \"No\".",
        labels: YES_NO,
        relation: Relation::Same,
        kalshi_ticks: CENTS,
        polymarket_ticks: 100,
        kalshi_rate: 70_000,
        polymarket_rate: 40_000,
        closes: "2027-12-31T23:59:00Z",
        anchor: 2_300,
    },
    Question {
        ticker: "KXDEMOHEAT-27AUG-T40",
        event: "KXDEMOHEAT-27AUG",
        series: "KXDEMOHEAT",
        slug: "demo-city-forty-degrees-in-august-2027",
        kalshi_title: "Will Demo City reach 40 degrees in August 2027?",
        polymarket_title: "40 degrees or more in Demo City in August 2027?",
        kalshi_rules: "If the highest temperature in the final monthly report of the Demo City \
            station for August 2027 is 40.0 degrees Celsius or more, the market resolves to Yes.",
        polymarket_rules: "This market resolves to \"Yes\" if the Demo City station's final report \
            for August 2027 shows at least one reading of 40.0 degrees Celsius or higher. \
            Otherwise it resolves to \"No\".",
        labels: YES_NO,
        relation: Relation::Same,
        kalshi_ticks: CENTS,
        polymarket_ticks: 100,
        kalshi_rate: 35_000,
        polymarket_rate: 50_000,
        closes: "2027-08-31T23:59:00Z",
        anchor: 8_500,
    },
];

/// The smallest Polymarket order, in shares.
const POLYMARKET_MINIMUM: u32 = 5;

/// The pairs of the embedded exchanges, for mapping files.
pub fn catalogue() -> Vec<Paired> {
    QUESTIONS
        .iter()
        .enumerate()
        .map(|(question, fixed)| Paired {
            question,
            kalshi: fixed.ticker.to_owned(),
            condition: condition(fixed),
            outcome: fixed.labels.0.to_owned(),
            relation: fixed.relation,
        })
        .collect()
}

/// All listings of a venue; the index of a listing is its question's.
pub fn listings(venue: Venue) -> Vec<Listing> {
    QUESTIONS
        .iter()
        .enumerate()
        .map(|(question, fixed)| match venue {
            Venue::Kalshi => kalshi(question, fixed),
            Venue::Polymarket => polymarket(question, fixed),
        })
        .collect()
}

fn kalshi(question: usize, fixed: &Question) -> Listing {
    Listing {
        question,
        id: fixed.ticker.to_owned(),
        event: fixed.event.to_owned(),
        group: String::new(),
        series: fixed.series.to_owned(),
        title: fixed.kalshi_title.to_owned(),
        rules: fixed.kalshi_rules.to_owned(),
        tokens: (String::new(), String::new()),
        labels: (YES_NO.0.to_owned(), YES_NO.1.to_owned()),
        bands: bands(fixed.kalshi_ticks),
        rate: Rate::from_millionths(fixed.kalshi_rate).unwrap_or(Rate::MAX),
        minimum: Quantity::from_units(Quantity::LOT).unwrap_or_default(),
        status: Status::Open,
        closes: Timestamp::parse(fixed.closes).unwrap_or(Timestamp::MAX),
    }
}

fn polymarket(question: usize, fixed: &Question) -> Listing {
    Listing {
        question,
        id: condition(fixed),
        event: fixed.slug.to_owned(),
        group: String::new(),
        series: String::new(),
        title: fixed.polymarket_title.to_owned(),
        rules: fixed.polymarket_rules.to_owned(),
        tokens: (token(fixed, "first"), token(fixed, "second")),
        labels: (fixed.labels.0.to_owned(), fixed.labels.1.to_owned()),
        bands: bands(&[(0, Price::ONE, fixed.polymarket_ticks)]),
        rate: Rate::from_millionths(fixed.polymarket_rate).unwrap_or(Rate::MAX),
        minimum: Quantity::contracts(POLYMARKET_MINIMUM),
        status: Status::Open,
        closes: Timestamp::parse(fixed.closes).unwrap_or(Timestamp::MAX),
    }
}

fn bands(ticks: &[(u16, u16, u16)]) -> Vec<Band> {
    ticks.iter().map(|&(start, end, step)| Band { start, end, step }).collect()
}

fn condition(fixed: &Question) -> String {
    let digest = Sha256::digest(format!("condition of {}", fixed.ticker));
    format!("0x{}", super::hex(&digest))
}

/// A token id: 77 or 78 decimal digits, as the real ones are numbers of 256 bits.
fn token(fixed: &Question, which: &str) -> String {
    let mut bytes: [u8; 32] = Sha256::digest(format!("{which} token of {}", fixed.ticker)).into();
    // Below 0x18… a number of 256 bits has fewer than 77 digits.
    bytes[0] |= 0x40;
    decimal(bytes)
}

/// Writes a big-endian number of 256 bits in decimal.
fn decimal(mut bytes: [u8; 32]) -> String {
    let mut digits = Vec::with_capacity(78);
    while bytes.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u16;
        for byte in &mut bytes {
            let value = rest * 256 + u16::from(*byte);
            *byte = u8::try_from(value / 10).unwrap_or(u8::MAX);
            rest = value % 10;
        }
        digits.push(char::from(b'0' + u8::try_from(rest).unwrap_or(0)));
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_of_the_venues_ids() {
        for listing in listings(Venue::Polymarket) {
            assert_eq!(listing.id.len(), 66, "{}", listing.id);
            assert!(listing.id.starts_with("0x"));
            for token in [&listing.tokens.0, &listing.tokens.1] {
                assert!(matches!(token.len(), 77 | 78), "{token}");
                assert!(token.bytes().all(|byte| byte.is_ascii_digit()));
            }
            assert_ne!(listing.tokens.0, listing.tokens.1);
        }
        for listing in listings(Venue::Kalshi) {
            assert!(listing.id.starts_with(&listing.event), "{}", listing.id);
            assert!(listing.event.starts_with(&listing.series), "{}", listing.id);
            assert_ne!(listing.closes, Timestamp::MAX, "{}", listing.id);
            assert!(listing.rate < Rate::MAX);
        }
    }

    #[test]
    fn decimal_writes_numbers_of_256_bits() {
        let mut bytes = [0; 32];
        (bytes[30], bytes[31]) = (1, 2);
        assert_eq!(decimal(bytes), "258");
        assert_eq!(
            decimal([0xff; 32]),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        );
    }

    #[test]
    fn the_catalogue_names_every_question_once() {
        let pairs = catalogue();
        assert_eq!(pairs.len(), 8);
        assert_eq!(pairs.iter().filter(|p| p.relation == Relation::Opposite).count(), 1);
        let mut ids: Vec<_> = pairs.iter().flat_map(|p| [&p.kalshi, &p.condition]).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 16);
    }
}
