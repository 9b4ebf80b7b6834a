//! Values between rows and the domain's types.
//!
//! **Invariant:** a value that cannot be read becomes [`StoreError::Inconsistent`], which names its place; it is never
//! replaced by a default.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::domain::connection::{ConnectionStatus, Environment, ProcessorKind};
use crate::domain::credit::{ByHand, Target};
use crate::domain::money::{Currency, Money};
use crate::domain::payable::DocumentKind;
use crate::ports::store::StoreError;

/// The row a value is read from, for the error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Its table.
    pub(super) table: &'static str,
    /// Its primary key.
    pub(super) key: &'a str,
}

impl Row<'_> {
    /// The error of a value that cannot be.
    pub(super) fn inconsistent(self, column: &'static str) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.key.to_owned() }
    }

    /// What was read, or the error of its place.
    pub(super) fn read<T>(
        self,
        column: &'static str,
        value: impl Into<Read<T>>,
    ) -> Result<T, StoreError> {
        value.into().0.ok_or_else(|| self.inconsistent(column))
    }

    /// A moment.
    pub(super) fn time(
        self,
        column: &'static str,
        millis: i64,
    ) -> Result<DateTime<Utc>, StoreError> {
        self.read(column, DateTime::from_timestamp_millis(millis))
    }

    /// A moment that may not have come.
    pub(super) fn optional_time(
        self,
        column: &'static str,
        millis: Option<i64>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        millis.map(|millis| self.time(column, millis)).transpose()
    }

    /// A count.
    pub(super) fn count(self, column: &'static str, number: i64) -> Result<u32, StoreError> {
        self.read(column, u32::try_from(number))
    }

    /// A decimal.
    pub(super) fn decimal(self, column: &'static str, text: &str) -> Result<Decimal, StoreError> {
        self.read(column, Decimal::from_str(text))
    }

    /// A day.
    pub(super) fn date(self, column: &'static str, text: &str) -> Result<NaiveDate, StoreError> {
        self.read(column, NaiveDate::from_str(text))
    }

    /// An amount of money.
    pub(super) fn money(self, minor: i64, currency: &str) -> Result<Money, StoreError> {
        Ok(Money::from_minor(minor, self.read("currency", Currency::parse(currency))?))
    }
}

/// The outcome of reading a value, whatever its own error says.
pub(super) struct Read<T>(Option<T>);

impl<T> From<Option<T>> for Read<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

impl<T, E> From<Result<T, E>> for Read<T> {
    fn from(value: Result<T, E>) -> Self {
        Self(value.ok())
    }
}

/// A moment as the databases keep it: milliseconds since 1970.
pub(super) fn millis(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_millis()
}

/// The processor with this name.
pub(super) fn processor(code: &str) -> Option<ProcessorKind> {
    [ProcessorKind::BitPay].into_iter().find(|kind| kind.code() == code)
}

/// The environment with this name.
pub(super) fn environment(code: &str) -> Option<Environment> {
    [Environment::Production, Environment::Test].into_iter().find(|kind| kind.code() == code)
}

/// The connection status with this name.
pub(super) fn connection_status(code: &str) -> Option<ConnectionStatus> {
    use ConnectionStatus as S;
    [S::Pairing, S::Active, S::Retired, S::Erased, S::Failed]
        .into_iter()
        .find(|status| status.code() == code)
}

/// The target with this name.
pub(super) fn target(code: &str) -> Option<Target> {
    [Target::Undecided, Target::Document, Target::Balance]
        .into_iter()
        .find(|target| target.code() == code)
}

/// What a person did about a credit.
pub(super) fn by_hand(code: i64) -> Option<ByHand> {
    ByHand::ALL.into_iter().find(|way| way.code() == code)
}

/// The name of a kind of document.
pub(super) fn document_kind_code(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::ProformaInvoice => "proforma_invoice",
    }
}

/// The kind of document with this name.
pub(super) fn document_kind(code: &str) -> Option<DocumentKind> {
    [DocumentKind::Invoice, DocumentKind::ProformaInvoice]
        .into_iter()
        .find(|kind| document_kind_code(*kind) == code)
}
