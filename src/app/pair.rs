//! Pairing with a processor, and unpairing.
//!
//! **Invariant:** the key pair is committed before the pairing code is used up; after an unclear answer the processor
//! is asked which token the key owns before "failed" is said (design 4, Connections).

use secrecy::{ExposeSecret, SecretString};

use super::App;
use crate::domain::actor::Actor;
use crate::domain::connection::{
    Connection, ConnectionSecrets, ConnectionStatus, Environment, ProcessorKind,
};
use crate::domain::ids::ConnectionId;
use crate::ports::pairing::{PairingFailure, PairingFailureKind};
use crate::ports::processor::PairingOutcome;
use crate::ports::store::StoreError;

/// What the pairing page shows.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// Test or real money.
    pub environment: Environment,
    /// The processor's address.
    pub processor_url: String,
    /// The connection that takes payments now.
    pub active: Option<Connection>,
}

/// Why pairing did not work.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// There is no token, and the code was not used up.
    #[error("{0}")]
    Refused(PairingFailure),
    /// Whether the code was used up is not known. The key is kept: pairing with the same code again finds out.
    #[error("{0}")]
    Unclear(PairingFailure),
    /// Our own database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How pairing stands.
///
/// # Errors
///
/// [`StoreError`].
pub async fn pairing(app: &App) -> Result<Pairing, StoreError> {
    let active = app.store.active_connection().await?;
    let Settings { environment, processor_url } = Settings::of(app);
    Ok(Pairing { environment, processor_url, active })
}

struct Settings {
    environment: Environment,
    processor_url: String,
}

impl Settings {
    fn of(app: &App) -> Self {
        Self {
            environment: app.settings.environment,
            processor_url: app.settings.processor_url.clone(),
        }
    }
}

/// Exchanges a pairing code for a token, or takes a raw POS token, and makes the new connection the active one.
///
/// # Errors
///
/// [`PairError`], which has a sentence an admin can act on among the texts of the pages; the former connection stays active.
pub async fn pair(app: &App, code: &str, by: &Actor) -> Result<Connection, PairError> {
    let code = code.trim();
    if app.processors.is_raw_token(code) {
        let secrets =
            ConnectionSecrets { private_key: None, token: Some(SecretString::from(code)) };
        let connection = new_connection(app, secrets, String::new());
        app.store.add_connection(&connection, by).await?;
        return activate(app, connection, by).await;
    }
    let (secrets, sin) = app.processors.new_key();
    let connection = new_connection(app, secrets, sin);
    app.store.add_connection(&connection, by).await?;
    match app.processors.exchange(&connection, code).await {
        PairingOutcome::Paired { token } => accept(app, connection, token, by).await,
        PairingOutcome::Refused { failure } => {
            fail(app, connection, &failure.to_string(), by).await?;
            adopt_earlier(app, by).await?.ok_or(PairError::Refused(failure))
        }
        PairingOutcome::Unclear { why } => settle_unclear(app, connection, why, by).await,
    }
}

/// Retires the active connection: no new attempts; its open ones are still watched with its key and token.
///
/// # Errors
///
/// [`StoreError`].
pub async fn unpair(app: &App, by: &Actor) -> Result<bool, StoreError> {
    let Some(connection) = app.store.active_connection().await? else {
        return Ok(false);
    };
    let retired = Connection {
        status: ConnectionStatus::Retired,
        retired_at: Some(app.clock.now()),
        ..connection
    };
    app.store.change_connection(&retired, by).await?;
    Ok(true)
}

/// Shows enough of a secret to recognise it: `Bq2…x9k`.
#[must_use]
pub fn masked(secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    let characters = secret.chars().count();
    if characters < 12 {
        return "…".to_owned();
    }
    let head: String = secret.chars().take(3).collect();
    let tail: String = secret.chars().skip(characters.saturating_sub(3)).collect();
    format!("{head}…{tail}")
}

/// A code that is refused now may have been used by an earlier try of ours whose answer was lost: then the key of that
/// try owns a token.
async fn adopt_earlier(app: &App, by: &Actor) -> Result<Option<Connection>, PairError> {
    for connection in app.store.connections().await? {
        if connection.status != ConnectionStatus::Pairing {
            continue;
        }
        match app.processors.find_token(&connection).await {
            Ok(Some(token)) => return accept(app, connection, token, by).await.map(Some),
            Ok(None) => fail(app, connection, PairingFailureKind::NotUsed.code(), by).await?,
            Err(error) => tracing::warn!(%error, "an earlier pairing is still unclear"),
        }
    }
    Ok(None)
}

async fn settle_unclear(
    app: &App,
    connection: Connection,
    why: String,
    by: &Actor,
) -> Result<Connection, PairError> {
    let address = connection.base_url.trim_end_matches('/').to_owned();
    let failure = |kind| PairingFailure { kind, address, said: why };
    match app.processors.find_token(&connection).await {
        Ok(Some(token)) => accept(app, connection, token, by).await,
        Ok(None) => {
            let failure = failure(PairingFailureKind::NotUsed);
            fail(app, connection, &failure.to_string(), by).await?;
            Err(PairError::Refused(failure))
        }
        Err(_) => Err(PairError::Unclear(failure(PairingFailureKind::Unclear))),
    }
}

fn new_connection(app: &App, secrets: ConnectionSecrets, sin: String) -> Connection {
    let now = app.clock.now();
    let Settings { environment, processor_url } = Settings::of(app);
    Connection {
        id: ConnectionId::new(now, app.entropy.random_u128()),
        processor: ProcessorKind::BitPay,
        environment,
        base_url: processor_url,
        status: ConnectionStatus::Pairing,
        sin,
        secrets,
        created_at: now,
        activated_at: None,
        retired_at: None,
        failure: None,
    }
}

async fn accept(
    app: &App,
    connection: Connection,
    token: SecretString,
    by: &Actor,
) -> Result<Connection, PairError> {
    let secrets = ConnectionSecrets { token: Some(token), ..connection.secrets };
    activate(app, Connection { secrets, ..connection }, by).await
}

async fn activate(app: &App, connection: Connection, by: &Actor) -> Result<Connection, PairError> {
    let connection = Connection {
        status: ConnectionStatus::Active,
        activated_at: Some(app.clock.now()),
        ..connection
    };
    app.store.change_connection(&connection, by).await?;
    Ok(connection)
}

async fn fail(app: &App, connection: Connection, why: &str, by: &Actor) -> Result<(), StoreError> {
    let failed = Connection {
        status: ConnectionStatus::Failed,
        failure: Some(why.to_owned()),
        secrets: ConnectionSecrets::default(),
        ..connection
    };
    app.store.change_connection(&failed, by).await
}
