//! What a decision may look at beside the executor's own state: the markets as they are now.

use crate::book::Level;
use crate::domain::{FeeModel, Market, MarketIndex, Outcome, Timestamp, TradeId};
use crate::risk::{Exposure, Room};

/// The markets, as far as they are believed at this moment. The engine answers from its books,
/// less what our own orders have taken from them.
pub trait Sight {
    /// What a buyer of the contract is offered, best first, at the contract's own price; `None`
    /// when the book is not believed.
    fn offers(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>>;

    /// What a seller of the contract is bid, best first, at the contract's own price; `None` when
    /// the book is not believed.
    fn bids(&self, market: MarketIndex, outcome: Outcome) -> Option<Vec<Level>>;

    /// What is known about the market: its minimum, its price grid, its venue.
    fn market(&self, market: MarketIndex) -> Option<&Market>;

    /// The venue's name of the market, for people.
    fn name(&self, market: MarketIndex) -> String {
        let known = self.market(market);
        known.map_or_else(|| format!("market {}", market.0), |known| known.id.clone())
    }

    /// The fee in force; `None` when it is not known.
    fn fee(&self, market: MarketIndex, now: Timestamp) -> Option<FeeModel> {
        self.market(market)?.fee.at(now)
    }

    /// Whether the venue takes orders in the market now, and our account may send them.
    fn is_tradable(&self, market: MarketIndex) -> bool;

    /// How much more a trade that has so much at risk may put at risk; nothing, where nobody knows.
    fn room(&self, _trade: TradeId, _exposure: &Exposure) -> Room {
        Room::default()
    }
}
