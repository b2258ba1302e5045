//! The names of what a person must know.

/// A venue filled an order after it had said that the order was refused or not there.
pub const LATE_FILL: &str = "late_fill";
/// A fill was told again with other numbers.
pub const FILL_CHANGED: &str = "fill_changed";
/// A matched fill did not settle: its other leg stands alone.
pub const FILL_FAILED: &str = "fill_failed";
/// What a venue says about an order cannot follow what it said before.
pub const CONTRADICTION: &str = "contradiction";
/// An order that the venue had acknowledged is not found any more.
pub const ORDER_VANISHED: &str = "order_vanished";
/// An order has been unknown for long.
pub const ORDER_UNKNOWN: &str = "order_unknown";
/// A report names an order that the journal does not hold.
pub const ORDER_MISSING: &str = "order_missing";
/// An order that bears the journal's mark but is not in it was taken in.
pub const ORDER_ADOPTED: &str = "order_adopted";
/// No way out of a stranded leg fits its loss budget.
pub const NO_WAY_OUT: &str = "no_way_out";
/// A leg has stood alone for longer than its plan allows.
pub const STRANDED_LONG: &str = "stranded_long";
/// A refusal stops trading on its venue until a person has looked.
pub const VENUE_REFUSED: &str = "venue_refused";
/// The venue does not let the account trade.
pub const READ_ONLY: &str = "read_only";
/// A market paid other than planned.
pub const SETTLEMENT_DIVERGENCE: &str = "settlement_divergence";
/// Contracts could not be merged or redeemed.
pub const NOT_CONVERTED: &str = "not_converted";
/// Everything that is held was listed, and nothing more is sent.
pub const KILLED: &str = "killed";
/// The engine stopped with an internal error; what is held was listed, and nothing more is sent.
pub const ENGINE_FAILED: &str = "engine_failed";
/// What is held cannot be sold within the stated loss.
pub const FLATTEN_SHORT: &str = "flatten_short";
/// What a venue says of the account is not what the books say.
pub const ACCOUNT_DIFFERS: &str = "account_differs";

/// The journal does not take what it is given: no new trades until it does.
pub const JOURNAL_BROKEN: &str = "journal_broken";

/// All of them.
pub const ALL: [&str; 19] = [
    LATE_FILL,
    FILL_CHANGED,
    FILL_FAILED,
    CONTRADICTION,
    ORDER_VANISHED,
    ORDER_UNKNOWN,
    ORDER_MISSING,
    ORDER_ADOPTED,
    NO_WAY_OUT,
    STRANDED_LONG,
    VENUE_REFUSED,
    READ_ONLY,
    SETTLEMENT_DIVERGENCE,
    NOT_CONVERTED,
    KILLED,
    ENGINE_FAILED,
    FLATTEN_SHORT,
    ACCOUNT_DIFFERS,
    JOURNAL_BROKEN,
];
