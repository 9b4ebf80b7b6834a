//! The customer's pages.

pub mod pay_document;
pub mod refill;
pub mod result;
