//! `splynx-bitpay`: lets the customers of a Splynx ISP pay by bitcoin.
//!
//! The modules in reading order of the alphabet; `docs/ARCHITECTURE.md` says where to begin. Who may name whom is
//! checked by `tests/it/architecture.rs`.

pub mod alerting;
pub mod app;
pub mod bitpay;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod http;
pub mod logging;
pub mod ports;
pub mod sim;
pub mod splynx;
pub mod views;
pub mod web;
pub mod worker;
