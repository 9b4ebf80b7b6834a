//! The simulator as its clients see it, over real HTTP.

mod api;
mod control;
mod notifications;
mod pages;
mod support;
