//! BitPay, or a server that speaks its API v2, behind the ports of [`crate::ports::processor`].
//!
//! `key` is who we are, `pairing` how we come by a token, `invoice` what we ask for, `wire` what we understand, `error`
//! and `complaint` how we are told no, `ipn` what notifications are worth, `site` and `transport` the way there.
//!
//! **Invariant:** nothing BitPay says leaves this module but in the words of the domain, and no secret leaves it at all.

mod complaint;
mod error;
mod invoice;
pub mod ipn;
pub mod key;
pub mod pairing;
mod site;
mod transport;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use secrecy::SecretString;

use self::complaint::Topic;
use self::error::Failure;
use self::key::Key;
use self::site::Site;
use self::transport::{Operation, Request, Transport};
use crate::domain::connection::{Connection, ConnectionSecrets};
use crate::domain::ids::ProcessorInvoiceId;
use crate::domain::observation::Observation;
use crate::ports::PeerError;
use crate::ports::clock::Clock;
use crate::ports::entropy::Entropy;
use crate::ports::pairing::{PairingFailure, PairingFailureKind};
use crate::ports::processor::{
    InvoiceWish, Listing, OpenedInvoice, PairingOutcome, Processor, Processors,
};

/// The name in sentences.
const PEER: &str = "BitPay";
/// The name in metrics.
const PEER_CODE: &str = "bitpay";

/// What is said when the key is known, but our token is not among its tokens.
const TOKEN_GONE: &str = "The API token of this connection was removed or switched off there. Unpair, make a new \
    pairing code and pair again.";

/// How much is asked of BitPay, by the whole process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// No more requests than this leave in a second; zero counts as one.
    pub requests_per_second: u32,
    /// A request with its answer takes no longer than this.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_second: 5, timeout: Duration::from_secs(15) }
    }
}

/// All BitPay accounts: one pool of connections and one pace for the whole process.
#[derive(Debug)]
pub struct Accounts {
    transport: Arc<Transport>,
    entropy: Arc<dyn Entropy>,
}

impl Accounts {
    /// Makes the pool.
    ///
    /// # Errors
    ///
    /// A [`reqwest::Error`] when TLS cannot be set up.
    pub fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        limits: Limits,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self { transport: Arc::new(Transport::new(clock, limits)?), entropy })
    }
}

#[async_trait]
impl Processors for Accounts {
    fn of(&self, connection: &Connection) -> Result<Arc<dyn Processor>, PeerError> {
        let token = connection.secrets.token.clone();
        let token =
            token.ok_or_else(|| refused("This connection has no API token. Pair again."))?;
        Ok(Arc::new(Client {
            transport: Arc::clone(&self.transport),
            site: site_of(connection)?,
            key: connection.secrets.private_key.as_ref().map(readable).transpose()?,
            token,
        }))
    }

    fn is_signed_by(&self, connection: &Connection, body: &[u8], signature: &str) -> bool {
        let token = connection.secrets.token.as_ref();
        token.is_some_and(|token| ipn::verify(token, body, signature).is_ok())
    }

    fn is_raw_token(&self, text: &str) -> bool {
        pairing::looks_like_token(text)
    }

    fn new_key(&self) -> (ConnectionSecrets, String) {
        let key = Key::generate(self.entropy.as_ref());
        let secrets = ConnectionSecrets { private_key: Some(key.to_secret()), token: None };
        (secrets, key.sin())
    }

    async fn exchange(&self, connection: &Connection, code: &str) -> PairingOutcome {
        match site_of(connection).and_then(|site| Ok((site, key_of(connection)?))) {
            Ok((site, key)) => pairing::exchange(&self.transport, &site, &key, code).await,
            Err(error) => PairingOutcome::Refused { failure: not_asked(connection, error) },
        }
    }

    async fn find_token(&self, connection: &Connection) -> Result<Option<SecretString>, PeerError> {
        let (site, key) = (site_of(connection)?, key_of(connection)?);
        Ok(pairing::find_token(&self.transport, &site, &key).await?)
    }
}

/// Nobody could be asked, so the words are the settings' own.
fn not_asked(connection: &Connection, error: PeerError) -> PairingFailure {
    let said = match error {
        PeerError::Refused { sentence, .. } => sentence,
        other => other.to_string(),
    };
    let (kind, address) = (PairingFailureKind::Settings, connection.base_url.clone());
    PairingFailure { kind, address, said }
}

fn site_of(connection: &Connection) -> Result<Site, PeerError> {
    Site::parse(&connection.base_url, connection.environment)
}

fn key_of(connection: &Connection) -> Result<Key, PeerError> {
    let key = connection.secrets.private_key.as_ref();
    readable(key.ok_or_else(|| refused("This connection has no key. Pair again."))?)
}

fn readable(key: &SecretString) -> Result<Key, PeerError> {
    Key::from_secret(key)
        .map_err(|_| refused("The key of this connection cannot be read. Pair again."))
}

fn refused(sentence: &str) -> PeerError {
    PeerError::Refused { peer: PEER, sentence: sentence.to_owned() }
}

/// One paired BitPay account. Without a key, its token works unsigned.
pub struct Client {
    transport: Arc<Transport>,
    site: Site,
    key: Option<Key>,
    token: SecretString,
}

impl Client {
    async fn post_invoice(&self, wish: &InvoiceWish) -> Result<OpenedInvoice, Failure> {
        let answer = self
            .transport
            .call(Request {
                operation: Operation::OpenInvoice,
                url: self.site.invoices(),
                body: Some(invoice::request_body(wish, &self.token)?),
                key: self.key.as_ref(),
                secret: Some(&self.token),
            })
            .await?;
        invoice::opened(&answer, wish, &self.site)
    }

    /// A token without a key is in no list. Any read tries it; the least is one of an invoice that never was.
    async fn try_unsigned(&self) -> Result<(), Failure> {
        let url = self.site.no_invoice(&self.token);
        match self.get(Operation::CheckToken, url).await {
            Err(failure) if failure.is_about(Topic::InvoiceNotFound) => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn get(&self, operation: Operation, url: url::Url) -> Result<serde_json::Value, Failure> {
        let key = self.key.as_ref();
        let secret = Some(&self.token);
        self.transport.call(Request { operation, url, body: None, key, secret }).await
    }
}

#[async_trait]
impl Processor for Client {
    async fn open_invoice(&self, wish: &InvoiceWish) -> Result<OpenedInvoice, PeerError> {
        match self.post_invoice(wish).await {
            Err(failure) if invoice::exists_already(&failure) => {
                let url = self.site.invoice_by_guid(&wish.attempt.to_string(), &self.token);
                let answer = self.get(Operation::FindInvoice, url).await.map_err(still_open)?;
                Ok(invoice::opened(&answer, wish, &self.site)?)
            }
            result => Ok(result?),
        }
    }

    async fn observe(&self, invoice: &ProcessorInvoiceId) -> Result<Observation, PeerError> {
        let url = self.site.invoice(invoice, &self.token);
        let answer = self.get(Operation::ObserveInvoice, url).await?;
        Ok(wire::Invoice::read(&answer)?.observation())
    }

    async fn list(
        &self,
        since: NaiveDate,
        until: NaiveDate,
        offset: usize,
    ) -> Result<Listing, PeerError> {
        let url = self.site.list(since, until, offset, &self.token);
        match self.get(Operation::ListInvoices, url).await {
            Ok(answer) => {
                let invoices = wire::Invoice::read_list(&answer)?;
                let observed = invoices.into_iter().map(wire::Invoice::observation);
                Ok(Listing::Page(observed.collect()))
            }
            // A POS token is told so; what it may not list is asked about one by one.
            Err(failure @ Failure::Refused(_)) => {
                Ok(Listing::NotAllowed { why: PeerError::from(failure).to_string() })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn check_token(&self) -> Result<(), PeerError> {
        match &self.key {
            Some(key) => {
                let listed = pairing::owns(&self.transport, &self.site, key, &self.token).await?;
                listed.then_some(()).ok_or_else(|| refused(TOKEN_GONE))
            }
            None => Ok(self.try_unsigned().await?),
        }
    }
}

/// The invoice was said to exist, so a refusal to show it is no proof that it does not.
fn still_open(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(complaint) => Failure::Unavailable(format!(
            "the invoice exists but is not shown: {}",
            complaint.sentence()
        )),
        other => other,
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("site", &self.site.origin())
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
