//! What goes to and fro between the process and the exchanges, calls of the desk excepted.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crossbook::app::pipeline::{Input, News};
use crossbook::app::poll;
use crossbook::book::Lane;
use crossbook::domain::Venue;
use crossbook::engine::effect::Effect;
use crossbook::exchange::{Connection, Reply, Request};
use crossbook::venue::polymarket::encode;
use crossbook::venue::{Closed, Handshake};

use crate::harness::wire::Cargo;
use crate::harness::{client, clock};

use super::process;
use super::run::{Ends, Event, Found, Run};

/// Frames taken in at once, as the driver does it.
const DRAIN_MAX: usize = 256;

impl Run {
    /// Does what the machine wishes, as the driver does it, and hears what it tells.
    pub(super) fn follow_wishes(&mut self) {
        let Some(machine) = &mut self.machine else { return };
        let wishes = &mut machine.wishes;
        wishes.new_lanes.clear();
        let (lanes, now) = (wishes.lanes.len(), self.now);
        self.lanes.resize(lanes.max(self.lanes.len()), Ends { connection: None, up_due: now });
        let loads = std::mem::take(&mut wishes.loads);
        let calls = std::mem::take(&mut wishes.calls);
        let news = std::mem::take(&mut machine.news);
        for item in news {
            self.hear(&item);
        }
        // Calls first: a process that ends over them does nothing else any more.
        for (id, call) in calls {
            if !self.carry(id, &call) {
                return;
            }
        }
        let any = !loads.is_empty();
        for (venue, id) in loads {
            self.load(venue, id);
        }
        if any {
            self.poll_tasks();
        }
        for place in 0..self.lanes.len() {
            self.follow_lane(place);
        }
    }

    fn follow_lane(&mut self, place: usize) {
        let lane = Lane(u16::try_from(place).unwrap());
        let Some(machine) = &mut self.machine else { return };
        let Some(wishes) = machine.wishes.lanes.get_mut(place) else { return };
        let connect = std::mem::take(&mut wishes.connect);
        let close = std::mem::take(&mut wishes.close);
        let frames = std::mem::take(&mut wishes.frames);
        if close && let Some(old) = self.lanes[place].connection.take() {
            self.venues.lock().unwrap().wires.hang_up(old);
            self.queue(Duration::from_millis(2), Event::Gone(old));
            self.input(&Input::Closed(lane, &Closed::Asked));
            return;
        }
        if let Some(connection) = self.lanes[place].connection {
            for frame in frames {
                let travel = self.venues.lock().unwrap().wires.travel();
                let due = self.now.after(travel).max(self.lanes[place].up_due);
                self.lanes[place].up_due = due;
                self.queue_at(due, Event::Frame(connection, frame));
            }
        }
        if connect && self.lanes[place].connection.is_none() {
            let now = self.now;
            let feed = self.machine.as_mut().and_then(|machine| machine.feed_mut(lane));
            let handshake = feed.unwrap().handshake(now).unwrap();
            let travel = self.venues.lock().unwrap().wires.travel();
            self.queue(travel, Event::Dial(lane, handshake));
        }
    }

    fn load(&mut self, venue: Venue, id: String) {
        let (kalshi, venues) = (Arc::clone(&self.kalshi), Arc::clone(&self.venues));
        self.tasks.push(Box::pin(async move {
            let loaded = match venue {
                Venue::Kalshi => client::load_kalshi(kalshi, id).await,
                Venue::Polymarket => client::load_polymarket(venues, id).await,
            };
            match loaded {
                Ok(market) => Found::Market(Box::new(market)),
                Err((venue, id)) => Found::NoMarket(venue, id),
            }
        }));
    }

    pub(super) fn poll_tasks(&mut self) {
        clock::take_due();
        let mut context = Context::from_waker(Waker::noop());
        let mut done = Vec::new();
        self.tasks.retain_mut(|task| match task.as_mut().poll(&mut context) {
            Poll::Ready(found) => {
                done.push(found);
                false
            }
            Poll::Pending => true,
        });
        for found in done {
            match found {
                Found::Market(market) => self.input(&Input::Market(&market)),
                Found::NoMarket(venue, id) => self.input(&Input::NoMarket(venue, &id)),
                Found::Books(venue, body) => {
                    self.confirming = false;
                    self.input(&Input::Books(venue, &body));
                    self.queue(
                        process::settings(&self.script).polymarket.confirm_every,
                        Event::Confirm,
                    );
                }
            }
        }
    }

    /// Hands over what a wire brings at this moment as one read of a socket.
    pub(super) fn deliver(&mut self, place: usize) {
        let Some(connection) = self.lanes.get(place).and_then(|ends| ends.connection) else {
            return;
        };
        let pieces = self.venues.lock().unwrap().wires.collect(connection, self.now);
        let lane = Lane(u16::try_from(place).unwrap());
        let still = |run: &Self| {
            run.lanes.get(place).is_some_and(|ends| ends.connection == Some(connection))
        };
        for drain in pieces.chunks(DRAIN_MAX) {
            for piece in drain {
                match &piece.cargo {
                    Cargo::Text(text) => {
                        self.note_frame(lane, text);
                        self.input(&Input::Text(lane, text));
                    }
                    Cargo::Ping => self.input(&Input::Ping(lane)),
                    Cargo::Cut => {
                        self.lanes[place].connection = None;
                        self.venues.lock().unwrap().closed(connection);
                        let why = Closed::Dropped("cut".to_owned());
                        self.input(&Input::Closed(lane, &why));
                    }
                }
                if !still(self) {
                    return;
                }
            }
            self.input(&Input::Drained);
            if !still(self) {
                return;
            }
        }
    }

    /// Private frames are worth a line of the log.
    fn note_frame(&mut self, lane: Lane, text: &str) {
        let private = self.machine.as_ref().is_some_and(|one| lane.0 < one.private_lanes());
        if private {
            self.log.write(self.now, || format!("private {} {text}", lane.0));
        }
    }

    pub(super) fn dial(&mut self, lane: Lane, handshake: Handshake) {
        let Some(machine) = &self.machine else { return };
        let Some(venue) = machine.venue_of(lane) else { return };
        let headers = client::lower(handshake.headers);
        let (path, query) = client::target(&handshake.url);
        let request = Request { method: "GET", path, query, headers: &headers, body: &[] };
        let (opened, travel) = {
            let mut venues = self.venues.lock().unwrap();
            (venues.open(venue, &request, self.now), venues.wires.travel())
        };
        match opened {
            Ok((connection, arrives)) => self.queue_at(arrives, Event::Opened(lane, connection)),
            Err(reply) => self.queue(travel, Event::Refused(lane, reply)),
        }
    }

    pub(super) fn opened(&mut self, lane: Lane, connection: Connection) {
        let Some(ends) = self.lanes.get_mut(lane.at()).filter(|ends| ends.connection.is_none())
        else {
            // The process that dialled has ended.
            self.venues.lock().unwrap().closed(connection);
            return;
        };
        *ends = Ends { connection: Some(connection), up_due: self.now };
        self.input(&Input::Open(lane));
    }

    pub(super) fn refused(&mut self, lane: Lane, reply: Reply) {
        let why = Closed::Refused { status: reply.status, text: reply.body };
        self.input(&Input::Closed(lane, &why));
    }

    pub(super) fn confirm(&mut self) {
        let Some(machine) = &self.machine else {
            self.queue(process::settings(&self.script).polymarket.confirm_every, Event::Confirm);
            return;
        };
        let ids = poll::ids_of(machine, Venue::Polymarket);
        let tokens: Vec<&str> = ids.iter().map(String::as_str).collect();
        let json = encode::book_requests(&tokens);
        let venues = Arc::clone(&self.venues);
        self.confirming = true;
        self.tasks.push(Box::pin(async move {
            let url = "http://127.0.0.1:9/books";
            let body = client::ask_polymarket(&venues, "clob", url, &json).await;
            Found::Books(Venue::Polymarket, body)
        }));
        self.poll_tasks();
    }

    fn hear(&mut self, news: &News) {
        match news {
            News::Decision(Effect::Act(act)) => {
                self.log.write(self.now, || format!("act {act:?}"));
                self.watch_act(act);
            }
            News::Decision(Effect::Opportunity(found)) => {
                let line = || format!("opportunity {} {} {}", found.id, found.pair.0, found.profit);
                self.log.write(self.now, line);
            }
            News::Decision(effect) => self.log.write(self.now, || format!("effect {effect:?}")),
            News::Feed(venue, notice) => {
                self.log.write(self.now, || format!("feed {venue} {notice:?}"));
            }
            News::Untraded { pair, why } => {
                self.log.write(self.now, || format!("untraded {pair}: {why}"));
            }
            News::Journal(state) => self.log.write(self.now, || format!("journal {state:?}")),
            News::Desk(venue, text) => self.log.write(self.now, || format!("desk {venue} {text}")),
            News::Findings(found) => self.fail("mappings", format!("{found:?}")),
            News::NoSuchOutcome { pair, .. } => self.fail("mappings", format!("outcome of {pair}")),
            News::Pairs(_) | News::LimitsHeld { .. } => {}
        }
    }
}
