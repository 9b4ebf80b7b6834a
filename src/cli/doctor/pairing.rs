//! Whether the paired account can take payments: our row, and the processor's word on it.

use super::{Checks, DATABASE, remedy};
use crate::app::pair;
use crate::cli::wiring::World;
use crate::domain::connection::Connection;
use crate::ports::PeerError;

/// The name in the list.
const NAME: &str = "pairing";

/// Looks for the active connection, and asks its processor whether the token still works.
pub(super) async fn check(world: &World, checks: &mut Checks) {
    match pair::pairing(&world.app).await {
        Ok(pair::Pairing { active: Some(connection), .. }) => {
            token(world, &connection, checks).await;
        }
        Ok(_) => checks.bad(
            NAME,
            "no processor is paired",
            "make a pairing code on BitPay's dashboard and run `splynx-bitpay pair CODE`",
        ),
        Err(error) => {
            let said = error.to_string();
            checks.bad(DATABASE, said.as_str(), remedy::database(&said));
        }
    }
}

async fn token(world: &World, connection: &Connection, checks: &mut Checks) {
    let account = format!("{} at {}", connection.environment.code(), connection.base_url);
    let answer = match world.app.processors.of(connection) {
        Ok(processor) => processor.check_token().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(()) => checks.good(NAME, format!("{account}, which knows our token")),
        Err(error) => checks.bad(NAME, format!("{account}: {error}"), what_to_do(&error)),
    }
}

fn what_to_do(error: &PeerError) -> &'static str {
    match error {
        PeerError::Refused { .. } => {
            "make a new pairing code on BitPay's dashboard (Payment Tools > Manage API Tokens) and run \
             `splynx-bitpay pair CODE`; payments that were begun are still watched"
        }
        PeerError::Unavailable { .. } => {
            "can this server open that address? If BitPay itself is down (status.bitpay.com), wait: \
             nothing is lost, and the pairing stays"
        }
        PeerError::Unreadable { .. } => {
            "something else answers at that address: check [bitpay] environment and api_url, and any \
             proxy or firewall on the way"
        }
    }
}
