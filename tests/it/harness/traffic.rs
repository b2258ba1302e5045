//! What goes to and fro between the machine and the exchanges.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crossbook::app::pipeline::Input;
use crossbook::app::poll;
use crossbook::book::Lane;
use crossbook::domain::Venue;
use crossbook::exchange::Request;
use crossbook::exchange::faults::Fault;
use crossbook::venue::polymarket::encode;
use crossbook::venue::{Closed, Handshake};

use super::hall::{STEP_EVERY, Tag, at};
use super::wire::{Cargo, Piece};
use super::{DRAIN_MAX, Ends, Event, Outcome, POLL_EVERY, Rig, client, clock};

impl Rig {
    /// Does what the machine wishes, as the driver of a connection does.
    pub(super) fn follow_wishes(&mut self) {
        self.pipeline.wishes.new_lanes.clear();
        while self.lanes.len() < self.pipeline.wishes.lanes.len() {
            self.lanes.push(Ends { connection: None, up_due: self.now });
        }
        for (venue, id) in std::mem::take(&mut self.pipeline.wishes.loads) {
            self.load(venue, id);
        }
        for place in 0..self.lanes.len() {
            self.follow_lane(place);
        }
    }

    fn follow_lane(&mut self, place: usize) {
        let lane = Lane(u16::try_from(place).unwrap());
        let wishes = &mut self.pipeline.wishes.lanes[place];
        let connect = std::mem::take(&mut wishes.connect);
        let close = std::mem::take(&mut wishes.close);
        let frames = std::mem::take(&mut wishes.frames);
        if close && let Some(old) = self.lanes[place].connection.take() {
            self.hall.lock().unwrap().wires.hang_up(old);
            self.queue(Duration::from_millis(2), Event::Gone(old));
            self.input(&Input::Closed(lane, &Closed::Asked));
            self.follow_wishes();
            return;
        }
        if let Some(connection) = self.lanes[place].connection {
            for frame in frames {
                let travel = self.hall.lock().unwrap().wires.travel();
                let due = self.now.after(travel).max(self.lanes[place].up_due);
                self.lanes[place].up_due = due;
                self.queue_at(due, Event::Frame(connection, frame));
            }
        }
        if connect && self.lanes[place].connection.is_none() {
            let now = self.now;
            let handshake = self.pipeline.feed_mut(lane).unwrap().handshake(now).unwrap();
            let travel = self.hall.lock().unwrap().wires.travel();
            self.queue(travel, Event::Dial(lane, handshake));
        }
    }

    fn load(&mut self, venue: Venue, id: String) {
        let (client, hall) = (Arc::clone(&self.kalshi), Arc::clone(&self.hall));
        self.tasks.push(Box::pin(async move {
            let loaded = match venue {
                Venue::Kalshi => client::load_kalshi(client, id).await,
                Venue::Polymarket => client::load_polymarket(hall, id).await,
            };
            match loaded {
                Ok(market) => Outcome::Market(Box::new(market)),
                Err((venue, id)) => Outcome::NoMarket(venue, id),
            }
        }));
        self.poll_tasks();
    }

    pub(super) fn poll_tasks(&mut self) {
        clock::take_due();
        let mut context = Context::from_waker(Waker::noop());
        let mut done = Vec::new();
        self.tasks.retain_mut(|task| match task.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => {
                done.push(outcome);
                false
            }
            Poll::Pending => true,
        });
        for outcome in done {
            match outcome {
                Outcome::Market(market) => self.input(&Input::Market(&market)),
                Outcome::NoMarket(venue, id) => self.input(&Input::NoMarket(venue, &id)),
                Outcome::Books(venue, body) => self.take_books(venue, &body),
                Outcome::NoBooks => self.queue(POLL_EVERY, Event::Poll),
            }
            self.follow_wishes();
        }
    }

    fn take_books(&mut self, venue: Venue, body: &str) {
        let images = self.hall.lock().unwrap().read[at(venue)].pop_front().unwrap();
        let again = match venue {
            Venue::Kalshi => (POLL_EVERY, Event::Poll),
            Venue::Polymarket => (self.settings.polymarket.confirm_every, Event::Confirm),
        };
        self.oracle.read(venue, &images, self.now);
        self.input(&Input::Books(venue, body));
        self.queue(again.0, again.1);
    }

    /// Hands over what a wire brings at this moment as one read of a socket.
    pub(super) fn deliver(&mut self, place: usize) {
        let Some(connection) = self.lanes[place].connection else { return };
        let pieces = self.hall.lock().unwrap().wires.collect(connection, self.now);
        let lane = Lane(u16::try_from(place).unwrap());
        let venue = self.pipeline.venue_of(lane).unwrap();
        for drain in pieces.chunks(DRAIN_MAX) {
            for piece in drain {
                self.take_piece(lane, venue, piece);
            }
            self.input(&Input::Drained);
            self.follow_wishes();
            if self.lanes[place].connection != Some(connection) {
                return;
            }
        }
    }

    fn take_piece(&mut self, lane: Lane, venue: Venue, piece: &Piece<Vec<Tag>>) {
        match &piece.cargo {
            Cargo::Text(text) => {
                self.oracle.heard(venue, self.now);
                self.oracle.deliver(venue, &piece.tag, self.now);
                self.input(&Input::Text(lane, text));
                self.oracle.compare(venue, &piece.tag, &self.pipeline, self.now);
            }
            Cargo::Ping => {
                self.oracle.heard(venue, self.now);
                self.input(&Input::Ping(lane));
            }
            Cargo::Cut => {
                let connection = self.lanes[lane.at()].connection.take();
                self.hall.lock().unwrap().closed(connection.unwrap());
                self.input(&Input::Closed(lane, &Closed::Dropped("cut".to_owned())));
            }
        }
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Dial(lane, handshake) => self.dial(lane, handshake),
            Event::Opened(lane, connection) => {
                self.lanes[lane.at()] = Ends { connection: Some(connection), up_due: self.now };
                self.input(&Input::Open(lane));
                self.follow_wishes();
            }
            Event::Refused(lane, reply) => {
                let why = Closed::Refused { status: reply.status, text: reply.body };
                self.input(&Input::Closed(lane, &why));
                self.follow_wishes();
            }
            Event::Frame(connection, text) => {
                self.hall.lock().unwrap().text(connection, &text, self.now);
            }
            Event::Gone(connection) => self.hall.lock().unwrap().closed(connection),
            Event::Step => self.step(),
            Event::Tick => {
                self.input(&Input::Tick);
                self.follow_wishes();
                self.queue(STEP_EVERY, Event::Tick);
            }
            Event::Confirm => self.confirm(),
            Event::Poll => self.poll(),
        }
    }

    fn dial(&mut self, lane: Lane, handshake: Handshake) {
        let venue = self.pipeline.venue_of(lane).unwrap();
        let headers = client::lower(handshake.headers);
        let (path, query) = client::target(&handshake.url);
        let request = Request { method: "GET", path, query, headers: &headers, body: &[] };
        let (opened, travel) = {
            let mut hall = self.hall.lock().unwrap();
            (hall.open(venue, &request, self.now), hall.wires.travel())
        };
        match opened {
            Ok((connection, arrives)) => self.queue_at(arrives, Event::Opened(lane, connection)),
            Err(reply) => self.queue(travel, Event::Refused(lane, reply)),
        }
    }

    fn step(&mut self) {
        for venue in Venue::ALL {
            if self.is_synced(venue) {
                self.synced[at(venue)] = self.now;
            }
            let unsynced = self.now.since(self.synced[at(venue)]);
            self.unsynced_max[at(venue)] = self.unsynced_max[at(venue)].max(unsynced);
        }
        let mut hall = self.hall.lock().unwrap();
        if self.stepping {
            hall.step(self.now);
        } else {
            hall.tick(self.now);
        }
        for (_, venue, _) in hall.struck.iter().filter(|(_, _, fault)| *fault == Fault::Gap) {
            self.oracle.lossy[at(*venue)] = true;
        }
        drop(hall);
        self.queue(STEP_EVERY, Event::Step);
    }

    fn confirm(&mut self) {
        let ids = poll::ids_of(&self.pipeline, Venue::Polymarket);
        let tokens: Vec<&str> = ids.iter().map(String::as_str).collect();
        let json = encode::book_requests(&tokens);
        let hall = Arc::clone(&self.hall);
        self.tasks.push(Box::pin(async move {
            let url = "http://127.0.0.1:9/books";
            let body = client::ask_polymarket(&hall, "clob", url, &json).await;
            Outcome::Books(Venue::Polymarket, body)
        }));
        self.poll_tasks();
    }

    fn poll(&mut self) {
        let ids = poll::ids_of(&self.pipeline, Venue::Kalshi);
        if ids.is_empty() {
            self.queue(POLL_EVERY, Event::Poll);
            return;
        }
        let client = Arc::clone(&self.kalshi);
        self.tasks.push(Box::pin(async move {
            let tickers: Vec<&str> = ids.iter().map(String::as_str).collect();
            match client.get_orderbooks_text(&tickers).await {
                Ok(body) => Outcome::Books(Venue::Kalshi, body),
                Err(_) => Outcome::NoBooks,
            }
        }));
        self.poll_tasks();
    }
}
