//! Carries the order desk's calls over real connections.
//!
//! Calls of a paper venue go no further than its simulator, and take as long there as the way to
//! the venue would: the book that fills an order is the one that stands when it would arrive.
//!
//! One attempt for each call, and never a second: what became of a request that was not answered
//! is the executor's to find out. What is certain is said: a request of which no byte left this
//! machine is not lost, it was not sent.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::book::Book;
use crate::domain::{Market, MarketIndex, Money, Outcome, Quantity, Timestamp, Venue};
use crate::net::clock;
use crate::net::http::{self, Client, Failure, Method};
use crate::venue::gateway::{Answer, Call};
use crate::venue::paper::{Arrival, Sight, Simulator};
use crate::venue::polymarket::facts::tier;

use super::desk::{ANSWER_MAX, CallId};
use super::driver::Driver;
use super::milestone::Milestone;
use super::pipeline::{Input, Pipeline};

/// How often a paper order looks whether the books have been read.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Both paper venues, and how long the way there is.
#[derive(Debug, Clone)]
pub struct Paper {
    simulators: Rc<RefCell<[Simulator; 2]>>,
    latency: [Duration; 2],
    is_polled: [bool; 2],
}

/// How a paper account begins.
#[derive(Debug, Clone)]
pub struct PaperStart {
    /// What can be spent at Kalshi and at Polymarket.
    pub cash: [Money; 2],
    /// What is held there.
    pub held: [Vec<(MarketIndex, Outcome, Quantity)>; 2],
    /// Each way.
    pub latency: [Duration; 2],
    /// Whether the venue's books are read now and then, and not told as they change.
    pub is_polled: [bool; 2],
}

impl Paper {
    /// Two accounts.
    pub fn new(start: &PaperStart) -> Self {
        let [kalshi, polymarket] = Venue::ALL;
        let mut simulators =
            [Simulator::new(kalshi, start.cash[0]), Simulator::new(polymarket, start.cash[1])];
        for (at, simulator) in simulators.iter_mut().enumerate() {
            simulator.restore(&start.held[at], start.cash[at]);
        }
        let PaperStart { latency, is_polled, .. } = *start;
        Self { simulators: Rc::new(RefCell::new(simulators)), latency, is_polled }
    }

    async fn carry(&self, driver: &Rc<RefCell<Driver>>, call: &Call) -> String {
        let at = usize::from(call.venue == Venue::Polymarket);
        tokio::time::sleep(self.latency[at]).await;
        let clock = || Timestamp::from_nanos(clock::unix_nanos());
        let arrived = clock();
        let (way, is_polled) = (self.latency[at], self.is_polled[at]);
        let body = loop {
            let now = clock();
            let arrival = {
                let driver = driver.borrow();
                let sight = Live { pipeline: &driver.pipeline, way, is_polled, now };
                self.simulators.borrow_mut()[at].arrive(call, &sight, arrived, now)
            };
            match arrival {
                Arrival::Answered(body) => break body,
                Arrival::Waits(wait) => tokio::time::sleep(wait).await,
            }
        };
        // What was waited for above came back with the book.
        tokio::time::sleep(arrived.after(way).since(clock())).await;
        body
    }
}

/// The live books at one moment.
struct Live<'a> {
    pipeline: &'a Pipeline,
    /// How long it takes from the venue to here.
    way: Duration,
    /// Whether books are read now and then.
    is_polled: bool,
    now: Timestamp,
}

impl Sight for Live<'_> {
    fn book(&self, market: MarketIndex) -> Option<&Book> {
        self.pipeline.engine().believed(market, self.now)
    }

    fn facts(&self, market: MarketIndex) -> Option<&Market> {
        self.pipeline.registry().get(market)?.facts()
    }

    fn unseen_for(&self, market: MarketIndex, moment: Timestamp, now: Timestamp) -> Duration {
        if !self.is_polled {
            return moment.after(self.way).since(now);
        }
        // A reading that came back within a round trip may have been asked for before.
        let asked = moment.after(self.way * 2);
        let is_read = self.book(market).is_some_and(|book| book.proven() > asked);
        if is_read { Duration::ZERO } else { LOOK_EVERY }
    }
}

/// Connections to both venues' order routes, apart from those that read market facts.
#[derive(Debug, Clone)]
pub struct Carrier {
    client: Client,
    paper: Option<Paper>,
}

impl Carrier {
    /// A carrier without connections; they are made as they are needed, and kept. The executor asks
    /// what became of an order much before its answer is given up.
    pub fn new(paper: Option<Paper>) -> Result<Self, Failure> {
        Ok(Self { client: Client::new(ANSWER_MAX)?, paper })
    }

    /// Carries a call and gives the machine its answer.
    pub async fn carry(self, driver: Rc<RefCell<Driver>>, id: CallId, call: Call) {
        if let Some(paper) = &self.paper {
            let body = paper.carry(&driver, &call).await;
            let answer =
                Answer::Reply { status: 200, retry_after: None, headers: &[], body: &body };
            driver.borrow_mut().input(&Input::Answer(id, &answer));
            return;
        }
        let result = match Method::from_bytes(call.method.as_bytes()) {
            Ok(method) => {
                Milestone::Sent.reached();
                let Call { url, headers, body, .. } = call;
                let (method, keeps) = (Some(method), tier::HEADERS);
                let call = http::Call { url, headers, json: body, method, keeps };
                self.client.send(call).await
            }
            Err(error) => Err(Failure::Connect(error.to_string())),
        };
        let answer = match &result {
            Ok(reply) => Answer::Reply {
                status: reply.status,
                retry_after: reply.retry_after,
                headers: &reply.headers,
                body: &reply.body,
            },
            Err(Failure::Connect(why)) => Answer::NotSent(why),
            Err(Failure::Timeout(_)) => Answer::Lost("no answer in time"),
            Err(Failure::Broken(why)) => Answer::Lost(why),
            Err(Failure::TooLarge(_)) => Answer::Lost("the answer is too large"),
        };
        driver.borrow_mut().input(&Input::Answer(id, &answer));
    }
}
