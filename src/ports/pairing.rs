//! Why a pairing did not work, as a code and what goes into its sentence.
//!
//! **Invariant:** there are no sentences here: each is a text `pairing-failed-<code>` of the pages, in every language,
//! and the command line prints the English one.

use std::fmt;

/// Writes the enum, the list of all its values and their codes from one table, so that none can be forgotten.
macro_rules! pairing_failures {
    ($($(#[$doc:meta])* $kind:ident = $code:literal,)*) => {
        /// Why a pairing did not work.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PairingFailureKind {
            $($(#[$doc])* $kind,)*
        }

        impl PairingFailureKind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The stable code; ends the key of the sentence.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => $code,)*
                }
            }
        }
    };
}

pairing_failures! {
    /// What was entered has not the form of a pairing code.
    NotACode = "not-a-code",
    /// An API token was entered where a pairing code is wanted.
    TokenNotCode = "token-not-code",
    /// BitPay's production site did not take the code.
    WrongCodeProduction = "wrong-code-production",
    /// BitPay's test site did not take the code.
    WrongCodeTest = "wrong-code-test",
    /// Another server that speaks BitPay's API did not take the code.
    WrongCodeElsewhere = "wrong-code-elsewhere",
    /// There is a token that nobody has approved yet.
    Unapproved = "unapproved",
    /// The merchant has not finished signing up.
    AccountNotSetUp = "account-not-set-up",
    /// The code is for a token that may not make invoices.
    Facade = "facade",
    /// Any other definite no.
    Refused = "refused",
    /// The request never left.
    NotSent = "not-sent",
    /// The processor asked to wait and did not look at the code.
    AskedToWait = "asked-to-wait",
    /// The answer was no answer, and the processor has surely not taken the code.
    NotUsed = "not-used",
    /// Whether the code was taken is not known.
    Unclear = "unclear",
    /// The add-on's own settings or key do not allow to ask.
    Settings = "settings",
}

/// Why a pairing did not work, with what goes into its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingFailure {
    /// Why.
    pub kind: PairingFailureKind,
    /// The processor's address: scheme, host and port.
    pub address: String,
    /// The processor's own words, or what happened on the way; quoted as they are. Empty where nobody said anything.
    pub said: String,
}

/// For logs and the database, where codes are looked for: `wrong-code-test at https://test.bitpay.com (the words)`.
impl fmt::Display for PairingFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind.code(), self.address)?;
        if self.said.is_empty() { Ok(()) } else { write!(f, " ({})", self.said) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_kinds_share_a_code() {
        let codes: BTreeSet<&str> =
            PairingFailureKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), PairingFailureKind::ALL.len());
    }

    #[test]
    fn a_log_names_the_code_the_address_and_the_words() {
        let failure = |said: &str| PairingFailure {
            kind: PairingFailureKind::Unapproved,
            address: "https://pay.example".to_owned(),
            said: said.to_owned(),
        };
        assert_eq!(failure("").to_string(), "unapproved at https://pay.example");
        assert_eq!(failure("why").to_string(), "unapproved at https://pay.example (why)");
    }
}
