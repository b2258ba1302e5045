//! The port that orders go out through: a codec without I/O.
//!
//! A gateway turns what we mean into [`Call`]s, ready to be carried, and what the venue answers
//! into [`Report`]s. Whoever carries the bytes (a socket, a simulation) knows nothing about the
//! venue. The venue's id of an order is known from [`Gateway::place`] on, before anything is sent,
//! so that a journal can hold it first.

use std::time::Duration;

use crate::domain::report::{Listing, Route};
use crate::domain::{
    IntentId, Market, MarketIndex, Order, OrderId, Price, Quantity, Report, Timestamp, Venue,
};

use super::Error;

/// Which budget a call is charged to, and how it is treated when the budget is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// New orders.
    Order,
    /// Cancels, which have a reserve of their own.
    Cancel,
    /// Everything that only reads.
    Read,
}

/// What a call asks, so that its answer can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Places an order.
    Place(IntentId),
    /// Places several orders, each with a result of its own.
    Places(Vec<IntentId>),
    /// Takes back a part of an order that rests, by a number of the gateway's own.
    Decrease(IntentId, u64),
    /// Gives an order that rests another limit, another count, or both, by a number of the
    /// gateway's own.
    Amend(IntentId, u64),
    /// Cancels an order.
    Cancel(IntentId),
    /// Cancels several orders, each with a result of its own.
    Cancels(Vec<IntentId>),
    /// Cancels every order of the account.
    Everything,
    /// Asks what became of an order.
    Order(IntentId),
    /// Looks for an order in order to cancel it, by a number of the gateway's own.
    Seek(IntentId, u64),
    /// Anything else, by a name and a detail of the gateway's own (a page, a trade id).
    Other(&'static str, String),
}

/// One HTTP request, whole and signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// Which venue's connection carries it.
    pub venue: Venue,
    /// What it asks.
    pub subject: Subject,
    /// The budget it is charged to.
    pub class: Class,
    /// Tokens it costs in that budget.
    pub cost: u32,
    /// `GET`, `POST`, `DELETE`, `PUT`.
    pub method: &'static str,
    /// Scheme, host, path and query.
    pub url: String,
    /// Headers beyond the ordinary ones. They hold signatures and are never shown.
    pub headers: Vec<(&'static str, String)>,
    /// The body, exactly as it was signed; JSON.
    pub body: Option<String>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("venue", &self.venue)
            .field("subject", &self.subject)
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// An HTTP answer.
    Reply {
        /// HTTP status.
        status: u16,
        /// `Retry-After`, where given.
        retry_after: Option<Duration>,
        /// Headers in which a venue tells of its budgets, by their names in lower case.
        headers: &'a [(&'static str, String)],
        /// The body.
        body: &'a str,
    },
    /// Not one byte left this machine.
    NotSent(&'a str),
    /// It may have arrived; no answer came, or only a part of one.
    Lost(&'a str),
}

/// Something that is asked of a venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// What became of this order, wherever it may be found: by its id where that is known, else
    /// among all orders and fills since it was decided. Answers with [`Report::Order`].
    Order(IntentId),
    /// What became of all our orders in this market, read whole: what a venue took back without a
    /// word shows by its absence. Answers with [`Report::Order`]; with nothing where every order
    /// has to be asked for by itself.
    Market(MarketIndex),
    /// All orders that rest, ours and others; and where the venue tells whose they are, until they
    /// were read whole once, all that were made since then. Answers with [`Report::Order`],
    /// [`Report::Lost`] or [`Report::Foreign`].
    Orders(Timestamp),
    /// All fills since then. Answers as orders do.
    Fills(Timestamp),
    /// All positions. Answers with one [`Report::Positions`].
    Positions,
    /// What can be spent. Answers with one [`Report::Cash`].
    Cash,
    /// What was paid since then. Answers with [`Report::Settled`].
    Settlements(Timestamp),
    /// What came in and went out without a trade since then. Answers with [`Report::Moved`].
    Movements(Timestamp),
    /// Whether the account may trade: geoblock, closed-only, approvals, scopes. Answers with
    /// [`Report::Permission`].
    Permission,
    /// The budgets that the venue grants, where it tells; taken in by the gateway.
    Limits,
}

/// Contracts into dollars, outside the order book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// One of each outcome into a dollar. Answers with [`Report::Merged`] or
    /// [`Report::NotConverted`].
    Merge {
        /// The market.
        market: MarketIndex,
        /// How many of each outcome.
        quantity: Quantity,
    },
    /// What a resolved market owes. Answers with [`Report::Settled`] or [`Report::NotConverted`].
    Redeem {
        /// The market.
        market: MarketIndex,
    },
}

/// What a venue grants: tokens at once, and tokens a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The most that can be spent at once.
    pub capacity: u64,
    /// What comes back in a second.
    pub refill_per_s: u64,
}

/// What a venue says is left of the budget that a call was charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// So many tokens.
    pub tokens: u64,
    /// Where it told: nothing comes back before.
    pub until: Option<Timestamp>,
}

/// Several orders that were built together.
#[derive(Debug, Default)]
pub struct Placing {
    /// For each order, in the order given: the id that it goes out under, or why it does not.
    pub ids: Vec<Result<OrderId, Error>>,
    /// The requests that carry the orders that have an id, each of them in exactly one.
    pub calls: Vec<Call>,
}

/// What reading an answer brought.
#[derive(Debug, Default)]
pub struct Taken {
    /// What the venue said.
    pub reports: Vec<Report>,
    /// What is to be asked next: further pages, trades that were named.
    pub calls: Vec<Call>,
    /// Listings that were read to their end without a hole since the time that was asked for, and
    /// when their reading began: what is older than that has been told.
    pub whole: Vec<(Listing, Timestamp)>,
    /// What is left of the budget that the call was charged to, where its answer told.
    pub left: Option<Left>,
    /// What the answer says of the venue's order routes.
    pub route: Option<Route>,
    /// What a person may want to read.
    pub notices: Vec<String>,
}

/// Where a gateway looks up markets that answers name.
pub trait Markets {
    /// The market with this ticker or condition id.
    fn by_id(&self, venue: Venue, id: &str) -> Option<MarketIndex>;
    /// The market that a Polymarket token belongs to, and which contract it is.
    fn by_token(&self, token: &str) -> Option<(MarketIndex, crate::domain::Outcome)>;
    /// What is known of a market.
    fn facts(&self, market: MarketIndex) -> Option<&Market>;
}

/// A venue's order side, as a machine without I/O.
pub trait Gateway: Send {
    /// Which venue.
    fn venue(&self) -> Venue;
    /// The budget of a class, as far as the venue told, else its lowest tier. Cancels have one of
    /// their own, so that orders can never use it up.
    fn budget(&self, class: Class) -> Budget {
        match (self.venue(), class) {
            // Kalshi's basic tier: 100 write tokens a second, of which an order costs 10 and a
            // cancel 2; 200 read tokens.
            (Venue::Kalshi, Class::Order) => Budget { capacity: 80, refill_per_s: 80 },
            (Venue::Kalshi, Class::Cancel) => Budget { capacity: 20, refill_per_s: 20 },
            (Venue::Kalshi, Class::Read) => Budget { capacity: 200, refill_per_s: 200 },
            // Polymarket's standard tier: 40 orders a second, cancels double.
            (Venue::Polymarket, Class::Order) => Budget { capacity: 40, refill_per_s: 40 },
            (Venue::Polymarket, Class::Cancel) => Budget { capacity: 80, refill_per_s: 80 },
            (Venue::Polymarket, Class::Read) => Budget { capacity: 40, refill_per_s: 40 },
        }
    }
    /// Tokens that an order costs in its budget.
    fn order_cost(&self) -> u32 {
        1
    }
    /// Builds and signs an order. The id is final; calling it again for the same order gives the
    /// same id and the same body. Nothing is remembered but what [`Gateway::recall`] would hold.
    fn place(
        &mut self,
        order: &Order,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<(OrderId, Call), Error>;
    /// Builds and signs several orders, in as few requests as the venue and its budget allow. A
    /// request costs as much as its orders would alone, and is taken whole or not at all; what
    /// becomes of its orders is another matter: some may be refused and others fill. Each has its
    /// own evidence when the answer is read, and where there is no answer, all of them are unclear.
    /// An intent that is given twice is built once.
    fn place_many(&mut self, orders: &[Order], markets: &dyn Markets, now: Timestamp) -> Placing {
        let mut placing = Placing::default();
        for (at, order) in orders.iter().enumerate() {
            if let Some(error) = given_before(orders, at) {
                placing.ids.push(Err(error));
                continue;
            }
            placing.ids.push(self.place(order, markets, now).map(|(id, call)| {
                placing.calls.push(call);
                id
            }));
        }
        placing
    }
    /// Tells of an order that was placed in an earlier run, as the journal has it. Of one that was
    /// amended since, once with each limit and size that it had, in their order.
    fn recall(&mut self, order: &Order, id: &OrderId);
    /// Forgets an order that has ended for good; late news about it is of an order that is not
    /// known from then on.
    fn forget(&mut self, intent: IntentId);
    /// Takes an order back.
    fn cancel(
        &mut self,
        intent: IntentId,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error>;
    /// Takes every order of the account back, those that a person placed by hand included: for an
    /// emergency, when a person asks for exactly this.
    fn cancel_everything(&mut self, _now: Timestamp) -> Result<Call, Error> {
        Err(Error::Refused {
            venue: self.venue(),
            what: "cancelling every order of the account".to_owned(),
            status: 0,
            text: "not sent: there are none but our own here".to_owned(),
        })
    }
    /// Takes several orders back, in as few requests as the venue and its budget allow.
    fn cancel_many(
        &mut self,
        intents: &[IntentId],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Vec<Result<Call, Error>> {
        intents.iter().map(|intent| self.cancel(*intent, markets, now)).collect()
    }
    /// Takes `by` contracts of a resting order back; what is left keeps its place in the queue.
    ///
    /// Answers with [`Report::Order`]: what rests from then on and what had filled before, or that
    /// the order was not there. An order whose last change is not known takes no other one, but
    /// for a cancel. Where the venue knows no such thing (Polymarket), or the order is not known to
    /// rest there, or nothing of it would be left, it is an error and nothing is sent.
    fn decrease(
        &mut self,
        intent: IntentId,
        _by: Quantity,
        _markets: &dyn Markets,
        _now: Timestamp,
    ) -> Result<Call, Error> {
        Err(not_here(self.venue(), &format!("a decrease of {intent}")))
    }
    /// Gives a resting order another limit, at the contract's own scale, and another size: `count`
    /// contracts in all, what it has filled so far included. It may trade at once, and loses its
    /// place in the queue unless the limit stays and the count shrinks.
    ///
    /// Answers as [`Gateway::decrease`] does, with the same errors. Until the answer is there the
    /// order may stand at either limit and fill up to either count: whoever amends has to have
    /// room for the worse of both.
    fn amend(
        &mut self,
        intent: IntentId,
        _limit: Price,
        _count: Quantity,
        _markets: &dyn Markets,
        _now: Timestamp,
    ) -> Result<Call, Error> {
        Err(not_here(self.venue(), &format!("an amendment of {intent}")))
    }
    /// Takes back everything that rests in one market: `intents`, which are ours, and where the
    /// venue has a request for a whole market (Polymarket, for each outcome of it), with them what
    /// a person placed by hand at the same contracts. Each of `intents` has evidence of its own,
    /// as with [`Gateway::cancel_many`].
    fn cancel_market(
        &mut self,
        _market: MarketIndex,
        intents: &[IntentId],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Vec<Result<Call, Error>> {
        self.cancel_many(intents, markets, now)
    }
    /// The requests that answer a question: the first pages.
    fn ask(
        &mut self,
        question: &Question,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Vec<Call>, Error>;
    /// The request for a conversion. Where the venue does it by itself (Kalshi) or only a person
    /// with a wallet can do it (a real chain), there is none, and the report says so at once.
    fn convert(
        &mut self,
        conversion: Conversion,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    );
    /// Asks the order routes whether they answer, and changes nothing there. What stands on this
    /// machine always does.
    fn probe(&mut self, now: Timestamp, taken: &mut Taken) {
        taken.route = Some(Route::Answered(now));
    }
    /// Reads the answer to one of its calls.
    fn read(
        &mut self,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    );
    /// Reads a frame of the private channel that its feed has passed on.
    fn read_private(
        &mut self,
        text: &str,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    );
    /// Does what is due: heartbeats while orders rest, headers prepared ahead of need.
    fn tick(&mut self, now: Timestamp, taken: &mut Taken);
}

/// Why the order at this place is not built: its intent was given before it.
pub(super) fn given_before(orders: &[Order], at: usize) -> Option<Error> {
    let order = orders.get(at)?;
    let is_twice = orders.iter().take(at).any(|before| before.intent == order.intent);
    is_twice.then(|| Error::Refused {
        venue: order.venue,
        what: order.intent.to_string(),
        status: 0,
        text: "not sent: it was given twice".to_owned(),
    })
}

fn not_here(venue: Venue, what: &str) -> Error {
    Error::Refused {
        venue,
        what: what.to_owned(),
        status: 0,
        text: format!("not sent: {venue} changes no order, it only takes orders back"),
    }
}
