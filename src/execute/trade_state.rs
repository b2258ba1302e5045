//! The life of one trade as a table of moves.
//!
//! A phase is written down when it changes, so that whoever reads the journal sees the same life;
//! what the legs hold is never written down but summed up from the orders.

/// A way out of a leg that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// None was taken yet.
    Open,
    /// The missing leg is bought at a worse price.
    Finish,
    /// What stands alone is sold.
    Unwind,
    /// The other outcome is bought, to be merged.
    Offset,
    /// None fits; it is held until one does, or until it settles.
    Hold,
}

/// How a trade ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Both venues have paid.
    Paid,
    /// Nothing is held.
    Flat,
    /// Nothing is held but a remainder that its venue does not take.
    Dust,
}

/// Where a trade is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Approved, nothing sent.
    Opened,
    /// The first leg's order is under way.
    FirstLeg,
    /// The hedge is under way.
    SecondLeg,
    /// Both legs' orders are under way.
    BothLegs,
    /// One leg has more than the other.
    Stranded(Way),
    /// Both legs hold the same.
    Locked,
    /// One venue has paid.
    HalfPaid,
    /// Over.
    Ended(End),
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 14] = [
        Self::Opened,
        Self::FirstLeg,
        Self::SecondLeg,
        Self::BothLegs,
        Self::Stranded(Way::Open),
        Self::Stranded(Way::Finish),
        Self::Stranded(Way::Unwind),
        Self::Stranded(Way::Offset),
        Self::Stranded(Way::Hold),
        Self::Locked,
        Self::HalfPaid,
        Self::Ended(End::Paid),
        Self::Ended(End::Flat),
        Self::Ended(End::Dust),
    ];

    /// The phase in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::FirstLeg => "first_leg",
            Self::SecondLeg => "second_leg",
            Self::BothLegs => "both_legs",
            Self::Stranded(Way::Open) => "stranded",
            Self::Stranded(Way::Finish) => "finishing",
            Self::Stranded(Way::Unwind) => "unwinding",
            Self::Stranded(Way::Offset) => "offsetting",
            Self::Stranded(Way::Hold) => "holding",
            Self::Locked => "locked",
            Self::HalfPaid => "half_paid",
            Self::Ended(End::Paid) => "paid",
            Self::Ended(End::Flat) => "flat",
            Self::Ended(End::Dust) => "dust",
        }
    }

    /// The phase of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// Whether one leg has more than the other.
    pub const fn is_stranded(self) -> bool {
        matches!(self, Self::Stranded(_))
    }

    /// Whether nothing is left to do but to wait for settlement, if for anything.
    pub const fn is_quiet(self) -> bool {
        matches!(self, Self::Locked | Self::HalfPaid | Self::Ended(_))
    }
}

/// What happens to a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The first leg's order was decided on.
    FirstSent,
    /// The hedge was decided on.
    SecondSent,
    /// Orders for both legs were decided on.
    BothSent,
    /// All orders are over and both legs hold the same, but for dust.
    Even,
    /// All orders are over and nothing is held.
    Empty,
    /// All orders are over and nothing is held but dust.
    OnlyDust,
    /// One leg has more than the other.
    Uneven,
    /// A way out was taken, or none was found.
    Took(Way),
    /// One venue has paid.
    OnePaid,
    /// Both venues have paid.
    BothPaid,
}

impl Event {
    /// All events.
    pub const ALL: [Self; 14] = [
        Self::FirstSent,
        Self::SecondSent,
        Self::BothSent,
        Self::Even,
        Self::Empty,
        Self::OnlyDust,
        Self::Uneven,
        Self::Took(Way::Open),
        Self::Took(Way::Finish),
        Self::Took(Way::Unwind),
        Self::Took(Way::Offset),
        Self::Took(Way::Hold),
        Self::OnePaid,
        Self::BothPaid,
    ];
}

/// The table: where an event takes a trade; `None` where it leaves it as it is.
pub const fn next(phase: Phase, event: Event) -> Option<Phase> {
    use Phase::{BothLegs, Ended, FirstLeg, HalfPaid, Locked, Opened, SecondLeg, Stranded};
    match (phase, event) {
        // Money that was paid ends everything that came before.
        (Ended(End::Paid), _) | (HalfPaid, Event::OnePaid) => None,
        (_, Event::BothPaid) => Some(Ended(End::Paid)),
        (Locked | Stranded(_), Event::OnePaid) => Some(HalfPaid),
        (HalfPaid, _) => None,
        // Orders go out.
        (Opened, Event::FirstSent) => Some(FirstLeg),
        (Opened | Locked, Event::BothSent) => Some(BothLegs),
        (FirstLeg, Event::SecondSent) => Some(SecondLeg),
        (Stranded(_), Event::Took(way)) => Some(Stranded(way)),
        // Orders are over.
        (SecondLeg | BothLegs | Stranded(_) | Ended(_), Event::Even) => Some(Locked),
        (FirstLeg | SecondLeg | BothLegs | Locked, Event::Uneven) => Some(Stranded(Way::Open)),
        (Ended(_), Event::Uneven) => Some(Stranded(Way::Open)),
        (Ended(End::Flat), Event::Empty) | (Ended(End::Dust), Event::OnlyDust) => None,
        (_, Event::Empty) => Some(Ended(End::Flat)),
        (_, Event::OnlyDust) => Some(Ended(End::Dust)),
        // What does not concern the phase.
        _ => None,
    }
}

#[cfg(test)]
mod tests;
