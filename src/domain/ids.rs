//! Names of things, one type each, so that a customer's number can never stand where a document's belongs.
//!
//! **Invariant:** a value of these types has passed its `parse`; nothing later has to look again.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// A text or number that is no name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not {wanted}")]
pub struct InvalidId {
    wanted: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes a text that has the right shape.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] for any other text.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { wanted: $wanted })
                }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Names the row with this number.
            #[must_use]
            pub fn new(number: i64) -> Self {
                Self(number)
            }

            /// The number itself.
            #[must_use]
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ulid::Ulid);

        impl $name {
            /// Makes the name of a thing born at `now`; `random` is 80 bits of it.
            #[must_use]
            pub fn new(now: DateTime<Utc>, random: u128) -> Self {
                let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
                Self(ulid::Ulid::from_parts(millis, random))
            }

            /// When the thing was born, to the millisecond.
            #[must_use]
            pub fn born_at(self) -> DateTime<Utc> {
                let millis = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
                DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
            }

            /// Reads the 26 characters back.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] for any other text.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                ulid::Ulid::from_str(text)
                    .map(Self)
                    .map_err(|_| InvalidId { wanted: "a 26-character identifier" })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

ulid_id! {
    /// One [attempt](super::attempt::Attempt); also the `orderId` and `guid` at the processor.
    AttemptId
}
ulid_id! {
    /// One [connection](super::connection::Connection).
    ConnectionId
}
ulid_id! {
    /// One [posting](super::posting::Posting).
    PostingId
}
ulid_id! {
    /// One [review](super::review::Review).
    ReviewId
}
number_id! {
    /// A Splynx customer.
    CustomerId
}
number_id! {
    /// A Splynx invoice or proforma invoice, by its id (not its number).
    DocumentId
}
number_id! {
    /// A row Splynx made for a posting of ours: a payment, a transaction, an item, a record.
    SplynxId
}
text_id! {
    /// The number printed on a Splynx document; at most 64 characters (facts/splynx 2.1).
    DocumentNumber, "a document number",
    |text| !text.is_empty() && text.chars().count() <= 64 && !text.chars().any(char::is_control)
}
text_id! {
    /// The id of an invoice at a processor: 22 base58 characters at BitPay.
    ProcessorInvoiceId, "a processor's invoice id",
    |text| !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
text_id! {
    /// The last part of the notification URL of one attempt: 128 random bits in lower-case hex.
    Hook, "a hook", is_hex_128
}
text_id! {
    /// The last part of a result page's URL: 128 random bits in lower-case hex.
    ResultToken, "a result token", is_hex_128
}
text_id! {
    /// The name of one [credit](super::credit::Credit) inside Splynx (`receipt_number`, at most 32 characters).
    CreditKey, "a credit key",
    |text| (4..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_hex_128(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Hook {
    /// Makes a hook of 128 random bits.
    #[must_use]
    pub fn new(random: u128) -> Self {
        Self(format!("{random:032x}"))
    }
}

impl ResultToken {
    /// Makes a token of 128 random bits.
    #[must_use]
    pub fn new(random: u128) -> Self {
        Self(format!("{random:032x}"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn an_attempt_id_reads_back() {
        let id = AttemptId::new(DateTime::from_timestamp(1_700_000_000, 0).unwrap(), 42);
        assert_eq!(AttemptId::parse(&id.to_string()), Ok(id));
        assert_eq!(id.to_string().len(), 26);
        assert_eq!(id.born_at().timestamp(), 1_700_000_000);
    }

    #[rstest]
    #[case("../etc/passwd")]
    #[case("")]
    #[case("a b")]
    #[case("id?x=1")]
    fn a_path_is_no_processor_invoice_id(#[case] text: &str) {
        assert!(ProcessorInvoiceId::parse(text).is_err());
    }

    #[rstest]
    #[case("0123456789abcdef0123456789abcdef", true)]
    #[case("0123456789ABCDEF0123456789ABCDEF", false)]
    #[case("0123", false)]
    fn a_hook_is_128_bits_of_lower_case_hex(#[case] text: &str, #[case] good: bool) {
        assert_eq!(Hook::parse(text).is_ok(), good);
    }
}
