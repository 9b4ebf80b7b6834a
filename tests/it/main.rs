//! The stories, told through public doors: real processes, real HTTP, real databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![expect(clippy::indexing_slicing, reason = "a missing row fails the test, as it should")]

mod alarms;
mod ambiguous;
mod architecture;
mod audit;
mod backups;
mod bad_input;
mod commands;
mod demo;
mod doctor;
mod edits;
mod exceptions;
mod fees;
mod identity;
mod installing;
mod model;
mod moving;
mod outages;
mod owner;
mod pairing;
mod paying;
mod reconciling;
mod restored;
mod service;
mod settings;
mod settling;
mod stubborn;
mod support;
mod telling;
mod torture;
mod torture_upgrade;
