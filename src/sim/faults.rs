//! Placeholder, filled by the first implementation.
