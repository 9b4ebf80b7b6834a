//! `splynx-bitpay`: lets the customers of a Splynx ISP pay by bitcoin.
//!
//! The modules in reading order. Who may name whom is checked by `tests/it/architecture.rs`.

pub mod app;
pub mod domain;
pub mod http;
pub mod ports;
pub mod sim;
pub mod views;
pub mod web;
