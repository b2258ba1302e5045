//! HTTP requests with a limit on everything: time, size, redirects.

use std::time::Duration;

use super::tls;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// `Retry-After` in seconds, where the server sent one.
    pub retry_after: Option<Duration>,
    /// The `Date` header, where the server sent one.
    pub date: Option<String>,
    /// The headers that the call wanted, as far as the server sent them.
    pub headers: Vec<(&'static str, String)>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection was made: the request was not sent.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection broke, or the answer could not be read.
    #[error("broken answer: {0}")]
    Broken(String),
    /// The answer is larger than allowed.
    #[error("answer larger than {0} bytes")]
    TooLarge(usize),
}

/// What to ask.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The URL, query included.
    pub url: String,
    /// Headers beyond the usual; may hold signatures and are never logged.
    pub headers: Vec<(&'static str, String)>,
    /// A JSON body.
    pub json: Option<String>,
    /// The method; without one, POST where there is a body, else GET.
    pub method: Option<Method>,
    /// Headers of the answer to be kept, in lower case.
    pub keeps: &'static [&'static str],
}

pub use reqwest::Method;

/// A client with one pool of connections.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    timeout: Duration,
    size_max: usize,
}

impl Client {
    /// The largest answer that is read: Kalshi's list of series has 18 MB.
    pub const SIZE_MAX: usize = 64 << 20;

    /// A client whose requests end within `timeout`.
    pub fn new(timeout: Duration) -> Result<Self, Failure> {
        let inner = reqwest::Client::builder()
            .tls_backend_preconfigured((*tls::client_config()).clone())
            .user_agent(super::USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .tcp_nodelay(true)
            // Every repetition is decided on above: what a request did is not known down here.
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| Failure::Connect(causes(&error)))?;
        Ok(Self { inner, timeout, size_max: Self::SIZE_MAX })
    }

    /// Asks once.
    pub async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let usual = if call.json.is_some() { Method::POST } else { Method::GET };
        let mut request = self.inner.request(call.method.unwrap_or(usual), &call.url);
        if let Some(body) = call.json {
            request = request.header("content-type", "application/json").body(body);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let retry_after = header("retry-after")
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_secs);
        let date = header("date");
        let kept = call.keeps.iter().filter_map(|name| Some((*name, header(name)?)));
        let headers = kept.collect();
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if bytes.len() + chunk.len() > self.size_max {
                return Err(Failure::TooLarge(self.size_max));
            }
            bytes.extend_from_slice(&chunk);
        }
        let body = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Answer { status, body, retry_after, date, headers })
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() {
            Failure::Timeout(self.timeout)
        } else if error.is_connect() {
            Failure::Connect(causes(error))
        } else {
            Failure::Broken(causes(error))
        }
    }
}

/// The innermost causes say what happened; the outer text repeats the URL.
fn causes(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
