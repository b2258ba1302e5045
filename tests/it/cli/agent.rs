//! Who we say we are on the wire, and how much we let come back.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use crossbook::net::http::{Call, Client};
use crossbook::net::ws::{Received, Refusal, Socket};

/// Takes one request, answers it as a firewall would, and gives its head.
fn firewall() -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        let page = "<html><title>Attention Required! | Cloudflare</title></html>";
        let length = page.len();
        write!(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\n{page}").unwrap();
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    });
    (port, thread)
}

fn expected() -> String {
    format!("user-agent: crossbook/{}\r\n", env!("CARGO_PKG_VERSION"))
}

#[test]
fn requests_and_handshakes_say_who_sends_them() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (port, heard) = firewall();
    let client = Client::new(Duration::from_secs(5)).unwrap();
    let url = format!("http://127.0.0.1:{port}/book");
    let answer = runtime.block_on(client.send(Call { url, ..Call::default() })).unwrap();
    assert_eq!(answer.status, 403);
    let head = heard.join().unwrap();
    assert!(head.contains(&expected()), "{head}");

    let (port, heard) = firewall();
    let url = format!("ws://127.0.0.1:{port}/ws/market");
    let refused = runtime.block_on(Socket::connect(&url, &[]));
    assert!(matches!(refused, Err(Refusal::Refused { status: 403, .. })), "{refused:?}");
    let head = heard.join().unwrap();
    assert!(head.contains(&expected()), "{head}");
}

#[test]
fn a_frame_beyond_the_usual_limit_of_a_mebibyte_is_read() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::tungstenite::Message;
    const BYTES: usize = 3 << 20;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            socket.send(Message::text("x".repeat(BYTES))).await.unwrap();
        };
        let client = async {
            let mut socket = Socket::connect(&url, &[]).await.unwrap();
            match socket.receive().await {
                Received::Text(text) => text.len(),
                other => panic!("{other:?}"),
            }
        };
        let ((), length) = futures_util::future::join(server, client).await;
        assert_eq!(length, BYTES);
    });
}
