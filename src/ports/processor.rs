//! What the use cases ask a processor.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;

use super::PeerError;
use super::pairing::PairingFailure;
use crate::domain::connection::{Connection, ConnectionSecrets};
use crate::domain::ids::{AttemptId, ProcessorInvoiceId};
use crate::domain::money::Money;
use crate::domain::observation::Observation;

/// The wish for a processor invoice. Made from the attempt's row alone, so that repeating it repeats every byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceWish {
    /// `orderId`, `guid` and part of `posData`.
    pub attempt: AttemptId,
    /// What the customer pays.
    pub price: Money,
    /// `itemDesc`: what the customer reads at the checkout.
    pub description: String,
    /// Where notifications go.
    pub notification_url: String,
    /// Where the customer comes back to.
    pub redirect_url: String,
    /// Where the customer gets to who closes the checkout.
    pub close_url: String,
    /// `high`, `medium` or `low`.
    pub transaction_speed: String,
}

/// A processor invoice that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedInvoice {
    /// Its id.
    pub invoice: ProcessorInvoiceId,
    /// Where the customer pays.
    pub checkout_url: String,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Its price by the processor's word; to be compared with the wish.
    pub price: Money,
}

/// What a processor lists of its own invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// This token may not list: our own invoices must be asked about one by one.
    NotAllowed {
        /// In words.
        why: String,
    },
    /// A page of them; an empty one ends the list.
    Page(Vec<Observation>),
}

/// One paired processor account.
#[async_trait]
pub trait Processor: Send + Sync {
    /// Makes the invoice, or finds the one made by an earlier wish of the same attempt.
    ///
    /// # Errors
    ///
    /// After [`PeerError::Unavailable`] and [`PeerError::Unreadable`] the invoice may or may not exist: repeat the
    /// very same wish. After [`PeerError::Refused`] it does not.
    async fn open_invoice(&self, wish: &InvoiceWish) -> Result<OpenedInvoice, PeerError>;

    /// Asks for the present state: the only source of truth about money.
    ///
    /// # Errors
    ///
    /// [`PeerError`], cut by what to do next.
    async fn observe(&self, invoice: &ProcessorInvoiceId) -> Result<Observation, PeerError>;

    /// Lists the account's invoices made from `since` to `until`, a page of them after `offset`.
    ///
    /// # Errors
    ///
    /// [`PeerError`], but not for a token that may not list.
    async fn list(
        &self,
        since: NaiveDate,
        until: NaiveDate,
        offset: usize,
    ) -> Result<Listing, PeerError> {
        let _ = (since, until, offset);
        Ok(Listing::NotAllowed { why: "this processor cannot list its invoices".to_owned() })
    }

    /// Asks whether our API token still works. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`PeerError::Refused`]: it does not. After any other error nothing is known about it.
    async fn check_token(&self) -> Result<(), PeerError>;
}

/// What came of a pairing code.
#[derive(Debug, Clone)]
pub enum PairingOutcome {
    /// The processor gave a token.
    Paired {
        /// The API token.
        token: SecretString,
    },
    /// There is no token, and the code was surely not used up by us.
    Refused {
        /// Why.
        failure: PairingFailure,
    },
    /// Whether the code was used up is not known; ask [`Processors::find_token`].
    Unclear {
        /// In words.
        why: String,
    },
}

/// All processor accounts.
#[async_trait]
pub trait Processors: Send + Sync {
    /// The account of a connection.
    ///
    /// # Errors
    ///
    /// [`PeerError::Refused`] when the connection's secrets are gone or unreadable.
    fn of(&self, connection: &Connection) -> Result<Arc<dyn Processor>, PeerError>;

    /// Whether `signature` (the `x-signature` header) fits the raw `body` of a notification. `false` without a token.
    fn is_signed_by(&self, connection: &Connection, body: &[u8], signature: &str) -> bool;

    /// Whether this text is a raw POS token (a dashboard token made with "Require Authentication" off) instead of a
    /// pairing code.
    fn is_raw_token(&self, text: &str) -> bool;

    /// Makes a fresh key pair: the secrets of a connection still without a token, and its client id (SIN).
    fn new_key(&self) -> (ConnectionSecrets, String);

    /// Exchanges a pairing code for a token, with the key pair of `connection`, which is committed already.
    async fn exchange(&self, connection: &Connection, code: &str) -> PairingOutcome;

    /// Asks which token our key owns, after an unclear exchange. `None`: surely none.
    ///
    /// # Errors
    ///
    /// [`PeerError`] when that cannot be found out now.
    async fn find_token(&self, connection: &Connection) -> Result<Option<SecretString>, PeerError>;
}
