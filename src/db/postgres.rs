//! PostgreSQL behind diesel's synchronous [`Connection`], in pure Rust: no libpq.
//!
//! **Invariant:** a [`PgLink`] owns the runtime that drives its socket and is used from one thread that is not itself
//! inside a runtime; nothing it does waits longer than its patience.

use std::any::Any;
use std::future::Future;
use std::time::Duration;

use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, Instrumentation, LoadConnection,
    SimpleConnection,
};
use diesel::expression::QueryMetadata;
use diesel::internal::derives::multiconnection::{ConnectionSealed, MultiConnectionHelper};
use diesel::migration::MigrationConnection;
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::{ConnectionError, ConnectionResult, DatabaseErrorKind, QueryResult};
use diesel::sql_types::TypeMetadata;
use diesel_async::{AsyncConnection as _, AsyncConnectionCore, AsyncPgConnection};
use futures_util::StreamExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long connecting may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How long one statement may take: longer than the server's own `lock_timeout`, so that the server speaks first.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// What every session begins with.
///
/// The durability of a commit must not hang on a server that was tuned for something else, and a frozen process must
/// not keep others from the rows it holds.
const SESSION: &str = "\
    SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '60s'; \
    SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'";

/// A connection to PostgreSQL.
pub(crate) struct PgLink {
    // Before the runtime: dropping it tells the task in the runtime to end.
    connection: Box<AsyncPgConnection>,
    runtime: Runtime,
    transactions: AnsiTransactionManager,
    patience: Duration,
}

impl PgLink {
    /// Connects to `postgres://…`.
    ///
    /// # Errors
    ///
    /// In words, with the real cause and never with the password.
    pub(crate) fn connect(url: &str) -> Result<Self, String> {
        let config = config(url)?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime for the database: {error}"))?;
        let connection = runtime.block_on(async {
            tokio::time::timeout(CONNECT_PATIENCE, open(&config))
                .await
                .map_err(|_| "no answer in time".to_owned())?
        })?;
        let transactions = AnsiTransactionManager::default();
        let connection = Box::new(connection);
        let mut link = Self { connection, runtime, transactions, patience: ANSWER_PATIENCE };
        link.batch_execute(SESSION).map_err(|error| error.to_string())?;
        Ok(link)
    }

    /// Waits without an end from now on: for migrations, which may rewrite a table.
    pub(crate) fn wait_for_ever(&mut self) {
        self.patience = Duration::MAX;
    }
}

/// The settings of a database address. TLS is what its `sslmode` says; without one it is required, but for the
/// server on this machine, which usually has a certificate that nobody signed.
fn config(url: &str) -> Result<Config, String> {
    let (url, mode) = split_ssl_mode(url);
    let mut config: Config = url.parse().map_err(|error| deepest(&error))?;
    let mode = match mode.as_deref() {
        None if config.get_hosts().iter().all(is_local) => SslMode::Disable,
        // `verify-full` is what TLS means here in any case: the system's certificate store must know the server.
        None | Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
        Some("prefer" | "allow") => SslMode::Prefer,
        Some("disable") => SslMode::Disable,
        Some(_) => {
            return Err("sslmode is none of disable, prefer, require, verify-full".to_owned());
        }
    };
    config.ssl_mode(mode).connect_timeout(CONNECT_PATIENCE);
    if config.get_application_name().is_none() {
        config.application_name("splynx-bitpay");
    }
    Ok(config)
}

/// Takes `sslmode` out of the query, because tokio-postgres does not know all of libpq's words for it.
fn split_ssl_mode(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let (modes, others): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|pair| pair.starts_with("sslmode="));
    let mode = modes.last().and_then(|pair| pair.split_once('=')).map(|(_, mode)| mode.to_owned());
    (format!("{base}?{}", others.join("&")), mode)
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

async fn open(config: &Config) -> Result<AsyncPgConnection, String> {
    let opened = if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| deepest(&error))?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    } else {
        let tls = MakeRustlsConnect::new(crate::http::tls().as_ref().clone());
        let (client, connection) = config.connect(tls).await.map_err(|error| deepest(&error))?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    };
    opened.map_err(|error| error.to_string())
}

/// The innermost cause: "Connection refused" instead of "error connecting to server".
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn wait<T>(
    runtime: &Runtime,
    patience: Duration,
    work: impl Future<Output = QueryResult<T>>,
) -> QueryResult<T> {
    let waited = runtime.block_on(async { tokio::time::timeout(patience, work).await });
    waited.unwrap_or_else(|_| {
        let words: Box<String> = Box::new("the server did not answer in time".to_owned());
        Err(diesel::result::Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, words))
    })
}

impl SimpleConnection for PgLink {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        use diesel_async::SimpleAsyncConnection as _;
        let work = self.connection.batch_execute(query);
        wait(&self.runtime, self.patience, work)
    }
}

impl ConnectionSealed for PgLink {}

impl Connection for PgLink {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(url: &str) -> ConnectionResult<Self> {
        Self::connect(url).map_err(ConnectionError::BadConnection)
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let work = self.connection.execute_returning_count(source);
        wait(&self.runtime, self.patience, work)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.connection.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.connection.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.connection.set_prepared_statement_cache_size(size);
    }
}

impl LoadConnection for PgLink {
    type Cursor<'conn, 'query> = std::vec::IntoIter<QueryResult<Self::Row<'conn, 'query>>>;
    type Row<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'query>;

    fn load<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        let connection = &mut self.connection;
        let rows = wait(&self.runtime, self.patience, async {
            let rows = connection.load(source).await?;
            Ok(rows.collect::<Vec<_>>().await)
        })?;
        Ok(rows.into_iter())
    }
}

impl MigrationConnection for PgLink {
    fn setup(&mut self) -> QueryResult<usize> {
        self.batch_execute(diesel::migration::CREATE_MIGRATIONS_TABLE).map(|()| 0)
    }
}

/// Answers for types that are not built in. Our tables have none, so it is never asked.
struct BuiltInTypesOnly;

impl PgMetadataLookup for BuiltInTypesOnly {
    fn lookup_type(&mut self, _: &str, _: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }

    fn as_any<'a>(&mut self) -> &mut (dyn Any + 'a)
    where
        Self: 'a,
    {
        self
    }
}

impl MultiConnectionHelper for PgLink {
    fn to_any<'a>(_: &mut <Pg as TypeMetadata>::MetadataLookup) -> &mut (dyn Any + 'a) {
        // It has no size, so that this allocates nothing and leaks nothing.
        Box::leak(Box::new(BuiltInTypesOnly))
    }

    fn from_any(lookup: &mut dyn Any) -> Option<&mut (dyn PgMetadataLookup + 'static)> {
        let lookup: &mut dyn PgMetadataLookup = lookup.downcast_mut::<BuiltInTypesOnly>()?;
        Some(lookup)
    }
}
