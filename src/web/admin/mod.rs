//! The admin's pages.

use crate::views::Link;

pub mod attempt;
pub mod attempts;
pub mod config;

/// Where an admin can go on when the page at this path says no.
#[must_use]
pub fn way_back(path: &str) -> Link {
    if path.starts_with(attempts::PATH) {
        Link::here(attempts::PATH, "back-attempts")
    } else {
        Link::here(config::PATH, "back-config")
    }
}
