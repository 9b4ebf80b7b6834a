//! One paired processor account.
//!
//! **Invariant:** every attempt stays bound to the connection it began with; a connection is erased only after its
//! last attempt has passed `monitor_until`.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::ids::ConnectionId;

/// The processors this version speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessorKind {
    /// BitPay, or a server that speaks its API.
    BitPay,
}

impl ProcessorKind {
    /// The name in the database and in metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BitPay => "bitpay",
        }
    }

    /// The first two letters of a credit key (design 4.6).
    #[must_use]
    pub fn credit_prefix(self) -> &'static str {
        match self {
            Self::BitPay => "BP",
        }
    }
}

/// The money that flows through a connection is real, or it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real money.
    Production,
    /// BitPay's test site or a simulator: every page says so.
    Test,
}

impl Environment {
    /// The word in the configuration and the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Test => "test",
        }
    }
}

/// Where a connection stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionStatus {
    /// The key pair is committed, the token is not known yet.
    Pairing,
    /// New attempts begin here. At most one connection per processor is active.
    Active,
    /// No new attempts; old ones are still observed.
    Retired,
    /// Key and token are gone.
    Erased,
    /// The processor refused the pairing code.
    Failed,
}

impl ConnectionStatus {
    /// The word in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pairing => "pairing",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Erased => "erased",
            Self::Failed => "failed",
        }
    }
}

/// What must never be shown. Sealed at rest by the database adapter.
#[derive(Debug, Clone, Default)]
pub struct ConnectionSecrets {
    /// The secp256k1 private key as 64 hex characters; absent with a raw POS token.
    pub private_key: Option<SecretString>,
    /// The API token.
    pub token: Option<SecretString>,
}

/// One paired processor account.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its name.
    pub id: ConnectionId,
    /// Which processor.
    pub processor: ProcessorKind,
    /// Test or real money.
    pub environment: Environment,
    /// The API's base address, with a slash at its end.
    pub base_url: String,
    /// Where it stands.
    pub status: ConnectionStatus,
    /// The client id at BitPay (`T…`, facts 1.2); empty with a raw POS token.
    pub sin: String,
    /// Key and token.
    pub secrets: ConnectionSecrets,
    /// When the key pair was committed.
    pub created_at: DateTime<Utc>,
    /// When it became active.
    pub activated_at: Option<DateTime<Utc>>,
    /// When it stopped taking new attempts.
    pub retired_at: Option<DateTime<Utc>>,
    /// Why pairing failed, in words an admin can act on.
    pub failure: Option<String>,
}
