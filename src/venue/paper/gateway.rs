//! The order side of a paper venue.

use crate::domain::report::{Fee, Permission, Position, Purse, Refusal, Refused, Rest, Total};
use crate::domain::{
    Action, Evidence, Fill, Finality, IntentId, Lifetime, MarketIndex, Money, Order, OrderId,
    Outcome, Quantity, Report, Size, Timestamp, Venue,
};
use crate::venue::Error;
use crate::venue::gateway::{
    Answer, Call, Class, Conversion, Gateway as Port, Markets, Question, Subject, Taken,
};

use super::wire::{PaperAnswer, PaperFill, PaperOrder};

/// Orders on paper at one venue.
#[derive(Debug, Clone, Copy)]
pub struct Gateway {
    venue: Venue,
    merges: Merges,
    /// Whether it was said that anybody may trade here.
    has_permitted: bool,
}

/// How contracts of both outcomes become dollars at Polymarket. Kalshi nets them by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merges {
    /// On request, at once.
    ByVenue,
    /// By a person with a wallet, which a paper account has not: they stay until the market pays.
    ByUser,
}

impl Gateway {
    /// The paper side of a venue.
    pub const fn new(venue: Venue, merges: Merges) -> Self {
        Self { venue, merges, has_permitted: false }
    }

    fn call(&self, subject: Subject, class: Class, path: &str, body: Option<String>) -> Call {
        Call {
            venue: self.venue,
            subject,
            class,
            cost: 1,
            method: if body.is_some() { "POST" } else { "GET" },
            url: format!("paper://{}/{path}", self.venue.name()),
            headers: Vec::new(),
            body,
        }
    }

    fn take(&self, answer: PaperAnswer, markets: &dyn Markets, taken: &mut Taken) {
        let order = |intent, evidence| Report::Order { intent: IntentId(intent), evidence };
        match answer {
            PaperAnswer::Done { intent, fills } => done(intent, fills, taken),
            PaperAnswer::Refused { intent, why, text } => {
                let kind = match why.as_str() {
                    "no_match" => Refused::NoMatch,
                    "funds" => Refused::Funds,
                    "paused" => Refused::Paused,
                    _ => Refused::Other,
                };
                let refusal = Refusal { kind, code: why, text };
                taken.reports.push(order(intent, Evidence::Refused(refusal)));
            }
            PaperAnswer::Waits { intent } => {
                let standing = Evidence::Standing {
                    id: order_id(IntentId(intent)),
                    filled: None,
                    rest: Rest::Delayed,
                    trades: Vec::new(),
                };
                taken.reports.push(order(intent, standing));
            }
            PaperAnswer::Settled { payments } => {
                let payments = payments.into_iter();
                taken.reports.extend(payments.map(|payment| self.settled(payment, markets)));
            }
            PaperAnswer::NotFound { intent, at } => {
                let as_of = Timestamp::from_nanos(at);
                taken.reports.push(order(intent, Evidence::NotFound { as_of }));
            }
            PaperAnswer::Positions { positions, at } => {
                taken.reports.push(self.positions(&positions, at, markets));
            }
            PaperAnswer::Cash { micros, at } => taken.reports.push(Report::Cash {
                venue: self.venue,
                purses: vec![(self.purse(), Money::from_micros(micros))],
                as_of: Timestamp::from_nanos(at),
            }),
            PaperAnswer::Merged { market, contracts, at } => taken.reports.push(Report::Merged {
                market: MarketIndex(market),
                quantity: Quantity::from_units(contracts).unwrap_or_default(),
                at: Timestamp::from_nanos(at),
            }),
        }
    }

    fn settled(&self, payment: (u32, i64, i64, i64), markets: &dyn Markets) -> Report {
        let (market, yes_pays, paid, at) = payment;
        let market = MarketIndex(market);
        Report::Settled {
            venue: self.venue,
            market: Some(market),
            id: markets.facts(market).map(|facts| facts.id.clone()).unwrap_or_default(),
            yes_pays: Money::from_micros(yes_pays),
            paid: Money::from_micros(paid),
            at: Timestamp::from_nanos(at),
        }
    }

    fn positions(&self, held: &[(u32, bool, i64)], at: i64, markets: &dyn Markets) -> Report {
        let positions = held
            .iter()
            .map(|(market, yes, contracts)| {
                let market = MarketIndex(*market);
                Position {
                    market: Some(market),
                    id: markets.facts(market).map(|facts| facts.id.clone()).unwrap_or_default(),
                    outcome: if *yes { Outcome::Yes } else { Outcome::No },
                    quantity: Quantity::from_units(*contracts).unwrap_or_default(),
                }
            })
            .collect();
        Report::Positions { venue: self.venue, positions, as_of: Timestamp::from_nanos(at) }
    }

    /// Paper money lies in one purse for each venue.
    const fn purse(&self) -> Purse {
        match self.venue {
            Venue::Kalshi => Purse::Shard(SHARD),
            Venue::Polymarket => Purse::Collateral,
        }
    }
}

/// All paper markets of Kalshi lie on this shard, so that its cash pays for each of them.
pub const SHARD: u32 = 0;

fn order_id(intent: IntentId) -> OrderId {
    OrderId(format!("paper-{}", intent.0))
}

/// An order that was taken and is over, and each of its fills.
fn done(intent: u64, fills: Vec<PaperFill>, taken: &mut Taken) {
    let order = |evidence| Report::Order { intent: IntentId(intent), evidence };
    let mut total = Total::default();
    for fill in &fills {
        let quantity = Quantity::from_units(fill.contracts).unwrap_or_default();
        total.quantity = total.quantity.saturating_add(quantity);
        total.money += Money::from_micros(fill.money);
    }
    taken.reports.push(order(Evidence::Standing {
        id: order_id(IntentId(intent)),
        filled: Some(total),
        rest: Rest::Nothing,
        trades: Vec::new(),
    }));
    taken.reports.extend(fills.into_iter().map(|fill| {
        order(Evidence::Fill(Fill {
            trade: fill.trade,
            quantity: Quantity::from_units(fill.contracts).unwrap_or_default(),
            money: Money::from_micros(fill.money),
            fee: Fee::Reported(Money::from_micros(fill.fee)),
            finality: Finality::Confirmed,
            at: Timestamp::from_nanos(fill.at),
        }))
    }));
}

impl Port for Gateway {
    fn venue(&self) -> Venue {
        self.venue
    }

    fn place(
        &mut self,
        order: &Order,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<(OrderId, Call), Error> {
        if order.lifetime == Lifetime::Resting {
            return Err(Error::Refused {
                venue: self.venue,
                what: "place".to_owned(),
                status: 0,
                text: "paper orders only take: a place in a queue cannot be known".to_owned(),
            });
        }
        let body = PaperOrder {
            intent: order.intent.0,
            market: order.market.0,
            yes: order.outcome == Outcome::Yes,
            buy: order.action == Action::Buy,
            limit: order.limit.units(),
            contracts: match order.size {
                Size::Contracts(quantity) => Some(quantity.units()),
                Size::Collateral(_) => None,
            },
            collateral: match order.size {
                Size::Contracts(_) => None,
                Size::Collateral(money) => Some(money.micros()),
            },
            whole: order.lifetime == Lifetime::AllOrNothing,
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let subject = Subject::Place(order.intent);
        Ok((order_id(order.intent), self.call(subject, Class::Order, "order", Some(body))))
    }

    fn recall(&mut self, _: &Order, _: &OrderId) {}

    fn forget(&mut self, _: IntentId) {}

    fn cancel(&mut self, intent: IntentId, _: &dyn Markets, _: Timestamp) -> Result<Call, Error> {
        // Nothing rests on paper: the answer to a cancel is what became of the order.
        let path = format!("order/{}", intent.0);
        Ok(self.call(Subject::Cancel(intent), Class::Cancel, &path, None))
    }

    fn ask(
        &mut self,
        question: &Question,
        _: &dyn Markets,
        _: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        let subject = |name| Subject::Other(name, String::new());
        Ok(match question {
            Question::Order(intent) => {
                let path = format!("order/{}", intent.0);
                vec![self.call(Subject::Order(*intent), Class::Read, &path, None)]
            }
            Question::Positions => {
                vec![self.call(subject("positions"), Class::Read, "positions", None)]
            }
            Question::Cash => vec![self.call(subject("cash"), Class::Read, "cash", None)],
            Question::Settlements(_) => {
                vec![self.call(subject("settlements"), Class::Read, "settlements", None)]
            }
            // Nothing rests, every fill comes with its answer, everybody may trade, and no money
            // moves but by trading.
            Question::Market(_)
            | Question::Movements(_)
            | Question::Orders(_)
            | Question::Fills(_)
            | Question::Permission
            | Question::Limits => Vec::new(),
        })
    }

    fn convert(
        &mut self,
        conversion: Conversion,
        _: &dyn Markets,
        _: Timestamp,
        taken: &mut Taken,
    ) {
        match conversion {
            Conversion::Merge { market, .. } if self.merges == Merges::ByUser => {
                taken.reports.push(Report::NotConverted {
                    market,
                    text: "a person with a wallet would merge both outcomes; on paper they stay \
                           until the market pays (`conversions = \"venue\"` merges at once)"
                        .to_owned(),
                });
            }
            Conversion::Merge { market, quantity } => {
                let body = serde_json::to_string(&(market.0, quantity.units())).unwrap_or_default();
                let subject = Subject::Other("merge", String::new());
                taken.calls.push(self.call(subject, Class::Cancel, "merge", Some(body)));
            }
            Conversion::Redeem { market } => taken.reports.push(Report::NotConverted {
                market,
                text: "paper positions are paid by themselves once the venue says what they pay"
                    .to_owned(),
            }),
        }
    }

    fn read(
        &mut self,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        _: Timestamp,
        taken: &mut Taken,
    ) {
        let intent = match &call.subject {
            Subject::Place(intent)
            | Subject::Decrease(intent, _)
            | Subject::Amend(intent, _)
            | Subject::Cancel(intent)
            | Subject::Order(intent)
            | Subject::Seek(intent, _) => Some(*intent),
            Subject::Places(_) | Subject::Cancels(_) | Subject::Everything | Subject::Other(..) => {
                None
            }
        };
        let unclear = |text: &str| {
            let evidence = Evidence::Unclear(text.to_owned());
            intent.map(|intent| Report::Order { intent, evidence })
        };
        match answer {
            Answer::Reply { body, .. } => match serde_json::from_str(body) {
                Ok(said) => self.take(said, markets, taken),
                Err(error) => taken.reports.extend(unclear(&error.to_string())),
            },
            Answer::NotSent(text) | Answer::Lost(text) => taken.reports.extend(unclear(text)),
        }
    }

    fn read_private(&mut self, _: &str, _: &dyn Markets, _: Timestamp, _: &mut Taken) {}

    fn tick(&mut self, _: Timestamp, taken: &mut Taken) {
        if !std::mem::replace(&mut self.has_permitted, true) {
            let permission = Permission::Open;
            taken.reports.push(Report::Permission { venue: self.venue, permission });
        }
    }
}
