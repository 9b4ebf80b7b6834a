//! The admin's pages.

pub mod config;
