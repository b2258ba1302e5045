//! The order side of Polymarket as a codec without I/O.
//!
//! An order's id is the hash of its fields, and its fields follow from the order and the journal:
//! the salt from the number of the intent, the time stamp from when it was decided. So the id is
//! known before anything is sent, and signing the same order again brings the same bytes.
//!
//! The venue tells of one fill several times, on its channel, in answers and when asked; each time
//! it becomes the same report. Totals are final only when the trades behind them were seen or the
//! answer to the order itself told them. What is matched may still fail to settle.
//!
//! Invariant: an order is refused only by what [`super::error::order`] calls definite.

mod answer;
mod batch;
mod budget;
mod conversion;
mod fill;
mod heart;
mod holding;
mod movement;
mod permission;
mod question;
mod route;

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::{B256, U256};
use rustc_hash::FxHashMap;

use crate::domain::report::{Refusal, Refused, Rest, Total};
use crate::domain::{
    Evidence, Instance, IntentId, Lifetime, MarketIndex, Money, Order, OrderId, Outcome, Quantity,
    Report, Timestamp, Venue,
};
use crate::venue::Error;
use crate::venue::gateway::{
    Answer, Budget, Call, Class, Conversion, Gateway as Port, Markets, Placing, Question, Subject,
    Taken,
};

use super::account::Account;
use super::amount::amounts;
use super::encode;
use super::encode::order::{Kind, Terms};
use super::error::short;
use super::facts;
use super::sign::order::{Exchanges, Fields};
use budget::Signer;
use heart::Heart;
use holding::Holding;
use movement::Reading;
use permission::Round;
use route::Routes;

/// Where outcomes are turned into dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// On Polygon, by a person with a wallet.
    Polygon,
    /// By the embedded exchange, on request.
    Embedded,
}

/// Where the venue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base of the order book's REST, such as [`facts::CLOB_URL`].
    pub clob_url: String,
    /// Base of the data API, such as [`facts::DATA_URL`].
    pub data_url: String,
    /// Base of the site that judges where we are, such as [`facts::SITE_URL`].
    pub site_url: String,
    /// Where outcomes are turned into dollars.
    pub chain: Chain,
    /// How far the data API may lag behind, such as [`facts::DATA_LAG`]: its readings are dated
    /// back by that much.
    pub data_lag: Duration,
    /// How long after a restart orders that take are refused, such as [`facts::POST_ONLY_LASTS`].
    pub post_only_lasts: Duration,
}

/// An order of ours.
#[derive(Debug, Clone)]
struct Known {
    order: Order,
    id: OrderId,
    /// Its total, once it is final.
    total: Option<Total>,
    /// Whether something may still rest in the book.
    may_rest: bool,
    /// What each of its fills was told to be first.
    told: BTreeMap<String, (Quantity, Money)>,
}

/// The order side of one account.
#[derive(Debug)]
pub struct Gateway {
    account: Account,
    instance: Instance,
    settings: Settings,
    /// How long an order may rest before the venue drops it by itself; `None` for ever.
    resting_max: Option<Duration>,
    exchanges: Exchanges,
    orders: BTreeMap<IntentId, Known>,
    by_id: FxHashMap<String, IntentId>,
    heart: Heart,
    permission: Round,
    holding: Holding,
    signer: Signer,
    routes: Routes,
    movements: Reading,
}

/// One request, before it is signed.
struct Request<'a> {
    subject: Subject,
    class: Class,
    method: &'static str,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<String>,
}

impl Gateway {
    /// A gateway that knows no order yet. The orders of the journal `instance` are its own.
    pub fn new(account: Account, instance: Instance, settings: Settings) -> Self {
        Self {
            account,
            instance,
            settings,
            resting_max: None,
            exchanges: Exchanges::new(facts::CHAIN_ID),
            orders: BTreeMap::new(),
            by_id: FxHashMap::default(),
            heart: Heart::default(),
            permission: Round::default(),
            holding: Holding::default(),
            signer: Signer::default(),
            routes: Routes::default(),
            movements: Reading::default(),
        }
    }

    /// The same, where the venue drops an order by itself that has rested for so long.
    #[must_use]
    pub const fn resting_at_most(mut self, span: Duration) -> Self {
        self.resting_max = Some(span);
        self
    }

    /// Whose orders these are.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The id and the body of an order.
    fn sign(
        &self,
        order: &Order,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<(OrderId, String), Error> {
        let facts = markets
            .facts(order.market)
            .ok_or_else(|| refuse(format!("market {} is not known", order.market.0)))?;
        let (Some(tokens), Some(grid)) = (&facts.tokens, &facts.grid) else {
            return Err(refuse(format!("market {} has no tokens or no prices", facts.id)));
        };
        let settlement = tokens.settlement.ok_or_else(|| {
            refuse(format!("market {}: which contract settles it is not known", facts.id))
        })?;
        let amounts =
            amounts(order, grid).map_err(|why| refuse(format!("market {}: {why}", facts.id)))?;
        let token = match order.outcome {
            Outcome::Yes => &tokens.yes,
            Outcome::No => &tokens.no,
        };
        let number = U256::from_str_radix(token, 10)
            .map_err(|_| refuse(format!("{} is no token", short(token))))?;
        let kind = match (order.lifetime, self.resting_max) {
            (Lifetime::Resting, Some(span)) => Kind::resting_for(span, order.at, now)
                .map_err(|why| refuse(format!("{}: {why}", order.intent)))?,
            (lifetime, _) => lifetime.into(),
        };
        let millis = order.at.millis();
        let fields = Fields {
            salt: salt(self.instance.mark(order.intent)),
            maker: self.account.maker(),
            signer: self.account.signer(),
            token: number,
            maker_amount: amounts.maker,
            taker_amount: amounts.taker,
            action: order.action,
            wallet: self.account.wallet(),
            timestamp_ms: u64::try_from(millis).unwrap_or(0),
            metadata: B256::ZERO,
            builder: B256::ZERO,
        };
        let signed = self.exchanges.sign(self.account.key(), settlement, &fields);
        let terms = Terms {
            maker: self.account.maker_text(),
            signer: self.account.signer_text(),
            token,
            owner: self.account.credentials().api_key(),
            kind,
        };
        let body = encode::order::post_order(&fields, &signed, terms);
        Ok((OrderId(alloy_primitives::hex::encode_prefixed(signed.id)), body))
    }

    /// A request to the order book, signed with the API key.
    fn signed(&self, request: Request<'_>, now: Timestamp) -> Call {
        let Request { subject, class, method, path, query, body } = request;
        let headers = self.account.headers(method, path, body.as_deref(), now);
        let url = encode::url(&self.settings.clob_url, path, query);
        Call { venue: Venue::Polymarket, subject, class, cost: 1, method, url, headers, body }
    }

    /// A question to the order book.
    fn get(&self, subject: Subject, path: &str, query: &[(&str, &str)], now: Timestamp) -> Call {
        let (class, method, body) = (Class::Read, "GET", None);
        self.signed(Request { subject, class, method, path, query, body }, now)
    }

    /// Keeps what an order's evidence says about its end, and passes it on.
    fn tell(&mut self, intent: IntentId, evidence: Evidence, taken: &mut Taken) {
        if let Some(known) = self.orders.get_mut(&intent) {
            match &evidence {
                Evidence::Standing { filled, rest, .. } => {
                    if *rest == Rest::Nothing && filled.is_some() {
                        known.total = *filled;
                    }
                    // A reading may lag behind the end that is known.
                    known.may_rest = *rest != Rest::Nothing && known.total.is_none();
                }
                Evidence::Refused(_) => known.may_rest = false,
                Evidence::Fill(_)
                | Evidence::Unclear(_)
                | Evidence::NotFound { .. }
                | Evidence::Listed { .. }
                | Evidence::NotCancelled(_) => {}
            }
        }
        taken.reports.push(Report::Order { intent, evidence });
    }
}

/// Orders that are taken back in one request: each costs as much as one alone, and a request is
/// taken whole or not at all, so that it has to fit into the budget of a signer of the lowest tier.
const CANCELS_AT_ONCE: usize = 40;

/// The salt of an order: 53 bits of its mark behind the journal's tag, as many as a JSON number
/// holds exactly.
fn salt(mark: [u8; 32]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&mark[Instance::TAG_BYTES..Instance::TAG_BYTES + 8]);
    u64::from_be_bytes(bytes) >> 11
}

fn not_sent(text: &str) -> Evidence {
    let text = short(text);
    Evidence::Refused(Refusal { kind: Refused::NotSent, code: String::new(), text })
}

impl Port for Gateway {
    fn venue(&self) -> Venue {
        Venue::Polymarket
    }

    fn budget(&self, class: Class) -> Budget {
        self.signer.budget(class)
    }

    fn place(
        &mut self,
        order: &Order,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<(OrderId, Call), Error> {
        let (id, body) = self.sign(order, markets, now)?;
        self.recall(order, &id);
        let call = self.signed(
            Request {
                subject: Subject::Place(order.intent),
                class: Class::Order,
                method: "POST",
                path: "/order",
                query: &[],
                body: Some(body),
            },
            now,
        );
        Ok((id, call))
    }

    fn place_many(&mut self, orders: &[Order], markets: &dyn Markets, now: Timestamp) -> Placing {
        self.place_together(orders, markets, now)
    }

    fn recall(&mut self, order: &Order, id: &OrderId) {
        self.by_id.insert(id.0.to_ascii_lowercase(), order.intent);
        self.orders.insert(
            order.intent,
            Known {
                order: order.clone(),
                id: id.clone(),
                total: None,
                may_rest: order.lifetime == Lifetime::Resting,
                told: BTreeMap::new(),
            },
        );
    }

    fn forget(&mut self, intent: IntentId) {
        if let Some(known) = self.orders.remove(&intent) {
            self.by_id.remove(&known.id.0.to_ascii_lowercase());
        }
    }

    fn cancel(
        &mut self,
        intent: IntentId,
        _markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let known = self.orders.get(&intent).ok_or_else(|| unknown(intent))?;
        let body = encode::order::cancel_order(&known.id.0);
        Ok(self.signed(
            Request {
                subject: Subject::Cancel(intent),
                class: Class::Cancel,
                method: "DELETE",
                path: "/order",
                query: &[],
                body: Some(body),
            },
            now,
        ))
    }

    fn cancel_everything(&mut self, now: Timestamp) -> Result<Call, Error> {
        Ok(self.signed(
            Request {
                subject: Subject::Everything,
                class: Class::Cancel,
                method: "DELETE",
                path: "/cancel-all",
                query: &[],
                body: None,
            },
            now,
        ))
    }

    fn cancel_many(
        &mut self,
        intents: &[IntentId],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Vec<Result<Call, Error>> {
        let mut calls = Vec::new();
        for some in intents.chunks(CANCELS_AT_ONCE) {
            let ids: Vec<&str> = some
                .iter()
                .filter_map(|intent| self.orders.get(intent).map(|known| known.id.0.as_str()))
                .collect();
            match encode::order::cancel_orders(&ids) {
                Some(body) if ids.len() == some.len() && ids.len() > 1 => {
                    let cost = u32::try_from(ids.len()).unwrap_or(u32::MAX);
                    let request = Request {
                        subject: Subject::Cancels(some.to_vec()),
                        class: Class::Cancel,
                        method: "DELETE",
                        path: "/orders",
                        query: &[],
                        body: Some(body),
                    };
                    calls.push(Ok(Call { cost, ..self.signed(request, now) }));
                }
                // One alone, or one that is not known: each by itself.
                _ => calls.extend(some.iter().map(|intent| self.cancel(*intent, markets, now))),
            }
        }
        calls
    }

    fn cancel_market(
        &mut self,
        market: MarketIndex,
        intents: &[IntentId],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Vec<Result<Call, Error>> {
        self.withdraw(market, intents, markets, now)
    }

    fn ask(
        &mut self,
        question: &Question,
        _markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        self.question(question, now)
    }

    fn convert(
        &mut self,
        conversion: Conversion,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        self.conversion(conversion, markets, now, taken);
    }

    fn probe(&mut self, now: Timestamp, taken: &mut Taken) {
        taken.calls.push(self.probe_call(now));
    }

    fn read(
        &mut self,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        self.signer.hear(call, answer, taken);
        if !matches!(call.subject, Subject::Other(route::NAME, _)) {
            self.answer(call, answer, markets, now, taken);
        }
        taken.route = self.routes.hear(call, answer, self.settings.post_only_lasts, now);
    }

    fn read_private(
        &mut self,
        text: &str,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        self.event(text, markets, now, taken);
    }

    fn tick(&mut self, now: Timestamp, taken: &mut Taken) {
        let rests = self.orders.values().any(|known| known.may_rest);
        if self.heart.is_due(rests, now) {
            taken.calls.push(self.beat(now));
        }
    }
}

fn refuse(text: String) -> Error {
    Error::Refused { venue: Venue::Polymarket, what: "order".to_owned(), status: 0, text }
}

fn unknown(intent: IntentId) -> Error {
    refuse(format!("{intent} is not known here"))
}

#[cfg(test)]
mod tests;
