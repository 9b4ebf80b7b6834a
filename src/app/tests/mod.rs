//! The use cases one step at a time, on a bench where nothing happens but what the test says. What happens when
//! everything does is played by `sim::simulate`.

pub(crate) mod bench;
mod comparing;
mod refreshing;
pub(crate) mod splynx;
mod turns;
