//! What every story needs: a world (add-on process, simulators, database), and people who act in it.
//!
//! **Invariant:** a story touches the product through public doors alone: HTTP, the command line, the configuration
//! file, signals. The oracle is what the simulated Splynx holds.

mod addon;
mod attempts;
mod browser;
mod database;
mod eventually;
mod people;
mod ports;
mod receiver;
mod secrets;
mod world;

pub(crate) use addon::Addon;
pub(crate) use attempts::Attempt;
pub(crate) use browser::{Page, client, foreign_headers, framed};
pub(crate) use database::{Database, Engine};
pub(crate) use eventually::{PATIENCE, eventually, holds};
pub(crate) use people::{Checkout, Customer, Document};
pub(crate) use ports::Ports;
pub(crate) use receiver::Receiver;
pub(crate) use world::{SECRET_KEY, Setup, World, decimal};

/// Tells each story once on SQLite and once on PostgreSQL, in a module per database.
macro_rules! on_both_databases {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(crate::support::Engine::Sqlite).await;
                }
            )*
        }
        mod postgresql {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(crate::support::Engine::Postgresql).await;
                }
            )*
        }
    };
}
pub(crate) use on_both_databases;
