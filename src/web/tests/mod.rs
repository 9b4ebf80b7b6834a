//! The pages and hooks, called as browsers and processors call them, over a small world that keeps state.

mod attempts_pages;
mod config_page;
mod customer_pages;
mod dead_ends;
mod forms;
mod hooks;
mod identity;
mod quiet_store;
mod rails;
mod settle_pages;
mod store;
mod world;
