//! Splynx as a real HTTP server: its REST API, its portal and its control API.

#[cfg(test)]
mod tests;
