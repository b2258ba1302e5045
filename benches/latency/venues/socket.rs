//! One WebSocket connection: a thread reads, whoever holds the lock of the venues writes.

use std::net::TcpStream;

use crossbook::domain::Venue;
use crossbook::exchange::{Connection, Request};
use tokio_tungstenite::tungstenite::handshake::server::{
    ErrorResponse, Request as Upgrade, Response,
};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr, http};

use crossbook::app::clock;
use crossbook::exchange::Core as _;

use crate::Shared;

/// What is written.
pub(super) enum Frame {
    Text(String),
    Ping(&'static str),
}

/// The writing end.
pub(super) struct Writer(WebSocket<TcpStream>);

impl Writer {
    /// Writes a frame; `false` when the client is gone.
    pub(super) fn send(&mut self, frame: Frame) -> bool {
        let message = match frame {
            Frame::Text(text) => Message::text(text),
            Frame::Ping(body) => Message::Ping(body.into()),
        };
        self.0.send(message).is_ok()
    }
}

/// Carries frames until the client goes.
pub(super) fn talk(venues: &Shared, stream: TcpStream, venue: Venue) {
    let writing = stream.try_clone().unwrap();
    let mut connection = None;
    #[expect(clippy::result_large_err, reason = "the signature is the library's")]
    let callback = |upgrade: &Upgrade, response: Response| {
        open(venues, venue, upgrade).map(|opened| {
            connection = Some(opened);
            response
        })
    };
    let Ok(mut reader) = accept_hdr(stream, callback) else { return };
    let Some(connection) = connection else { return };
    let writer = Writer(WebSocket::from_raw_socket(writing, Role::Server, None));
    venues.lock().writers.insert(connection, (venue, writer));
    while let Ok(message) = reader.read() {
        if let Message::Text(text) = message {
            venues.with(venue, |core, floor, now, out| {
                core.text(connection, text.as_str(), floor, now, out);
            });
        }
    }
    venues.lock().writers.remove(&connection);
    venues.with(venue, |core, _, _, _| core.closed(connection));
}

#[expect(clippy::result_large_err, reason = "the signature is the library's")]
fn open(venues: &Shared, venue: Venue, upgrade: &Upgrade) -> Result<Connection, ErrorResponse> {
    let headers: Vec<(String, String)> = upgrade
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let request = Request {
        method: "GET",
        path: upgrade.uri().path(),
        query: upgrade.uri().query().unwrap_or_default(),
        headers: &headers,
        body: &[],
    };
    let mut state = venues.lock();
    state.connections += 1;
    let connection = Connection(state.connections);
    let opened = match venue {
        Venue::Kalshi => state.kalshi.open(connection, &request, clock::now()),
        Venue::Polymarket => state.polymarket.open(connection, &request, clock::now()),
    };
    opened.map(|()| connection).map_err(|reply| {
        let mut refusal = http::Response::new(Some(reply.body));
        *refusal.status_mut() = http::StatusCode::from_u16(reply.status).unwrap();
        refusal
    })
}
