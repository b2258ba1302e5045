//! One HTTP connection: requests in, answers out, orders stamped when their last byte was read.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crossbook::domain::Venue;
use crossbook::exchange::{Reply, Request};
use crossbook::net::clock::unix_nanos;

use crate::Shared;

/// An order is answered after this: a venue is never as near as loopback, and the work of checking
/// it must not take the processor from the order that is still being sent.
const WAY: Duration = Duration::from_millis(2);

/// One request, read whole.
struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    at: i64,
}

/// Answers until the client goes.
pub(super) fn talk(venues: &Shared, mut stream: TcpStream, venue: Venue, host: &str) {
    let mut buffer = Vec::new();
    while let Some(mut asked) = read(&mut stream, &mut buffer) {
        let is_order = asked.method == "POST"
            && asked.path.ends_with(match venue {
                Venue::Kalshi => "/orders",
                Venue::Polymarket => "/order",
            });
        if is_order {
            venues.note(venue, &String::from_utf8_lossy(&asked.body), asked.at);
            std::thread::sleep(WAY);
        }
        if !host.is_empty() {
            asked.headers.push(("x-crossbook-host".to_owned(), host.to_owned()));
        }
        let request = Request {
            method: &asked.method,
            path: &asked.path,
            query: &asked.query,
            headers: &asked.headers,
            body: &asked.body,
        };
        let reply =
            venues.with(venue, |core, floor, now, out| core.request(&request, floor, now, out));
        if stream.write_all(&written(&reply)).is_err() {
            return;
        }
    }
}

fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let mut lines = head.split("\r\n");
            let mut first = lines.next()?.split(' ');
            let (method, target) = (first.next()?.to_owned(), first.next()?);
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length = length.map_or(0, |(_, text)| text.parse().unwrap());
            let whole = end + 4 + length;
            while buffer.len() < whole {
                fill(stream, buffer)?;
            }
            let at = unix_nanos();
            let body = buffer[end + 4..whole].to_vec();
            buffer.drain(..whole);
            let (path, query) = (path.to_owned(), query.to_owned());
            return Some(Asked { method, path, query, headers, body, at });
        }
        fill(stream, buffer)?;
    }
}

fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut part = [0; 16_384];
    let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
    buffer.extend_from_slice(&part[..count]);
    Some(())
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} OK\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n{}", reply.body.len(), reply.body));
    head.into_bytes()
}
