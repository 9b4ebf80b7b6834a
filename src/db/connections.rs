//! The table `connections`.
//!
//! **Invariant:** secrets are in it only sealed; what is erased stays erased; one connection per processor is active.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::cell::{self, Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::schema::{attempts, connections};
use super::seal::SealKey;
use crate::domain::connection::{Connection, ConnectionSecrets, ConnectionStatus};
use crate::domain::ids::ConnectionId;
use crate::ports::entropy::Entropy;
use crate::ports::store::StoreError;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = connections, treat_none_as_null = true)]
pub(super) struct ConnectionRow {
    id: String,
    processor: String,
    environment: String,
    base_url: String,
    status: String,
    sin: String,
    secrets: Option<Vec<u8>>,
    created_at: i64,
    activated_at: Option<i64>,
    retired_at: Option<i64>,
    failure: Option<String>,
}

impl ConnectionRow {
    /// The row of a connection, with its secrets sealed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] when they cannot be sealed.
    pub(super) fn seal(
        connection: &Connection,
        key: &SealKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        let id = connection.id.to_string();
        let secrets = write_secrets(&connection.secrets)
            .map(|plain| key.seal(entropy, &id, plain.as_bytes()))
            .transpose()
            .map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(Self {
            id,
            processor: connection.processor.code().to_owned(),
            environment: connection.environment.code().to_owned(),
            base_url: connection.base_url.clone(),
            status: connection.status.code().to_owned(),
            sin: connection.sin.clone(),
            secrets,
            created_at: millis(connection.created_at),
            activated_at: connection.activated_at.map(millis),
            retired_at: connection.retired_at.map(millis),
            failure: connection.failure.clone(),
        })
    }

    /// The connection of a row, with its secrets opened.
    pub(super) fn open(self, key: &SealKey) -> Result<Connection, StoreError> {
        let row = Row { table: "connections", key: &self.id };
        let secrets = match &self.secrets {
            None => ConnectionSecrets::default(),
            Some(sealed) => {
                let plain = row.read("secrets", key.open(&self.id, sealed))?;
                row.read("secrets", read_secrets(&plain))?
            }
        };
        Ok(Connection {
            id: row.read("id", ConnectionId::parse(&self.id))?,
            processor: row.read("processor", cell::processor(&self.processor))?,
            environment: row.read("environment", cell::environment(&self.environment))?,
            base_url: self.base_url.clone(),
            status: row.read("status", cell::connection_status(&self.status))?,
            sin: self.sin.clone(),
            secrets,
            created_at: row.time("created_at", self.created_at)?,
            activated_at: row.optional_time("activated_at", self.activated_at)?,
            retired_at: row.optional_time("retired_at", self.retired_at)?,
            failure: self.failure.clone(),
        })
    }
}

/// The secrets as one text to be sealed: a JSON array of key and token. `None`: there are none.
fn write_secrets(secrets: &ConnectionSecrets) -> Option<Zeroizing<String>> {
    let expose = |secret: &Option<SecretString>| {
        secret.as_ref().map(|secret| Zeroizing::new(secret.expose_secret().to_owned()))
    };
    let (private_key, token) = (expose(&secrets.private_key), expose(&secrets.token));
    if private_key.is_none() && token.is_none() {
        return None;
    }
    let parts = [private_key.as_deref(), token.as_deref()];
    serde_json::to_string(&parts).ok().map(Zeroizing::new)
}

fn read_secrets(plain: &[u8]) -> Option<ConnectionSecrets> {
    let [private_key, token]: [Option<String>; 2] = serde_json::from_slice(plain).ok()?;
    Some(ConnectionSecrets {
        private_key: private_key.map(SecretString::from),
        token: token.map(SecretString::from),
    })
}

/// Adds a row; when it is active, every other active one is retired first. Returns the retired ones.
pub(super) fn add(
    conn: &mut AnyConnection,
    row: &ConnectionRow,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Failure> {
    let retired = retire_others(conn, row, now)?;
    diesel::insert_into(connections::table).values(row.clone()).execute(conn)?;
    Ok(retired)
}

/// Changes a row; when it becomes active, every other active one is retired first. Returns the retired ones.
pub(super) fn change(
    conn: &mut AnyConnection,
    row: &ConnectionRow,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Failure> {
    let retired = retire_others(conn, row, now)?;
    let living = connections::table
        .filter(connections::id.eq(row.id.clone()))
        .filter(connections::status.ne(ConnectionStatus::Erased.code()));
    let changed = diesel::update(living).set(row.clone()).execute(conn)?;
    if changed == 1 {
        return Ok(retired);
    }
    let words = format!("there is no connection {} that could be changed", row.id);
    Err(StoreError::Refused(words).into())
}

fn retire_others(
    conn: &mut AnyConnection,
    row: &ConnectionRow,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Failure> {
    if row.status != ConnectionStatus::Active.code() {
        return Ok(vec![]);
    }
    let others = || {
        connections::table
            .filter(connections::status.eq(ConnectionStatus::Active.code()))
            .filter(connections::id.ne(row.id.clone()))
    };
    let ids = others().select(connections::id).load(conn)?;
    diesel::update(others())
        .set((
            connections::status.eq(ConnectionStatus::Retired.code()),
            connections::retired_at.eq(row.activated_at.unwrap_or(millis(now))),
        ))
        .execute(conn)?;
    Ok(ids)
}

/// The row with this id.
pub(super) fn find(conn: &mut AnyConnection, id: &str) -> Result<Option<ConnectionRow>, Failure> {
    let found = connections::table.find(id.to_owned()).select(ConnectionRow::as_select());
    Ok(found.first(conn).optional()?)
}

/// The row that takes new attempts.
pub(super) fn active(conn: &mut AnyConnection) -> Result<Option<ConnectionRow>, Failure> {
    let found = connections::table
        .filter(connections::status.eq(ConnectionStatus::Active.code()))
        .order(connections::activated_at.desc())
        .select(ConnectionRow::as_select());
    Ok(found.first(conn).optional()?)
}

/// The row of the attempt with this hook.
pub(super) fn of_hook(
    conn: &mut AnyConnection,
    hook: &str,
) -> Result<Option<ConnectionRow>, Failure> {
    let id =
        attempts::table.filter(attempts::hook.eq(hook.to_owned())).select(attempts::connection);
    match id.first::<String>(conn).optional()? {
        Some(id) => find(conn, &id),
        None => Ok(None),
    }
}

/// Every row, newest first.
pub(super) fn all(conn: &mut AnyConnection) -> Result<Vec<ConnectionRow>, Failure> {
    let all = connections::table
        .order((connections::created_at.desc(), connections::id.desc()))
        .select(ConnectionRow::as_select());
    Ok(all.load(conn)?)
}

/// Blanks the secrets of retired connections that no attempt needs any more. Returns their names.
pub(super) fn erase_retired(
    conn: &mut AnyConnection,
    now: DateTime<Utc>,
) -> Result<Vec<String>, Failure> {
    let needed = attempts::table
        .filter(attempts::connection.eq(connections::id))
        // A clock that leapt ahead ends no watch, so it must erase no secrets either.
        .filter(
            attempts::monitor_until
                .gt(millis(now))
                .or(attempts::look_at.is_not_null())
                .or(attempts::work_at.is_not_null()),
        );
    let over: Vec<String> = connections::table
        .filter(connections::status.eq(ConnectionStatus::Retired.code()))
        .filter(diesel::dsl::not(diesel::dsl::exists(needed)))
        .select(connections::id)
        .load(conn)?;
    let retired = connections::table
        .filter(connections::id.eq_any(over.clone()))
        .filter(connections::status.eq(ConnectionStatus::Retired.code()));
    diesel::update(retired)
        .set((
            connections::status.eq(ConnectionStatus::Erased.code()),
            connections::secrets.eq(None::<Vec<u8>>),
        ))
        .execute(conn)?;
    Ok(over)
}
