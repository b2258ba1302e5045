//! What people see: texts out of what happened, nothing that decides.

pub mod findings;
