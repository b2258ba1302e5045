//! An order as it is posted, and every rule that it has to keep before it meets the book.

use alloy_primitives::U256;
use serde::Deserialize;

use crate::domain::market::Status;
use crate::domain::{Action, Money, Outcome, Price, Quantity, Side, Timestamp};

use super::super::{Floor, Listing, hex};
use super::access::ApiKey;
use super::asset::{Asset, dollars, shares, tick};
use super::sign::{Address, Contract, SignedOrder, WalletKind, unhex};

/// The least a marketable BUY spends.
const MARKETABLE_MIN: Money = Money::from_micros(Money::DOLLAR);
/// How far ahead a GTD order has to end at least, and by how much it ends earlier than it says.
const GTD_AHEAD_SECS: i64 = 180;
const GTD_EARLY_SECS: i64 = 60;
/// The largest salt that a JSON number holds exactly.
const SALT_MAX: u64 = (1 << 53) - 1;

/// The body of `POST /order`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Posted {
    order: Fields,
    owner: String,
    order_type: String,
    #[serde(default)]
    post_only: bool,
}

/// The order inside it. Salt and signature type are numbers, everything else is text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    salt: u64,
    maker: String,
    signer: String,
    token_id: String,
    maker_amount: String,
    taker_amount: String,
    side: String,
    signature_type: u64,
    timestamp: String,
    #[serde(default)]
    expiration: Option<String>,
    metadata: String,
    builder: String,
    signature: String,
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Until it is cancelled.
    Gtc,
    /// Until then.
    Gtd(Timestamp),
    /// All at once or not at all.
    Fok,
    /// What is there, the rest is dropped.
    Fak,
}

impl Life {
    /// The name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Gtd(_) => "GTD",
            Self::Fok => "FOK",
            Self::Fak => "FAK",
        }
    }

    /// Whether what does not match at once may rest.
    pub(super) const fn rests(self) -> bool {
        matches!(self, Self::Gtc | Self::Gtd(_))
    }
}

/// How much an order is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// So many shares.
    Shares(Quantity),
    /// As many shares as this buys: a BUY that takes.
    Collateral(Money),
}

/// An order that keeps all rules that do not depend on the book or the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The EIP-712 hash.
    pub(super) id: String,
    pub(super) asset: Asset,
    pub(super) action: Action,
    /// The worst price, of this token.
    pub(super) limit: Price,
    pub(super) target: Target,
    /// The shares that the order names.
    pub(super) size: Quantity,
    /// The collateral that the order names.
    pub(super) notional: Money,
    pub(super) life: Life,
    pub(super) post_only: bool,
    /// Seconds as the order says; zero for none.
    pub(super) expiration: i64,
}

impl Wanted {
    /// The side of YES on which the order stands.
    pub(super) const fn side_of_yes(&self) -> Side {
        self.asset.side(match self.action {
            Action::Buy => Side::Bid,
            Action::Sell => Side::Ask,
        })
    }

    /// The worst price of YES.
    pub(super) const fn limit_of_yes(&self) -> Price {
        self.asset.price(self.limit)
    }

    /// The rule for orders that take at once, whatever they are called.
    pub(super) fn check_marketable(&self) -> Result<(), String> {
        if self.action == Action::Buy && self.notional < MARKETABLE_MIN {
            let spent = dollars_of(self.notional);
            return Err(format!(
                "invalid amount for a marketable BUY order (${spent}), min size: $1"
            ));
        }
        Ok(())
    }
}

/// Micro-dollars as the venue writes dollars.
pub(super) fn dollars_of(money: Money) -> String {
    Quantity::from_units(money.micros()).map_or_else(|| money.to_string(), shares)
}

/// Who posts, and what the exchange knows of the wallet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Poster<'a> {
    pub(super) key: &'a ApiKey,
    /// The key that signs.
    pub(super) owner: Address,
    /// The wallet that pays.
    pub(super) maker: Address,
    pub(super) kind: WalletKind,
}

/// Which contract settles a market: ids of Protocol V2 have 64 zero bits in the middle.
fn contract(token: U256, listing: Option<&Listing>) -> Contract {
    let reserved: U256 = U256::from(u64::MAX) << 40;
    match (token & reserved) == U256::ZERO {
        true => Contract::V3,
        false if listing.is_some_and(Listing::is_neg_risk) => Contract::NegRisk,
        false => Contract::Standard,
    }
}

/// Checks an order by everything but the book and the balance. The error is the venue's text.
pub(super) fn check(
    posted: &Posted,
    poster: Poster<'_>,
    floor: &Floor,
    now: Timestamp,
) -> Result<Wanted, String> {
    const UNREADABLE: &str = "Invalid order payload";
    if posted.owner != poster.key.key {
        return Err("the order owner has to be the owner of the API KEY".to_owned());
    }
    let fields = &posted.order;
    let signed = signed(fields).ok_or(UNREADABLE)?;
    let signature = unhex(&fields.signature).ok_or("invalid signature")?;
    let asset = Asset::find(floor, &fields.token_id);
    let contract = contract(signed.token, asset.map(|asset| &floor.listings[asset.market]));
    check_wallet(&signed, poster)?;
    check_signature(&signed, contract, &signature, poster.owner)?;
    let asset = asset.ok_or_else(|| format!("the orderbook {} does not exist", fields.token_id))?;
    let listing = &floor.listings[asset.market];
    match listing.status {
        Status::Open => {}
        Status::Closed => {
            return Err(format!("the orderbook {} does not exist", fields.token_id));
        }
        _ => return Err("the market is not yet ready to process new orders".to_owned()),
    }
    let expiration = fields.expiration.as_deref().unwrap_or("0").parse().map_err(|_| UNREADABLE)?;
    let life = life(&posted.order_type, expiration, now)?;
    if posted.post_only && !life.rests() {
        return Err("invalid post-only order: only GTC and GTD order types are allowed".to_owned());
    }
    let id = format!("0x{}", hex(&signed.hash(contract)));
    let action = if signed.side == 0 { Action::Buy } else { Action::Sell };
    let amounts = Amounts::of(&signed, action).ok_or(UNREADABLE)?;
    amounts.check_accuracy(life, action, tick(listing))?;
    let limit = amounts.limit(life, action, listing, &id)?;
    if amounts.shares < listing.minimum {
        let (size, minimum) = (shares(amounts.shares), shares(listing.minimum));
        return Err(format!(
            "order {id} is invalid. Size ({size}) lower than the minimum: {minimum}"
        ));
    }
    let target = match (life.rests(), action) {
        (false, Action::Buy) => Target::Collateral(amounts.collateral),
        _ => Target::Shares(amounts.shares),
    };
    let wanted = Wanted {
        id,
        asset,
        action,
        limit,
        target,
        size: amounts.shares,
        notional: amounts.collateral,
        life,
        post_only: posted.post_only,
        expiration,
    };
    if !life.rests() {
        wanted.check_marketable()?;
    }
    Ok(wanted)
}

fn signed(fields: &Fields) -> Option<SignedOrder> {
    let word = |text: &str| unhex(text)?.try_into().ok();
    Some(SignedOrder {
        salt: Some(fields.salt).filter(|salt| *salt <= SALT_MAX)?,
        maker: Address::parse(&fields.maker)?,
        signer: Address::parse(&fields.signer)?,
        token: U256::from_str_radix(&fields.token_id, 10).ok()?,
        maker_amount: fields.maker_amount.parse().ok()?,
        taker_amount: fields.taker_amount.parse().ok()?,
        side: match fields.side.as_str() {
            "BUY" => 0,
            "SELL" => 1,
            _ => return None,
        },
        kind: WalletKind::from_number(fields.signature_type)?,
        timestamp: fields.timestamp.parse().ok()?,
        metadata: word(&fields.metadata)?,
        builder: word(&fields.builder)?,
    })
}

fn check_wallet(signed: &SignedOrder, poster: Poster<'_>) -> Result<(), String> {
    // A deposit wallet signs as itself; everybody else signs with the key's own address.
    let signer = match signed.kind {
        WalletKind::Deposit => signed.maker,
        _ => poster.owner,
    };
    if signed.signer != signer {
        let text = "the order signer address has to be the address of the API KEY";
        return Err(text.to_owned());
    }
    if signed.maker != poster.maker || signed.kind != poster.kind {
        let text = "maker address not allowed, please use the deposit wallet flow";
        return Err(text.to_owned());
    }
    Ok(())
}

fn check_signature(
    signed: &SignedOrder,
    contract: Contract,
    signature: &[u8],
    owner: Address,
) -> Result<(), String> {
    if signed.recover(contract, signature) == Some(owner) {
        return Ok(());
    }
    let other_version = |other: &Contract| (*other == Contract::V3) != (contract == Contract::V3);
    let mismatched = signed.is_of_old_version(owner, signature)
        || Contract::ALL
            .iter()
            .filter(|other| other_version(other))
            .any(|other| signed.recover(*other, signature) == Some(owner));
    Err(if mismatched { "order_version_mismatch" } else { "invalid signature" }.to_owned())
}

fn life(name: &str, expiration: i64, now: Timestamp) -> Result<Life, String> {
    let life = match name {
        "GTC" => Life::Gtc,
        "FOK" => Life::Fok,
        "FAK" => Life::Fak,
        "GTD" if expiration >= now.secs().saturating_add(GTD_AHEAD_SECS) => {
            return Ok(Life::Gtd(Timestamp::from_secs(expiration - GTD_EARLY_SECS)));
        }
        "GTD" => return Err("invalid expiration".to_owned()),
        _ => return Err("Invalid order payload".to_owned()),
    };
    if expiration == 0 { Ok(life) } else { Err("invalid expiration".to_owned()) }
}

/// Both amounts of an order.
#[derive(Debug, Clone, Copy)]
struct Amounts {
    shares: Quantity,
    collateral: Money,
}

impl Amounts {
    fn of(signed: &SignedOrder, action: Action) -> Option<Self> {
        let (shares, collateral) = match action {
            Action::Buy => (signed.taker_amount, signed.maker_amount),
            Action::Sell => (signed.maker_amount, signed.taker_amount),
        };
        let shares = Quantity::from_units(i64::try_from(shares).ok()?)?;
        let collateral = i64::try_from(collateral).ok().filter(|micros| *micros > 0)?;
        (!shares.is_zero()).then_some(Self { shares, collateral: Money::from_micros(collateral) })
    }

    /// How many decimals each amount may have: orders that take are market orders to the venue,
    /// whatever path built them.
    fn check_accuracy(self, life: Life, action: Action, tick: u16) -> Result<(), String> {
        let limit_decimals = match tick {
            1_000.. => 3,
            100.. => 4,
            50 | 10 => 5,
            _ => 6,
        };
        let (collateral, shares) = match (life.rests(), action) {
            (true, _) => (limit_decimals, 2),
            (false, Action::Buy) => (2, 4),
            (false, Action::Sell) => (4, 2),
        };
        let fits = |units: i64, decimals: u32| units % 10_i64.pow(6 - decimals) == 0;
        if fits(self.collateral.micros(), collateral) && fits(self.shares.units(), shares) {
            return Ok(());
        }
        let kind = if life.rests() { "" } else { "market " };
        let (side, maker, taker) = match action {
            Action::Buy => ("buy", collateral, shares),
            Action::Sell => ("sell", shares, collateral),
        };
        Err(format!(
            "invalid amounts, the {kind}{side} orders maker amount supports a max accuracy of \
             {maker} decimals, taker amount a max of {taker} decimals"
        ))
    }

    /// The worst price: the ratio of the amounts. Of an order that rests it has to be on the tick;
    /// for one that takes, it is the last price on the tick that the ratio reaches, so that shares
    /// rounded up leave it just below the price that was meant.
    fn limit(
        self,
        life: Life,
        action: Action,
        listing: &Listing,
        id: &str,
    ) -> Result<Price, String> {
        let scaled = i128::from(self.collateral.micros()) * i128::from(Price::ONE);
        let shares = i128::from(self.shares.units());
        let tick = tick(listing);
        let step = i128::from(tick);
        let ticks = match (life.rests(), action) {
            (true, _) if scaled % (shares * step) != 0 => None,
            (_, Action::Buy) => Some(scaled / (shares * step)),
            (_, Action::Sell) => Some((scaled + shares * step - 1) / (shares * step)),
        };
        let units = ticks.and_then(|ticks| u16::try_from(ticks * step).ok());
        let inside = units.filter(|units| *units >= tick && *units <= Price::ONE - tick);
        inside.and_then(Price::from_units).ok_or_else(|| {
            // The venue prints the ratio with all digits it has; ten are enough to see it.
            let ratio = scaled * 1_000_000 / shares.max(1);
            let (whole, rest) = (ratio / 10_000_000_000, ratio % 10_000_000_000);
            let price = format!("{whole}.{rest:010}");
            let price = price.trim_end_matches('0').trim_end_matches('.');
            format!(
                "order {id} is invalid. Price ({price}) breaks minimum tick size rule: {}",
                dollars(tick)
            )
        })
    }
}

/// What an order of this token is called.
pub(super) fn label(asset: Asset, listing: &Listing) -> &str {
    match asset.outcome {
        Outcome::Yes => &listing.labels.0,
        Outcome::No => &listing.labels.1,
    }
}
