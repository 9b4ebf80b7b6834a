//! How a job on the database fails, cut by whom it concerns.
//!
//! **Invariant:** words that leave this file name constraints and causes, never the values of a row.

use diesel::result::{DatabaseErrorKind, Error};

use crate::ports::store::StoreError;

/// Why a job did not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The database said so.
    #[error(transparent)]
    Query(#[from] Error),
    /// The job itself said so.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure {
    /// Whether only this job is concerned: its savepoint is rolled back and its neighbours go on.
    pub(super) fn is_of_the_job(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Query(error) => is_refusal(error),
        }
    }

    /// What the caller is told.
    pub(super) fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Query(error) if is_refusal(&error) => StoreError::Refused(words(&error)),
            Self::Query(error) => StoreError::Unavailable(words(&error)),
        }
    }
}

/// Whether a rule of the schema, or a row that cannot be read, made the statement fail: trying again cannot help.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::DatabaseError(kind, _) => matches!(
            kind,
            DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::RestrictViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::ExclusionViolation
        ),
        Error::NotFound
        | Error::QueryBuilderError(_)
        | Error::DeserializationError(_)
        | Error::SerializationError(_)
        | Error::InvalidCString(_) => true,
        _ => false,
    }
}

/// Whether another row with the same unique value was there first.
pub(super) fn is_unique_violation(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

/// The cause in words for an admin's log.
pub(super) fn words(error: &Error) -> String {
    let Error::DatabaseError(_, information) = error else {
        return error.to_string();
    };
    match information.message() {
        "database or disk is full" => "the disk is full".to_owned(),
        "database is locked" => "another process keeps the database locked".to_owned(),
        "attempt to write a readonly database" => "the database file is read-only".to_owned(),
        message => message.to_owned(),
    }
}
