//! One record as it lies in the table `records`.

/// A record, its body as text; the columns beside it are what people and views look for first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which record.
    pub kind: String,
    /// When, in nanoseconds; none for [`crate::execute::Record::Named`].
    pub at: Option<i64>,
    /// The trade it names.
    pub trade: Option<i64>,
    /// The intent it names.
    pub intent: Option<i64>,
    /// The whole record as JSON.
    pub body: String,
}
