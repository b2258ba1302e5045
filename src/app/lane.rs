//! One connection: a socket, and the feed that says what to do with it.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use crate::book::Lane;
use crate::domain::Timestamp;
use crate::net::clock;
use crate::net::ws::{Received, Refusal, Socket};
use crate::venue::Closed;

use super::driver::Driver;
use super::milestone::Milestone;
use super::pipeline::Input;
use super::shutdown::Stopping;

/// Frames taken in at once before the engine looks for edges: a flood can't put off the decision.
const DRAIN_MAX: usize = 256;

/// How long a frame may take to be handed to the system.
const SEND_MAX: Duration = Duration::from_secs(5);

/// A timer that is due again at once does not spin.
const SLEEP_MIN: Duration = Duration::from_millis(1);

/// No deadline is further away than this, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// Pumps one connection until the run ends.
pub async fn run(driver: Rc<RefCell<Driver>>, lane: Lane, mut stopping: Stopping) {
    let Some(wake) = driver.borrow().wake_of(lane) else { return };
    let mut socket: Option<Socket> = None;
    loop {
        if !act(&driver, lane, &mut socket, &mut stopping).await {
            break;
        }
        let deadline = driver.borrow().pipeline.deadline(lane);
        let now = Timestamp::from_nanos(clock::unix_nanos());
        if deadline <= now {
            // Before anything is read: a socket that always has something must not starve it.
            driver.borrow_mut().input(&Input::Timer(lane));
        }
        let due = driver.borrow().pipeline.deadline(lane);
        let sleep = due.since(now).clamp(SLEEP_MIN, SLEEP_MAX);
        tokio::select! {
            biased;
            _ = stopping.wait() => break,
            () = wake.notified() => {}
            received = receive(&mut socket) => take(&driver, lane, &mut socket, received),
            () = tokio::time::sleep(sleep) => {}
        }
    }
    if let Some(mut socket) = socket {
        socket.close().await;
    }
}

/// Does what the feed wishes; `false` when the run ends meanwhile.
async fn act(
    driver: &Rc<RefCell<Driver>>,
    lane: Lane,
    socket: &mut Option<Socket>,
    stopping: &mut Stopping,
) -> bool {
    let (connect, close, frames) = {
        let mut driver = driver.borrow_mut();
        let Some(wishes) = driver.pipeline.wishes.lanes.get_mut(lane.at()) else { return false };
        let connect = std::mem::take(&mut wishes.connect);
        let close = std::mem::take(&mut wishes.close);
        (connect, close, std::mem::take(&mut wishes.frames))
    };
    if close && let Some(mut old) = socket.take() {
        old.close().await;
        driver.borrow_mut().input(&Input::Closed(lane, &Closed::Asked));
        // What the feed wanted to send was for the connection that is gone.
        return true;
    }
    if let Some(open) = socket {
        for frame in frames {
            // A peer that does not read any more would hold this connection up for ever.
            let sent = tokio::time::timeout(SEND_MAX, open.send(frame)).await;
            let sent = sent.unwrap_or_else(|_| Err("the peer stopped reading".to_owned()));
            if let Err(why) = sent {
                *socket = None;
                driver.borrow_mut().input(&Input::Closed(lane, &Closed::Dropped(why)));
                break;
            }
        }
    }
    if connect && socket.is_none() {
        tokio::select! {
            _ = stopping.wait() => return false,
            opened = open(driver, lane) => *socket = opened,
        }
    }
    true
}

async fn open(driver: &Rc<RefCell<Driver>>, lane: Lane) -> Option<Socket> {
    let now = Timestamp::from_nanos(clock::unix_nanos());
    let handshake = driver.borrow_mut().pipeline.feed_mut(lane)?.handshake(now);
    let result = match handshake {
        Ok(handshake) => match Socket::connect(&handshake.url, &handshake.headers).await {
            Ok(socket) => Ok(socket),
            Err(Refusal::Refused { status, text }) => Err(Closed::Refused { status, text }),
            Err(Refusal::Unreachable(text)) => {
                Err(Closed::Unreachable(format!("{}: {text}", host_of(&handshake.url))))
            }
        },
        Err(error) => Err(Closed::Unreachable(error.to_string())),
    };
    match result {
        Ok(socket) => {
            driver.borrow_mut().input(&Input::Open(lane));
            Some(socket)
        }
        Err(why) => {
            driver.borrow_mut().input(&Input::Closed(lane, &why));
            None
        }
    }
}

/// Scheme, host and port of an address.
fn host_of(url: &str) -> &str {
    let rest = url.find("://").map_or(0, |at| at + 3);
    let end = url[rest..].find('/').map_or(url.len(), |at| rest + at);
    &url[..end]
}

async fn receive(socket: &mut Option<Socket>) -> Received {
    match socket {
        Some(socket) => socket.receive().await,
        None => pending().await,
    }
}

/// Takes in everything that has arrived, then lets the engine look.
fn take(driver: &Rc<RefCell<Driver>>, lane: Lane, socket: &mut Option<Socket>, first: Received) {
    Milestone::Read.reached();
    let mut driver = driver.borrow_mut();
    let mut next = Some(first);
    let mut taken = 0;
    while let Some(received) = next.take() {
        match received {
            Received::Text(text) => driver.input(&Input::Text(lane, &text)),
            Received::Ping => driver.input(&Input::Ping(lane)),
            Received::Closed(why) => {
                *socket = None;
                driver.input(&Input::Closed(lane, &Closed::Dropped(why)));
            }
        }
        taken += 1;
        if taken < DRAIN_MAX {
            next = socket.as_mut().and_then(Socket::receive_ready);
        }
    }
    driver.input(&Input::Drained);
}
