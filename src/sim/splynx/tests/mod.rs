//! The simulator as a strict client meets it: every test here fails when the simulator turns lenient.

mod access;
mod auth;
mod control;
mod documents;
mod faults;
mod lists;
mod payments;
mod portal;
mod proxy;
mod search;
mod support;
mod twig;
