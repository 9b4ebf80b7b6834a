//! The closed set of things this adapter asks Splynx: the label of its metrics.

use std::time::Duration;

use reqwest::StatusCode;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Login,
    Renew,
    Logout,
    SessionLogin,
    SessionProbe,
    FindDocument,
    ReadDocument,
    ReadCustomer,
    ReadSettings,
    FindPayments,
    FindTransactions,
    WriteDocument,
    WritePayment,
    WriteTransaction,
    FindStatement,
    WriteStatement,
    WriteMail,
    Diagnose,
}

impl Operation {
    /// The label's value.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Renew => "renew",
            Self::Logout => "logout",
            Self::SessionLogin => "session_login",
            Self::SessionProbe => "session_probe",
            Self::FindDocument => "find_document",
            Self::ReadDocument => "read_document",
            Self::ReadCustomer => "read_customer",
            Self::ReadSettings => "read_settings",
            Self::FindPayments => "find_payments",
            Self::FindTransactions => "find_transactions",
            Self::WriteDocument => "write_document",
            Self::WritePayment => "write_payment",
            Self::WriteTransaction => "write_transaction",
            Self::FindStatement => "find_statement",
            Self::WriteStatement => "write_statement",
            Self::WriteMail => "write_mail",
            Self::Diagnose => "diagnose",
        }
    }

    /// Whether Splynx must not execute it twice: such a request gets a connection of its own.
    pub(super) fn is_write(self) -> bool {
        matches!(
            self,
            Self::WriteDocument
                | Self::WritePayment
                | Self::WriteTransaction
                | Self::WriteStatement
                | Self::WriteMail
        )
    }

    /// Whether a refusal is an answer like any other: that is how customers are told from admins.
    fn expects_refusals(self) -> bool {
        matches!(self, Self::SessionLogin | Self::SessionProbe | Self::Logout | Self::Diagnose)
    }

    /// Counts one request that was answered.
    pub(super) fn answered(self, status: StatusCode, took: Duration) {
        self.timed(took);
        let kind = match status.as_u16() {
            200..=299 | 404 => return,
            400..=499 if self.expects_refusals() && status != StatusCode::TOO_MANY_REQUESTS => {
                return;
            }
            401 => "unauthorized",
            429 => "throttled",
            400..=499 => "refused",
            500..=599 => "failed",
            _ => "odd",
        };
        self.failed(kind);
    }

    /// Counts one request that was not.
    pub(super) fn unanswered(self, sent: bool, took: Duration) {
        self.timed(took);
        self.failed(if sent { "lost" } else { "unreachable" });
    }

    fn timed(self, took: Duration) {
        metrics::histogram!(
            "splynx_bitpay_peer_seconds", "peer" => "splynx", "operation" => self.code()
        )
        .record(took);
    }

    fn failed(self, kind: &'static str) {
        metrics::counter!(
            "splynx_bitpay_peer_errors_total",
            "peer" => "splynx", "operation" => self.code(), "kind" => kind
        )
        .increment(1);
    }
}
