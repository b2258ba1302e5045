//! The phases of an order, and the table of moves between them: every piece of news in every phase
//! leads somewhere, and what contradicts what was known is an incident.

use crate::execute::incident;

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It was decided on and is on its way; nobody has answered.
    Decided,
    /// Nobody knows whether the venue has it: it counts as filled and as not filled.
    Unknown,
    /// The venue holds it for a while before it matches.
    Delayed,
    /// It rests in the book.
    Resting,
    /// Nothing more comes of it; its total is final.
    Done,
    /// The venue refused it.
    Refused,
    /// The venue does not have it, by two readings that agree.
    Gone,
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 7] = [
        Self::Decided,
        Self::Unknown,
        Self::Delayed,
        Self::Resting,
        Self::Done,
        Self::Refused,
        Self::Gone,
    ];

    /// The phase in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Unknown => "unknown",
            Self::Delayed => "delayed",
            Self::Resting => "resting",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Gone => "gone",
        }
    }

    /// Whether more may come of the order.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Decided | Self::Unknown | Self::Delayed | Self::Resting)
    }
}

/// What a piece of evidence says, seen in the light of what is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum News {
    /// It rests.
    Resting,
    /// The venue holds it.
    Delayed,
    /// It is over; its total is told.
    Over,
    /// It is over with nothing, or refused, and no fill speaks against that.
    Refused,
    /// It is refused, and yet fills of it are known.
    Denied,
    /// A fill of it, or news about one.
    Filled,
    /// Nobody knows.
    Unclear,
    /// It could not be cancelled: it is over in some way, or was never there.
    NotCancelled,
    /// Two readings agree that the venue does not have it, and it never acknowledged it.
    Missing,
    /// Two readings agree that the venue does not have it, and yet it had acknowledged it.
    Vanished,
}

impl News {
    /// All news.
    pub const ALL: [Self; 10] = [
        Self::Resting,
        Self::Delayed,
        Self::Over,
        Self::Refused,
        Self::Denied,
        Self::Filled,
        Self::Unclear,
        Self::NotCancelled,
        Self::Missing,
        Self::Vanished,
    ];
}

/// What news does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Where the order is then.
    pub to: Phase,
    /// The incident that it is, if it is one.
    pub incident: Option<&'static str>,
}

/// The table: where news takes an order.
pub const fn next(phase: Phase, news: News) -> Move {
    use Phase::{Decided, Delayed, Done, Gone, Refused, Resting, Unknown};
    match (phase, news) {
        // The venue answers for an order that was open.
        (Decided | Unknown | Delayed | Resting, News::Over) => quiet(Done),
        (Decided | Unknown | Delayed, News::Resting) => quiet(Resting),
        (Decided | Unknown, News::Delayed) => quiet(Delayed),
        (Decided | Unknown | Delayed, News::Refused) => quiet(Refused),
        (Decided | Unknown, News::Missing) => quiet(Gone),
        // Nobody answers, or the answer leaves open what became of it.
        (Decided, News::Unclear | News::NotCancelled) => quiet(Unknown),
        (Delayed | Resting, News::NotCancelled) => quiet(Unknown),
        // What says nothing new, or was overtaken.
        (Decided | Unknown | Delayed | Resting, News::Filled) => quiet(phase),
        (Unknown | Delayed | Resting, News::Unclear) => quiet(phase),
        (Unknown, News::NotCancelled) => quiet(Unknown),
        (Delayed, News::Delayed) => quiet(Delayed),
        (Resting, News::Resting | News::Delayed) => quiet(Resting),
        (Done, News::Resting | News::Delayed | News::Over | News::Refused) => quiet(Done),
        (Done, News::Filled | News::Unclear | News::NotCancelled) => quiet(Done),
        (Done, News::Missing | News::Vanished) => quiet(Done),
        (Refused | Gone, News::Unclear | News::NotCancelled) => quiet(phase),
        (Refused | Gone, News::Missing | News::Vanished) => quiet(phase),
        (Refused | Gone, News::Refused) => quiet(Refused),
        // The venue has what it said it did not have.
        (Refused | Gone, News::Filled) => loud(Unknown, incident::LATE_FILL),
        (Refused | Gone, News::Over) => loud(Done, incident::LATE_FILL),
        (Refused | Gone, News::Resting) => loud(Resting, incident::CONTRADICTION),
        (Refused | Gone, News::Delayed) => loud(Delayed, incident::CONTRADICTION),
        // The venue does not have what it said it had.
        (Done, News::Denied) => loud(Done, incident::CONTRADICTION),
        (Resting, News::Refused) => loud(Unknown, incident::CONTRADICTION),
        (_, News::Denied) => loud(Unknown, incident::CONTRADICTION),
        (Delayed | Resting, News::Missing) => loud(Unknown, incident::ORDER_VANISHED),
        (Decided | Unknown | Delayed | Resting, News::Vanished) => {
            loud(Unknown, incident::ORDER_VANISHED)
        }
    }
}

const fn quiet(to: Phase) -> Move {
    Move { to, incident: None }
}

const fn loud(to: Phase, kind: &'static str) -> Move {
    Move { to, incident: Some(kind) }
}
