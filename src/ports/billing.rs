//! What the use cases ask Splynx.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use secrecy::SecretString;

use super::PeerError;
use crate::domain::ids::{CreditKey, CustomerId, DocumentId, DocumentNumber, SplynxId};
use crate::domain::payable::{Customer, Document, DocumentKind, DocumentRef};
use crate::domain::posting::{SearchOutcome, WriteOutcome};

/// Where a write goes. The body is the posting's, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `PUT admin/finance/invoices/{id}` or `PUT admin/finance/proforma-invoices/{id}`.
    Document(DocumentKind, DocumentId),
    /// `POST admin/finance/payments`.
    Payments,
    /// `POST admin/finance/transactions`.
    Transactions,
}

/// One write.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// Where to.
    pub endpoint: Endpoint,
    /// The JSON body.
    pub body: &'a str,
    /// On the monotonic clock: past this moment the lease no longer covers the request, and it must not leave.
    pub not_after: Duration,
}

/// What Splynx says of the document a payment is linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentLink {
    /// It is linked to this one.
    Document(DocumentKind, DocumentId),
    /// It is linked to none.
    Nothing,
    /// Splynx does not say.
    Untold,
}

/// A payment as Splynx shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Its id.
    pub id: SplynxId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Its `receipt_number`.
    pub receipt_number: String,
    /// Its amount in major units.
    pub amount: Decimal,
    /// The document it is linked to.
    pub document: DocumentLink,
    /// Words in its texts (`comment`, `field_1`) that have the form of one of our keys.
    pub named: Vec<CreditKey>,
}

/// Splynx, as the billing system.
#[async_trait]
pub trait Billing: Send + Sync {
    /// The document with this number, as a person names it. `None`: there is none.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn document_by_number(
        &self,
        kind: DocumentKind,
        number: &DocumentNumber,
    ) -> Result<Option<Document>, PeerError>;

    /// The document with this id. `None`: it is gone.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn document(&self, document: &DocumentRef) -> Result<Option<Document>, PeerError>;

    /// The customer. `None`: there is none.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, PeerError>;

    /// Sends one write and says what became of it. Never repeats it, but for one renewal of the token after a 401.
    async fn write(&self, write: Write<'_>) -> WriteOutcome;

    /// Looks for payments with `receipt_number = key`, over all of the customer's payments back to `since` if Splynx
    /// ignores the filter. Only a complete scan is [`SearchOutcome::Complete`].
    async fn find_payments(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome;

    /// Looks for debit transactions whose description or comment carries the key, likewise.
    async fn find_transactions(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome;

    /// All payments whose `receipt_number` is one of these keys, of any customer and day; none was made before `since`.
    /// A list that could not be read to its end is an error.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn payments_by_keys(
        &self,
        keys: &[CreditKey],
        since: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError>;

    /// All payments dated from `since` to `until` whose `receipt_number` or text has the form of one of our keys. A list
    /// that could not be read to its end is an error.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn payments_with_our_keys(
        &self,
        since: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError>;

    /// The add-on's settings as saved in Splynx (`admin/config/config`), key by key.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn module_settings(&self) -> Result<BTreeMap<String, String>, PeerError>;
}

/// Where a payment statement record stands (facts/splynx 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStatus {
    /// The customer went to pay.
    New,
    /// The payment is in Splynx.
    Processed,
    /// The processor refused.
    Error,
    /// The time to pay ran out.
    Canceled,
}

impl RecordStatus {
    /// The word in Splynx.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Processed => "processed",
            Self::Error => "error",
            Self::Canceled => "canceled",
        }
    }
}

/// The payment statements ("bank statements"): a trail for the admin; moves no money.
#[async_trait]
pub trait Statements: Send + Sync {
    /// The statement with this title, made if there is none.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn statement(&self, title: &str) -> Result<SplynxId, PeerError>;

    /// The record whose `additional_1` is `attempt`.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn find_record(&self, attempt: &str) -> Result<Option<SplynxId>, PeerError>;

    /// Makes a record from a JSON body.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn add_record(&self, body: &str) -> Result<SplynxId, PeerError>;

    /// Changes a record by a JSON body.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    async fn change_record(&self, record: SplynxId, body: &str) -> Result<(), PeerError>;
}

/// Who a portal session belongs to. Fails closed: what is not surely one of the others is nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A customer.
    Customer(Customer),
    /// An admin.
    Admin {
        /// Their id, as Splynx's token names it.
        id: i64,
    },
    /// Not logged in, or not surely so.
    Nobody,
}

/// May a remembered answer about a session be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Up to a minute old will do: for showing a page.
    Remembered,
    /// Splynx must say so now: for changing something.
    Asked,
}

/// Who is there, by the portal's session cookie (design 5, Identity).
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Exchanges the cookie's value for the identity behind it.
    ///
    /// # Errors
    ///
    /// [`PeerError`] when Splynx cannot tell; the caller must then treat the visitor as nobody.
    async fn identify(
        &self,
        cookie: &SecretString,
        freshness: Freshness,
    ) -> Result<Identity, PeerError>;
}

/// Numbers that only rise, shared by all processes on one database (facts/splynx 1.2).
#[async_trait]
pub trait Nonces: Send + Sync {
    /// A number above every earlier one for this API key, and not below `floor`.
    ///
    /// # Errors
    ///
    /// [`PeerError::Unavailable`] when the database cannot tell.
    async fn next(&self, api_key: &str, floor: i64) -> Result<i64, PeerError>;
}
