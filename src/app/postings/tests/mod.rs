//! One credit on its way into Splynx, one circumstance at a time. Circumstances together are played by `sim::simulate`.

mod deciding;
mod document_status;
mod rivals;
mod searching;
mod sending;
