//! Questions about the account as a whole.

use crate::domain::report::{Listing as PastListing, Permission, Position, Purse};
use crate::domain::{Change, Money, Outcome, Quantity, Report, Timestamp, Venue};
use crate::venue::Error;
use crate::venue::gateway::{Answer, Call, Markets, Question, Taken};

use super::super::parse::exchange::{Trading, trading};
use super::super::parse::portfolio as parse;
use super::super::parse::{malformed, tame};
use super::super::rest::Query;
use super::super::wire::{http, portfolio as wire};
use super::Gateway;
use super::inquiry::{FRESHNESS, ORDER_READS, freshness, read_page};
use super::message::FILLS;
use super::movement;
use super::walk::{Asked, Errand, Listing, Step, Walk, page, page_since};

const POSITIONS: &str = "/portfolio/positions";
const BALANCE: &str = "/portfolio/balance";
const SETTLEMENTS: &str = "/portfolio/settlements";

impl Gateway {
    pub(super) fn ask_account(
        &mut self,
        question: &Question,
        now: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        let none = Query::none;
        let walk = |errand, path, query| Walk::new(errand, path, query, now);
        let walks = match question {
            // Asked for elsewhere, by what is known of our own orders.
            Question::Order(_) | Question::Market(_) => Vec::new(),
            Question::Orders(since) => {
                let resting = page().with("status", "resting");
                let mut walks = vec![walk(Errand::OpenOrders, ORDER_READS, resting)];
                if !self.is_past_read {
                    let since = *self.past_since.get_or_insert(*since);
                    walks.push(walk(Errand::PastOrders, ORDER_READS, page_since(since)));
                }
                walks
            }
            Question::Fills(since) => vec![walk(Errand::Fills, FILLS, page_since(*since))],
            Question::Positions => vec![walk(Errand::Positions(Vec::new()), FRESHNESS, none())],
            Question::Cash => vec![walk(Errand::Cash, FRESHNESS, none())],
            Question::Settlements(since) => {
                vec![walk(Errand::Settlements(*since), SETTLEMENTS, page_since(*since))]
            }
            Question::Movements(since) => movement::walks(*since, now),
            Question::Permission => {
                vec![walk(Errand::Permission(Asked::Status), "/exchange/status", none())]
            }
            Question::Limits => vec![
                walk(Errand::Limits, "/account/limits", none()),
                walk(Errand::Costs, "/account/endpoint_costs", none()),
            ],
        };
        walks.into_iter().map(|walk| self.walk_call(walk, "", now)).collect()
    }

    pub(super) fn read_walk(
        &mut self,
        mut walk: Walk,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let read = match walk.errand.clone() {
            Errand::Inquiry(inquiry) => {
                self.read_inquiry(walk, inquiry, answer, markets, now, taken);
                Ok(())
            }
            Errand::Review(review) => self.read_review(walk, review, answer, markets, now, taken),
            Errand::Stranger(id) => {
                self.read_stranger(&id, answer, markets, now, taken);
                Ok(())
            }
            Errand::OpenOrders | Errand::PastOrders => {
                self.read_orders_of_account(walk, answer, markets, now, taken)
            }
            Errand::Fills => self.read_account_fills(walk, answer, markets, now, taken),
            Errand::FillsOf(listing) => {
                let id = listing.id.clone();
                let read = self.read_fills_of(walk, listing, answer, markets, now, taken);
                if read.is_err()
                    && let Some(intent) = self.roster.find(&id, "")
                    && let Some(known) = self.roster.get_mut(intent)
                {
                    known.asked = Quantity::ZERO;
                }
                read
            }
            Errand::Positions(_) | Errand::Cash if walk.as_of.is_none() => {
                walk.as_of = Some(freshness(answer, walk.asked, now));
                let (path, query) = match walk.errand {
                    Errand::Cash => (BALANCE, Query::none()),
                    _ => (POSITIONS, page().with("settlement_status", "unsettled")),
                };
                walk.turn(path, query);
                self.walk_on(walk, "", now, taken);
                Ok(())
            }
            Errand::Positions(found) => {
                self.read_positions(walk, found, answer, markets, now, taken)
            }
            Errand::Cash => read_cash(&walk, answer, taken),
            Errand::Settlements(since) => {
                self.read_settlements(walk, since, answer, markets, now, taken)
            }
            Errand::Movements(way, since) => {
                self.read_movements(walk, way, since, answer, now, taken)
            }
            Errand::Value(settled) => {
                self.read_value(settled, answer, taken);
                Ok(())
            }
            Errand::Permission(asked) => self.read_permission(walk, asked, answer, now, taken),
            Errand::Limits => read_page(answer, "limits").map(|it| self.tariff.take_limits(it)),
            Errand::Costs => read_page(answer, "costs").map(|it| self.tariff.take_costs(it)),
        };
        if let Err(why) = read {
            taken.notices.push(why);
        }
    }

    /// Asks for the page that follows, if there is one; true when the listing is whole.
    pub(super) fn next_page(
        &mut self,
        mut walk: Walk,
        cursor: Option<&str>,
        what: &str,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<bool, String> {
        match walk.step(cursor) {
            Step::Done => Ok(true),
            Step::On(cursor) => {
                self.walk_on(walk, &cursor, now, taken);
                Ok(false)
            }
            Step::Astray(why) => Err(format!("kalshi's list of {what}: {why}")),
        }
    }

    fn read_orders_of_account(
        &mut self,
        mut walk: Walk,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let page: wire::OrdersPage = read_page(answer, "orders")?;
        let is_past = walk.errand == Errand::PastOrders;
        for wire in page.orders {
            match parse::order(wire) {
                // Only those that are not known are looked for there.
                Ok(said) if is_past && self.roster.find(&said.id, &said.client).is_some() => {}
                Ok(said) => {
                    self.take_order(&said, markets, now, taken);
                    walk.has_hole |= self.may_be_lost(&said);
                }
                Err(error) => {
                    walk.has_hole = true;
                    taken.notices.push(error.to_string());
                }
            }
        }
        let has_hole = walk.has_hole;
        let is_whole = self.next_page(walk, page.cursor.as_deref(), "orders", now, taken)?;
        self.is_past_read |= is_past && is_whole && !has_hole;
        Ok(())
    }

    /// A fill whose order has to be looked at first, or that is not believed, is a hole: the next
    /// listing shows it again.
    fn read_account_fills(
        &mut self,
        mut walk: Walk,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let page: wire::FillsPage = read_page(answer, "fills")?;
        for wire in page.fills {
            match parse::fill(wire) {
                Ok(said) => {
                    let (calls, notices) = (taken.calls.len(), taken.notices.len());
                    self.take_fill(&said, markets, now, taken);
                    let is_taken = taken.calls.len() == calls && taken.notices.len() == notices;
                    walk.has_hole |= !is_taken || self.walks.looks_at(&said.order);
                }
                Err(error) => {
                    walk.has_hole = true;
                    taken.notices.push(error.to_string());
                }
            }
        }
        self.next_of(PastListing::Fills, walk, page.cursor.as_deref(), now, taken)
    }

    /// Asks for the page that follows, or says that a listing of the past was read whole.
    pub(super) fn next_of(
        &mut self,
        listing: PastListing,
        walk: Walk,
        cursor: Option<&str>,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let (asked, has_hole) = (walk.asked, walk.has_hole);
        if self.next_page(walk, cursor, listing.name(), now, taken)? && !has_hole {
            taken.whole.push((listing, asked));
        }
        Ok(())
    }

    /// The fills of one order, and at the end of the listing what it proves as a whole.
    fn read_fills_of(
        &mut self,
        mut walk: Walk,
        mut listing: Listing,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let page: wire::FillsPage = read_page(answer, "fills")?;
        for wire in page.fills {
            match parse::fill(wire) {
                Ok(said) => {
                    if said.order == listing.id {
                        listing.found.insert(said.trade.clone(), said.quantity);
                    }
                    self.take_fill(&said, markets, now, taken);
                }
                Err(error) => {
                    listing.said = None;
                    taken.notices.push(error.to_string());
                }
            }
        }
        walk.errand = Errand::FillsOf(listing.clone());
        if self.next_page(walk, page.cursor.as_deref(), "fills", now, taken)?
            && let Some(intent) = self.roster.find(&listing.id, "")
            && let Some(evidence) = listing.evidence()
        {
            self.say(intent, evidence, taken);
        }
        Ok(())
    }

    /// All positions are one reading: a page that is missing or broken spoils it.
    fn read_positions(
        &mut self,
        mut walk: Walk,
        mut found: Vec<Position>,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let page: wire::PositionsPage = read_page(answer, "positions")?;
        for wire in page.market_positions {
            let position = position(wire, markets).map_err(|error| error.to_string())?;
            found.extend(position);
        }
        walk.errand = Errand::Positions(found.clone());
        let as_of = walk.as_of.unwrap_or(walk.asked);
        if self.next_page(walk, page.cursor.as_deref(), "positions", now, taken)? {
            let venue = Venue::Kalshi;
            taken.reports.push(Report::Positions { venue, positions: found, as_of });
        }
        Ok(())
    }

    /// One report for the whole question: first whether the exchange trades at all, then what the
    /// key may do.
    fn read_permission(
        &mut self,
        mut walk: Walk,
        asked: Asked,
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        // A later question has been answered: what was true before it is no news.
        if walk.asked < self.permission_asked {
            return Ok(());
        }
        let venue = Venue::Kalshi;
        let permission = match (asked, answer) {
            (_, Answer::Reply { status: 401, .. }) => {
                let why = Self::body_of(answer, "its permission").err().unwrap_or_default();
                Permission::ReadOnly(why)
            }
            (Asked::Status, _) => {
                let status: http::ExchangeStatus = read_page(answer, "status")?;
                match trading(&status) {
                    Trading::Nowhere => {
                        let until = status.exchange_estimated_resume_time.map(|at| tame(&at));
                        let until = until.map_or_else(String::new, |at| format!(" until {at}"));
                        Permission::ReadOnly(format!("kalshi does not trade{until}"))
                    }
                    place => {
                        if let Trading::NotIn(shards) = place {
                            taken.notices.push(format!("kalshi does not trade in {shards:?}"));
                        }
                        walk.errand = Errand::Permission(Asked::Keys);
                        walk.turn("/api_keys", Query::none());
                        self.walk_on(walk, "", now, taken);
                        return Ok(());
                    }
                }
            }
            (Asked::Keys, Answer::Reply { status: 403, .. }) => {
                taken.notices.push("kalshi does not tell this key its own scopes".to_owned());
                Permission::Open
            }
            (Asked::Keys, _) => {
                let keys: wire::Keys = read_page(answer, "keys")?;
                self.permission_of(&keys, now, taken)
            }
            (Asked::Shards, _) => {
                let balance: wire::Balance = read_page(answer, "balance")?;
                self.set_brakes(&shards(&balance)?, now, taken);
                self.permission_asked = walk.asked;
                return Ok(());
            }
        };
        if permission.is_open() && self.settings.order_group_contracts.is_some() {
            walk.errand = Errand::Permission(Asked::Shards);
            walk.turn(BALANCE, Query::none());
            self.walk_on(walk, "", now, taken);
            return Ok(());
        }
        self.permission_asked = walk.asked;
        taken.reports.push(Report::Permission { venue, permission });
        Ok(())
    }

    fn permission_of(&self, keys: &wire::Keys, now: Timestamp, taken: &mut Taken) -> Permission {
        let Some(key) = keys.api_keys.iter().find(|key| key.api_key_id == self.signer.key_id())
        else {
            taken.notices.push("kalshi does not list the key that signs".to_owned());
            return Permission::Open;
        };
        let trades = |scope: &String| scope == "write" || scope == "write::trade";
        if key.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(trades)) {
            return Permission::ReadOnly("the key's scopes do not let it trade".to_owned());
        }
        let expires = key.region_expires().or_else(|| keys.region_expires());
        match expires {
            Some(at) if at <= now => Permission::ReadOnly(format!(
                "the key's proof of location expired at {at}: confirm it in kalshi's settings"
            )),
            Some(at) if at.since(now) < wire::Keys::REGION_NOTICE => {
                taken.notices.push(format!("the key's proof of location expires at {at}"));
                Permission::Open
            }
            _ => Permission::Open,
        }
    }
}

/// The shards that hold cash; the first one where none does.
fn shards(balance: &wire::Balance) -> Result<Vec<u32>, String> {
    let purses = parse::purses(balance).map_err(|error| error.to_string())?;
    let shards: Vec<u32> = purses
        .into_iter()
        .filter(|(_, money)| *money > Money::ZERO)
        .filter_map(|(purse, _)| match purse {
            Purse::Shard(shard) => Some(shard),
            Purse::Collateral => None,
        })
        .collect();
    Ok(if shards.is_empty() { vec![0] } else { shards })
}

fn read_cash(walk: &Walk, answer: &Answer<'_>, taken: &mut Taken) -> Result<(), String> {
    let balance: wire::Balance = read_page(answer, "balance")?;
    let purses = parse::purses(&balance).map_err(|error| error.to_string())?;
    let as_of = walk.as_of.unwrap_or(walk.asked);
    taken.reports.push(Report::Cash { venue: Venue::Kalshi, purses, as_of });
    Ok(())
}

/// A position: above zero YES, below zero NO; none where nothing is held.
fn position(wire: wire::Position, markets: &dyn Markets) -> Result<Option<Position>, Error> {
    let text = &wire.position_fp;
    let what = format!("position in {}", wire.ticker);
    let signed = Change::parse(text)
        .map_err(|why| malformed(&what, "position_fp", format_args!("{text:?}: {why}")))?;
    let outcome = if signed.units() < 0 { Outcome::No } else { Outcome::Yes };
    let quantity = Quantity::from_units(signed.units().saturating_abs())
        .ok_or_else(|| malformed(&what, "position_fp", format_args!("{text:?}")))?;
    Ok((!quantity.is_zero()).then(|| Position {
        market: markets.by_id(Venue::Kalshi, &wire.ticker),
        id: wire.ticker,
        outcome,
        quantity,
    }))
}
