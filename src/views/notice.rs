//! A page that says why something cannot be done, and what to do next.
//!
//! **Invariant:** every kind has a title and a text of its own in every language; none shows anything internal.

use serde::Serialize;

use super::{Link, View};

/// Writes the enum, the list of all its values and their words from one table, so that none can be forgotten.
macro_rules! notice_kinds {
    ($($(#[$doc:meta])* $kind:ident = $key:literal,)*) => {
        /// Why there is no other page. The word is the key of its texts: `notice-<word>-title` and
        /// `notice-<word>-text`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum NoticeKind {
            $($(#[$doc])* $kind,)*
        }

        impl NoticeKind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The word in the keys of the texts.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$kind => $key,)*
                }
            }
        }
    };
}

notice_kinds! {
    /// The request cannot be read.
    BadRequest = "bad-request",
    /// No document number was given.
    NoNumber = "no-number",
    /// Not logged in.
    Login = "login",
    /// An admin on a customer's page.
    AdminOnCustomerPage = "admin-on-customer-page",
    /// A customer on the admin's page.
    CustomerOnAdminPage = "customer-on-admin-page",
    /// The form was not sent by our own pages.
    ForeignForm = "foreign-form",
    /// The admin's form is too old.
    StaleForm = "stale-form",
    /// The document belongs to another customer.
    SomeoneElses = "someone-elses",
    /// No such page.
    NotFound = "not-found",
    /// No such invoice.
    UnknownInvoice = "unknown-invoice",
    /// No such proforma invoice.
    UnknownProforma = "unknown-proforma",
    /// No such payment.
    UnknownPayment = "unknown-payment",
    /// The address does not take this method.
    MethodNotAllowed = "method-not-allowed",
    /// The form took too long.
    TooSlow = "too-slow",
    /// The document is paid.
    Paid = "paid",
    /// Another payment of it is on its way.
    Pending = "pending",
    /// It was deleted.
    Deleted = "deleted",
    /// Nothing is due on it.
    NothingDue = "nothing-due",
    /// It is in a state that cannot be paid online.
    NotPayable = "not-payable",
    /// The form is too large.
    TooLarge = "too-large",
    /// The form is of a wrong type.
    WrongType = "wrong-type",
    /// Too many payments were begun.
    TooMany = "too-many",
    /// Something broke here.
    Broken = "broken",
    /// The processor refused.
    ProcessorRefused = "processor-refused",
    /// The processor does not answer.
    ProcessorDown = "processor-down",
    /// No processor is paired.
    NotPaired = "not-paired",
    /// Splynx does not answer.
    SplynxDown = "splynx-down",
    /// Our own database does not answer.
    StoreDown = "store-down",
}

impl NoticeKind {
    /// How it is coloured: good news, a hint, or trouble.
    #[must_use]
    pub fn tone(self) -> &'static str {
        match self {
            Self::Paid | Self::NothingDue => "success",
            Self::Login | Self::Pending | Self::NoNumber | Self::AdminOnCustomerPage => "info",
            Self::Broken | Self::ProcessorRefused | Self::ForeignForm => "danger",
            _ => "warning",
        }
    }
}

/// What the notice page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticePage {
    /// The word in the keys of the texts.
    pub key: &'static str,
    /// The colour: `success`, `info`, `warning` or `danger`.
    pub tone: &'static str,
    /// What to do next; the first is the one most people want.
    pub links: Vec<Link>,
}

impl NoticePage {
    /// The notice of a kind with its next steps.
    #[must_use]
    pub fn new(kind: NoticeKind, links: Vec<Link>) -> Self {
        Self { key: kind.key(), tone: kind.tone(), links }
    }
}

impl View for NoticePage {
    const TEMPLATE: &'static str = "customer/notice.html";

    fn samples() -> Vec<Self> {
        let links = vec![
            Link::here("/bitpay/pay-invoice?item_id=201801000001", "try-again"),
            Link::out("https://isp.example/portal/finance/invoices", "back-invoices"),
            Link::out("https://isp.example/portal/finance/requests", "back-proformas"),
            Link::out("https://isp.example/portal/finance/payments/list", "back-payments"),
            Link::out("https://isp.example/portal/", "back-portal"),
            Link::out("https://isp.example/portal/login/", "log-in"),
            Link::out("https://isp.example/admin/customers/list", "log-in-as-customer"),
            Link::here("/bitpay/config", "back-config"),
        ];
        let mut samples: Vec<Self> = NoticeKind::ALL
            .iter()
            .map(|kind| Self::new(*kind, links.iter().take(2).cloned().collect()))
            .collect();
        samples.push(Self::new(NoticeKind::NotFound, vec![]));
        samples.push(Self::new(NoticeKind::Login, links));
        samples
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::texts::languages;
    use super::*;

    #[test]
    fn every_kind_has_words_of_its_own_in_every_language() {
        for language in languages() {
            for part in ["title", "text"] {
                let words = NoticeKind::ALL.iter().map(|kind| {
                    let key = format!("notice-{}-{part}", kind.key());
                    language.text(&key).unwrap_or_else(|| panic!("{language} lacks {key}"))
                });
                let words: BTreeSet<String> = words.collect();
                assert_eq!(
                    words.len(),
                    NoticeKind::ALL.len(),
                    "{language}: two kinds share a {part}"
                );
            }
        }
    }
}
