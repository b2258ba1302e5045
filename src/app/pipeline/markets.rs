//! Which pairs are in force, which markets they need, and which connection brings each.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::book::{Lane, Update};
use crate::domain::market::Status;
use crate::domain::{Market, Timestamp, Venue};
use crate::engine::event::{Event, Watched};
use crate::pairing::{Standing, check_files};
use crate::venue::Wanted;

use super::{LaneWishes, News, Pipeline, Role, Slot};
use crate::app::desk::Acceptance;
use crate::app::registry::Stage;

impl Pipeline {
    pub(super) fn take_mappings(&mut self, files: &[(String, String)]) {
        let checked = check_files(files, self.today);
        if !checked.findings.is_empty() {
            self.tell(News::Findings(checked.findings.clone()));
        }
        let (set, differences) = self.set.renew(&checked);
        self.set = set;
        if !differences.is_empty() {
            self.tell(News::Pairs(differences));
        }
        self.put_in_force();
        self.mark_needed();
    }

    /// Puts the pairs of the files in force. With money, none with limits that are looser than
    /// those that were accepted: the file of a running trader may change by itself, with an update.
    pub(super) fn put_in_force(&mut self) {
        let is_live = matches!(self.acceptance, Acceptance::Fingerprints(_));
        let mut in_force = Vec::new();
        for mut pair in self.set.pairs().to_vec() {
            if is_live && let Some(terms) = self.terms.get(&pair.fingerprint()) {
                let (limits, back) = terms.restrain(pair.limits);
                pair.limits = limits;
                if let Some(back) = back {
                    self.tell(News::LimitsHeld { pair: pair.id.0.clone(), back });
                }
            }
            in_force.push(Arc::new(pair));
        }
        self.in_force = in_force;
        self.pairs_outdated = true;
    }

    /// Marks the markets that pairs in force need, and those in which something is held or under
    /// way, whatever became of their pairs; asks for the facts of new ones.
    pub(super) fn mark_needed(&mut self) {
        for (_, entry) in self.registry.iter_mut() {
            entry.needed = false;
        }
        let named = self.set.pairs().iter().filter(|pair| pair.standing != Standing::Suspended);
        let named: Vec<(Venue, String)> = named
            .flat_map(|pair| {
                let (kalshi, polymarket) = (pair.kalshi.clone(), pair.polymarket.clone());
                [(Venue::Kalshi, kalshi), (Venue::Polymarket, polymarket)]
            })
            .collect();
        // The journal hears of them too: a person may decide on a market before its facts are read.
        let mut needed: Vec<_> =
            named.into_iter().map(|(venue, id)| self.intern(venue, &id)).collect();
        if let Some(trader) = self.engine.trader() {
            needed.extend(trader.executor().state().markets_in_use());
        }
        for index in needed {
            if let Some(entry) = self.registry.get_mut(index) {
                if !entry.needed && !matches!(entry.stage, Stage::Known(_)) {
                    self.wishes.loads.push((entry.venue, entry.id.clone()));
                }
                entry.needed = true;
            }
        }
        // What was known of a market that is not needed any more grows old unseen.
        for (_, entry) in self.registry.iter_mut() {
            if !entry.needed && matches!(entry.stage, Stage::Known(_)) {
                entry.stage = Stage::Wanted;
            }
        }
        self.wishes.loads.sort();
        self.wishes.loads.dedup();
    }

    /// Takes in which shards of Kalshi take no orders. Their markets are paused; those of a shard
    /// that takes them again are read anew, since each may have been paused for itself meanwhile.
    pub(super) fn take_shards(&mut self, closed: &[u32], now: Timestamp) {
        let before = std::mem::replace(&mut self.closed_shards, closed.to_vec());
        let mut paused = Vec::new();
        for (market, shard) in &self.shards {
            match (before.contains(shard), closed.contains(shard)) {
                (false, true) => paused.push(*market),
                (true, false) => {
                    let entry = self.registry.get(*market);
                    self.wishes.loads.extend(entry.map(|entry| (entry.venue, entry.id.clone())));
                }
                _ => {}
            }
        }
        for market in paused {
            let update = Update::Trading { market, status: Status::Paused };
            self.engine_event(&Event::Update(&update), now);
        }
        self.engine_event(&Event::Drained, now);
    }

    pub(super) fn take_market(&mut self, market: &Market, now: Timestamp) {
        // The top level of Kalshi's status, which counts where no shard is named, is that of the
        // first shard.
        let lies_on = market.shard.unwrap_or(0);
        let held;
        let market = match market.venue {
            Venue::Kalshi => {
                let is_paused = self.closed_shards.contains(&lies_on);
                let told = market.status;
                let status = if is_paused && told == Status::Open { Status::Paused } else { told };
                held = Market { shard: self.shard.or(market.shard), status, ..market.clone() };
                &held
            }
            Venue::Polymarket => market,
        };
        let known = self.registry.find(market.venue, &market.id);
        let before = known.and_then(|index| self.registry.get(index)).and_then(|e| e.facts());
        // Only a market that is new, or whose tokens or labels are, changes which pairs there are;
        // other rules, another close or other prices change which of them are traded.
        self.pairs_outdated |= before.is_none_or(|before| {
            before.tokens != market.tokens
                || before.rules != market.rules
                || before.closes != market.closes
                || before.grid != market.grid
        });
        let index = self.registry.learn(market);
        if market.venue == Venue::Kalshi {
            self.shards.insert(index, lies_on);
        }
        if let Some(desk) = &mut self.desk {
            desk.learn(index, market.venue, &market.id);
        }
        self.engine_event(&Event::Market { index, market }, now);
    }

    pub(super) fn take_books(&mut self, venue: Venue, body: &str, now: Timestamp) {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let registry = &self.registry;
        let find = |id: &str| {
            let index = registry.find_book(venue, id)?;
            let lane = registry.get(index)?.lane?;
            Some((index, lane))
        };
        self.source.books(venue, body, &find, &mut out);
        self.take_output(None, venue, &mut out, now);
        self.out = out;
        self.engine_event(&Event::Drained, now);
    }

    /// Puts the pairs whose markets are known in force, and the markets on a feed. Done when time
    /// passes, not for each of thousands of markets that become known at the start.
    pub(super) fn refresh_pairs(&mut self, now: Timestamp) {
        if !std::mem::take(&mut self.pairs_outdated) {
            return;
        }
        let mut watched = Vec::new();
        let mut news = Vec::new();
        for pair in self.in_force.iter().filter(|pair| pair.standing != Standing::Suspended) {
            let kalshi = self.registry.find(Venue::Kalshi, &pair.kalshi);
            let polymarket = self.registry.find(Venue::Polymarket, &pair.polymarket);
            let (Some(kalshi), Some(polymarket)) = (kalshi, polymarket) else { continue };
            let known = |index| self.registry.get(index).and_then(|entry| entry.facts());
            let (Some(_), Some(facts)) = (known(kalshi), known(polymarket)) else { continue };
            let Some(tokens) = &facts.tokens else { continue };
            match tokens.outcome_of(&pair.outcome) {
                Some(named) => {
                    watched.push(Watched { pair: Arc::clone(pair), kalshi, polymarket, named });
                }
                None => news.push(News::NoSuchOutcome {
                    pair: pair.id.0.clone(),
                    outcome: pair.outcome.clone(),
                    labels: [tokens.yes_label.clone(), tokens.no_label.clone()],
                }),
            }
        }
        self.engine_event(&Event::Pairs(&watched), now);
        if self.desk.is_some() {
            self.permit(&watched, now);
        }
        for item in news {
            self.tell(item);
        }
        self.bring_markets(now);
    }

    /// Says which pairs may be traded: those that were accepted on this machine as they stand, and
    /// whose rules, at both venues, are the ones that were reviewed. On paper, all that a person
    /// approved.
    fn permit(&mut self, watched: &[Watched], now: Timestamp) {
        let is_paper = matches!(self.acceptance, Acceptance::OnPaper(_));
        let (mut accepted, mut verified) = (Vec::new(), Vec::new());
        let mut untraded = BTreeMap::new();
        for one in watched {
            let (pair, id) = (&one.pair, one.pair.id.clone());
            let unread = self.not_as_reviewed(one).or_else(|| self.not_as_accepted(one));
            let unsteady = self.is_open_ended(one).then(|| {
                "polymarket's event may get new outcomes, so what the market means can change"
                    .to_owned()
            });
            if self.acceptance.holds(pair) {
                accepted.push(id.clone());
            }
            if is_paper || unread.is_none() {
                verified.push(id.clone());
            }
            let unaccepted = (!self.acceptance.holds_live(pair))
                .then(|| "it was not accepted on this machine as it reads (`pairs accept`)".into());
            if pair.standing == Standing::Approved
                && let Some(why) = unsteady.or(unread).or(unaccepted)
            {
                untraded.insert(id, why);
            }
        }
        let verb = if is_paper { "would not be traded live" } else { "is not traded" };
        for (pair, why) in &untraded {
            if self.untraded.get(pair) != Some(why) {
                self.tell(News::Untraded { pair: pair.0.clone(), why: format!("{verb}: {why}") });
            }
        }
        self.untraded = untraded;
        self.engine_event(&Event::Accepted(&accepted), now);
        self.engine_event(&Event::Verified(&verified), now);
    }

    /// Why the rules of a pair are not known to be the ones that were reviewed; `None` when they
    /// are.
    fn not_as_reviewed(&self, watched: &Watched) -> Option<String> {
        let review = watched.pair.review.as_ref();
        let reviewed = [
            review.and_then(|review| review.kalshi_rules.as_deref()),
            review.and_then(|review| review.polymarket_rules.as_deref()),
        ];
        let [Some(kalshi), Some(polymarket)] = reviewed else {
            return Some("its review names no hashes of both venues' rules".to_owned());
        };
        let rules = |market| self.registry.get(market)?.facts()?.rules.as_deref();
        let changed = |venue: Venue, read: &str, now: Option<&str>| {
            let now = now.unwrap_or("not told");
            (now != read).then(|| {
                format!("{venue}'s rules are not the ones that were reviewed: {read} -> {now}")
            })
        };
        changed(Venue::Kalshi, kalshi, rules(watched.kalshi))
            .or_else(|| changed(Venue::Polymarket, polymarket, rules(watched.polymarket)))
    }

    /// What a venue changed since the pair was accepted, its rules aside; `None` for nothing.
    fn not_as_accepted(&self, watched: &Watched) -> Option<String> {
        let terms = self.terms.get(&watched.pair.fingerprint())?;
        let facts = |market| self.registry.get(market)?.facts();
        let apart = terms.apart(facts(watched.kalshi)?, facts(watched.polymarket)?)?;
        Some(format!("{apart}; `crossbook pairs accept {}` takes it as it is", watched.pair.id))
    }

    /// Whether what the Polymarket market of a pair means can change.
    fn is_open_ended(&self, watched: &Watched) -> bool {
        let facts = self.registry.get(watched.polymarket).and_then(|entry| entry.facts());
        let tokens = facts.and_then(|facts| facts.tokens.as_ref());
        tokens.is_some_and(|tokens| tokens.is_open_ended)
    }

    /// Puts needed markets on feeds, and takes others off.
    pub(super) fn bring_markets(&mut self, now: Timestamp) {
        let mut coming: [Vec<Wanted>; 2] = [Vec::new(), Vec::new()];
        let mut going = Vec::new();
        for (index, entry) in self.registry.iter_mut() {
            match (entry.needed, entry.lane) {
                (true, None) => {
                    let Some(facts) = entry.facts() else { continue };
                    let tokens =
                        facts.tokens.as_ref().map(|tokens| (tokens.yes.clone(), tokens.no.clone()));
                    let wanted = Wanted { market: index, id: entry.id.clone(), tokens };
                    coming[usize::from(entry.venue == Venue::Polymarket)].push(wanted);
                }
                (false, Some(lane)) => {
                    entry.lane = None;
                    going.push((index, lane));
                }
                _ => {}
            }
        }
        for (market, lane) in going {
            self.drive(lane, now, |feed, out| feed.unwatch(market, now, out));
        }
        for (venue, wanted) in Venue::ALL.into_iter().zip(coming) {
            self.spread(venue, wanted, now);
        }
    }

    /// Fills the venue's connections, opening new ones as needed.
    pub(super) fn spread(&mut self, venue: Venue, mut wanted: Vec<Wanted>, now: Timestamp) {
        let room = self.source.markets_per_lane(venue).max(1);
        while !wanted.is_empty() {
            let has_room = |slot: &Slot| {
                slot.venue == venue && slot.role == Role::Market && slot.feed.watched() < room
            };
            let free = self.feeds.iter().position(has_room);
            let at = free.unwrap_or_else(|| self.open_lane(venue));
            let taken = (room - self.feeds[at].feed.watched()).min(wanted.len());
            let rest = wanted.split_off(taken);
            let lane = Lane(u16::try_from(at).unwrap_or(u16::MAX));
            for item in &wanted {
                if let Some(entry) = self.registry.get_mut(item.market) {
                    entry.lane = Some(lane);
                }
            }
            self.drive(lane, now, |feed, out| feed.watch(&wanted, now, out));
            wanted = rest;
        }
    }

    pub(super) fn open_lane(&mut self, venue: Venue) -> usize {
        let lane = Lane(u16::try_from(self.feeds.len()).unwrap_or(u16::MAX));
        let feed = self.source.feed(venue, lane);
        self.add_lane(Slot { venue, role: Role::Market, feed })
    }

    pub(super) fn add_lane(&mut self, slot: Slot) -> usize {
        let at = self.feeds.len();
        let lane = Lane(u16::try_from(at).unwrap_or(u16::MAX));
        self.feeds.push(slot);
        self.wishes.lanes.push(LaneWishes::default());
        self.wishes.new_lanes.push(lane);
        at
    }
}
