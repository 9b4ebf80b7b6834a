//! How the client behaves against a Splynx that misbehaves, request by request.

mod login;
mod reads;
mod searches;
mod sessions;
mod simulator;
mod writes;
