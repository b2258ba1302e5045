//! What the machine knows by number, by name.

use crate::domain::{IntentId, MarketIndex, Order, Venue};
use crate::ui::cli::trade::Names;

use super::pipeline::Pipeline;

impl Names for Pipeline {
    fn market(&self, market: MarketIndex) -> Option<(Venue, &str)> {
        let entry = self.registry().get(market)?;
        Some((entry.venue, &entry.id))
    }

    fn order(&self, intent: IntentId) -> Option<&Order> {
        let trader = self.engine().trader()?;
        Some(trader.executor().state().order(intent)?.order())
    }
}
