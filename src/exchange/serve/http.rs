//! An HTTP server on loopback that hands requests to the hub.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as Incoming, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::domain::Venue;
use crate::exchange::{Reply, Request, Sending};

use super::{Shared, lock};

/// The largest body taken from a client.
const BODY_BYTES_MAX: usize = 1 << 20;
/// A request that is never answered is let go of after this.
const HELD_MAX: Duration = Duration::from_secs(60);
/// Tells the Polymarket core which of its hosts a request came to.
const HOST_HEADER: &str = "x-crossbook-host";

/// One server: whose it is, and which host it stands for.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    pub(super) venue: Venue,
    /// `clob`, `gamma` or `data` on Polymarket.
    pub(super) host: Option<&'static str>,
    pub(super) shared: Shared,
}

/// Answers requests until told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    counter: Counter,
    mut stop: watch::Receiver<bool>,
) {
    let listener = listener.tap_io(|stream| {
        // A refusal to set the option costs milliseconds, not correctness.
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().fallback(answer).with_state(Arc::new(counter));
    let stopped = async move {
        let _ = stop.changed().await;
    };
    // An error of one connection does not reach this far; accepting goes on until the stop.
    let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
}

async fn answer(State(counter): State<Arc<Counter>>, incoming: Incoming) -> Response {
    let (parts, body) = incoming.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        let error = serde_json::json!({"error": "request body too large"});
        return dress(Reply::json(413, &error));
    };
    let mut headers = headers(&parts.headers);
    headers.retain(|(name, _)| name != HOST_HEADER);
    headers.extend(counter.host.map(|host| (HOST_HEADER.to_owned(), host.to_owned())));
    let request = Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let reply = lock(&counter.shared).request(counter.venue, &request);
    match reply.sending {
        Sending::Now => dress(reply),
        Sending::After(wait) => {
            tokio::time::sleep(wait).await;
            dress(reply)
        }
        Sending::Held => {
            tokio::time::sleep(HELD_MAX).await;
            broken()
        }
        Sending::Cut => broken(),
    }
}

/// An answer whose body ends the connection before a byte of it is sent.
fn broken() -> Response {
    let cut = futures_util::stream::once(async {
        Err::<&[u8], _>(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
    });
    Response::new(Body::from_stream(cut))
}

fn dress(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Header names in lower case and their values; a value that is no text is left out.
pub(super) fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}
