//! Carries the order desk's calls over real connections.
//!
//! One attempt for each call, and never a second: what became of a request that was not answered
//! is the executor's to find out. What is certain is said: a request of which no byte left this
//! machine is not lost, it was not sent.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::net::http::{self, Client, Failure, Method};
use crate::venue::gateway::{Answer, Call};

use super::desk::CallId;
use super::driver::Driver;
use super::pipeline::Input;

/// How long an answer is waited for. The executor asks what became of an order much earlier; an
/// answer that comes late is still heard.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Connections to both venues' order routes, apart from those that read market facts.
#[derive(Debug, Clone)]
pub struct Carrier {
    client: Client,
}

impl Carrier {
    /// A carrier without connections; they are made as they are needed, and kept.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self { client: Client::new(ANSWER_MAX)? })
    }

    /// Carries a call and gives the machine its answer.
    pub async fn carry(self, driver: Rc<RefCell<Driver>>, id: CallId, call: Call) {
        let result = match Method::from_bytes(call.method.as_bytes()) {
            Ok(method) => {
                let Call { url, headers, body, .. } = call;
                let call = http::Call { url, headers, json: body, method: Some(method) };
                self.client.send(call).await
            }
            Err(error) => Err(Failure::Connect(error.to_string())),
        };
        let answer = match &result {
            Ok(reply) => Answer::Reply {
                status: reply.status,
                retry_after: reply.retry_after,
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
