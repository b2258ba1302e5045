//! Values and arithmetic: what every other room speaks in.
//!
//! Nothing here knows a venue's protocol, a clock, a file or a float. A price is dollars per
//! contract in 1/10,000, a quantity is contracts in 1/1,000,000, money is dollars in 1/1,000,000;
//! products are taken in `i128` and every division names its rounding.

pub mod contract;
pub mod decimal;
pub mod fee;
pub mod finding;
pub mod market;
pub mod money;
pub mod movement;
pub mod order;
pub mod price;
pub mod quantity;
pub mod report;
pub mod time;

pub use contract::{Outcome, Side, Venue};
pub use decimal::DecimalError;
pub use fee::{FeeModel, FeePlan, Rate};
pub use finding::{Finding, Severity, Source, Span, Spot};
pub use market::{Market, MarketIndex, Minimum, PriceGrid};
pub use money::Money;
pub use movement::Movement;
pub use order::{Action, Instance, IntentId, Lifetime, Order, OrderId, Purpose, Size, TradeId};
pub use price::Price;
pub use quantity::{Change, Quantity};
pub use report::{Evidence, Fill, Finality, Report};
pub use time::{Date, Timestamp};
