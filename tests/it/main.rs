//! The stories, told through public doors: real processes, real HTTP, real databases.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says where")]
#![expect(clippy::indexing_slicing, reason = "a test that finds less than it expects must fail")]
#![expect(unreachable_pub, reason = "one binary, split into files")]

mod architecture;
