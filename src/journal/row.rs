//! One record as it lies in the table `records`.

/// A record, its body as text; the columns beside it are what people and views look for first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Which record.
    pub(super) kind: String,
    /// When, in nanoseconds; none for [`crate::execute::Record::Named`].
    pub(super) at: Option<i64>,
    /// The trade it names.
    pub(super) trade: Option<i64>,
    /// The intent it names.
    pub(super) intent: Option<i64>,
    /// The whole record as JSON.
    pub(super) body: String,
}
