//! A WebSocket server on loopback that carries frames between clients and the hub.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{
    ErrorResponse, Request as Upgrade, Response,
};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, http};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::domain::Venue;
use crate::exchange::{Reply, Request};

use super::hub::{Opened, Outgoing};
use super::{Shared, lock};

/// How many connections one server holds at a time; more are refused.
const CONNECTIONS_MAX: usize = 256;
/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long one batch of frames may take to be written.
const SEND_MAX: Duration = Duration::from_secs(5);
/// The largest frame taken from a client.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Accepts connections until told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    venue: Venue,
    shared: Shared,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted
                    && connections.len() < CONNECTIONS_MAX
                {
                    connections.spawn(talk(stream, venue, Arc::clone(&shared)));
                }
            }
        }
    }
    lock(&shared).hang_up();
    connections.shutdown().await;
}

/// Opens one connection and carries its frames until either side ends it.
async fn talk(stream: TcpStream, venue: Venue, shared: Shared) {
    // Nagle's algorithm would hold small frames back.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut opened = None;
    let handshake = accept(stream, venue, &shared, &mut opened);
    let socket = timeout(HANDSHAKE_MAX, handshake).await;
    let Some(Opened { connection, queue, cut }) = opened else { return };
    if let Ok(Some(socket)) = socket {
        tokio::select! {
            () = cut.notified() => {}
            () = carry(socket, connection, queue, &shared) => {}
        }
    }
    lock(&shared).closed(connection);
}

async fn accept(
    stream: TcpStream,
    venue: Venue,
    shared: &Shared,
    opened: &mut Option<Opened>,
) -> Option<WebSocketStream<TcpStream>> {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    #[expect(clippy::result_large_err, reason = "the signature is the library's")]
    let callback = |upgrade: &Upgrade, response: Response| {
        let headers = super::http::headers(upgrade.headers());
        let request = Request {
            method: upgrade.method().as_str(),
            path: upgrade.uri().path(),
            query: upgrade.uri().query().unwrap_or_default(),
            headers: &headers,
            body: &[],
        };
        match lock(shared).open(venue, &request) {
            Ok(new) => {
                *opened = Some(new);
                Ok(response)
            }
            Err(reply) => Err(refusal(reply)),
        }
    };
    accept_hdr_async_with_config(stream, callback, Some(limits)).await.ok()
}

fn refusal(reply: Reply) -> ErrorResponse {
    let mut refusal = http::Response::new(None);
    let status = http::StatusCode::from_u16(reply.status);
    *refusal.status_mut() = status.unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = http::HeaderValue::from_str(&value) {
            refusal.headers_mut().insert(name, value);
        }
    }
    refusal.headers_mut().insert("content-length", reply.body.len().into());
    *refusal.body_mut() = Some(reply.body);
    refusal
}

async fn carry(
    mut socket: WebSocketStream<TcpStream>,
    connection: crate::exchange::Connection,
    mut queue: tokio::sync::mpsc::Receiver<Outgoing>,
    shared: &Shared,
) {
    loop {
        tokio::select! {
            outgoing = queue.recv() => {
                // No more senders: the hub has ended this connection.
                let Some(first) = outgoing else { return };
                match timeout(SEND_MAX, send(&mut socket, first, &mut queue)).await {
                    Ok(Some(Flow::Goes)) => {}
                    Ok(Some(Flow::Stalled)) => {
                        // The socket stays open, unread, until the hub ends it.
                        while queue.recv().await.is_some() {}
                        return;
                    }
                    Ok(None) | Err(_) => return,
                }
            }
            incoming = socket.next() => match incoming {
                Some(Ok(Message::Text(text))) => lock(shared).text(connection, text.as_str()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

/// Whether a connection goes on.
#[derive(Debug, Clone, Copy)]
enum Flow {
    Goes,
    Stalled,
}

/// Writes what waits in the queue as one batch; `None` when the client is gone.
async fn send(
    socket: &mut WebSocketStream<TcpStream>,
    first: Outgoing,
    queue: &mut tokio::sync::mpsc::Receiver<Outgoing>,
) -> Option<Flow> {
    let mut next = Some(first);
    while let Some(outgoing) = next {
        let message = match outgoing {
            Outgoing::Text(text) => Message::text(text),
            Outgoing::Ping(body) => Message::Ping(body.into()),
            Outgoing::Stall => {
                socket.flush().await.ok()?;
                return Some(Flow::Stalled);
            }
        };
        socket.feed(message).await.ok()?;
        next = queue.try_recv().ok();
    }
    socket.flush().await.ok()?;
    Some(Flow::Goes)
}

/// The URL of a listener.
pub(super) fn url(scheme: &str, address: SocketAddr, path: &str) -> String {
    format!("{scheme}://{address}{path}")
}
