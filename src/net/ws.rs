//! A WebSocket as a stream of events, and what can be sent on it.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header::USER_AGENT;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};

use super::tls;

/// What a connection brings.
#[derive(Debug, Clone)]
pub enum Received {
    /// A text frame.
    Text(Utf8Bytes),
    /// A protocol-level ping; it has been answered.
    Ping,
    /// The connection is over.
    Closed(String),
}

/// Why a connection could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The server answered the handshake with something else.
    #[error("handshake refused with status {status}: {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its body, shortened.
        text: String,
    },
    /// No connection, or no answer in time.
    #[error("cannot connect: {0}")]
    Unreachable(String),
}

/// The largest message that is read: deep snapshots go beyond the usual 1 MiB limits, and Kalshi's
/// own limit for frames is 64 MiB.
pub const MESSAGE_MAX: usize = 64 << 20;

/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const REFUSAL_TEXT_MAX: usize = 300;

/// An open connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects, with headers beyond those of every WebSocket.
    pub async fn connect(url: &str, headers: &[(&'static str, String)]) -> Result<Self, Refusal> {
        let unreachable = |error: &dyn std::fmt::Display| Refusal::Unreachable(error.to_string());
        let mut request = url.into_client_request().map_err(|error| unreachable(&error))?;
        // Firewalls turn away clients that do not say who they are.
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value).map_err(|error| unreachable(&error))?;
            value.set_sensitive(true);
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| unreachable(&error))?;
            request.headers_mut().insert(name, value);
        }
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(MESSAGE_MAX);
        config.max_frame_size = Some(MESSAGE_MAX);
        let connector = Connector::Rustls(tls::client_config());
        let connecting = tokio_tungstenite::connect_async_tls_with_config(
            request,
            Some(config),
            true,
            Some(connector),
        );
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Err(_) => Err(unreachable(&format!("no answer within {CONNECT_TIMEOUT:?}"))),
            Ok(Ok((stream, _))) => Ok(Self { stream }),
            Ok(Err(Error::Http(response))) => {
                let body = response.body().as_deref().unwrap_or_default();
                let text: String =
                    String::from_utf8_lossy(body).chars().take(REFUSAL_TEXT_MAX).collect();
                Err(Refusal::Refused { status: response.status().as_u16(), text })
            }
            Ok(Err(error)) => Err(unreachable(&error)),
        }
    }

    /// The next event. Safe to drop and call again: nothing that arrived is lost.
    pub async fn receive(&mut self) -> Received {
        loop {
            match self.stream.next().await {
                None => return Received::Closed("connection ended".to_owned()),
                Some(Err(error)) => return Received::Closed(error.to_string()),
                Some(Ok(Message::Text(text))) => return Received::Text(text),
                Some(Ok(Message::Ping(_))) => return Received::Ping,
                Some(Ok(Message::Close(frame))) => {
                    let text = frame.map_or_else(
                        || "closed by the server".to_owned(),
                        |frame| format!("closed by the server: {} {}", frame.code, frame.reason),
                    );
                    return Received::Closed(text);
                }
                Some(Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) => {}
            }
        }
    }

    /// The next event if it has arrived already.
    pub fn receive_ready(&mut self) -> Option<Received> {
        use futures_util::FutureExt as _;
        self.receive().now_or_never()
    }

    /// Sends a text frame.
    pub async fn send(&mut self, text: String) -> Result<(), String> {
        self.stream.send(Message::text(text)).await.map_err(|error| error.to_string())
    }

    /// Says goodbye; errors do not matter any more.
    pub async fn close(&mut self) {
        let _ = tokio::time::timeout(Duration::from_millis(500), self.stream.close(None)).await;
    }
}
