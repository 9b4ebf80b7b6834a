//! The stories, told through public doors: real processes, real HTTP, real databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod architecture;
