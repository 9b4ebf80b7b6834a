//! A page that says why something cannot be done, and what to do next.
//!
//! **Invariant:** every kind has a title and a text of its own in every language; none shows anything internal.

use serde::Serialize;

use super::{Link, View};

/// Why there is no other page. The word is the key of its texts: `notice-<word>-title` and `notice-<word>-text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// The request cannot be read.
    BadRequest,
    /// No document number was given.
    NoNumber,
    /// Not logged in.
    Login,
    /// An admin on a customer's page.
    AdminOnCustomerPage,
    /// A customer on the admin's page.
    CustomerOnAdminPage,
    /// The form was not sent by our own pages.
    ForeignForm,
    /// The admin's form is too old.
    StaleForm,
    /// No such page.
    NotFound,
    /// No such document of this customer.
    UnknownDocument,
    /// No such payment.
    UnknownPayment,
    /// The address does not take this method.
    MethodNotAllowed,
    /// The form took too long.
    TooSlow,
    /// The document is paid.
    Paid,
    /// Another payment of it is on its way.
    Pending,
    /// It was deleted.
    Deleted,
    /// Nothing is due on it.
    NothingDue,
    /// It is in a state that cannot be paid online.
    NotPayable,
    /// The form is too large.
    TooLarge,
    /// The form is of a wrong type.
    WrongType,
    /// Too many payments were begun.
    TooMany,
    /// Something broke here.
    Broken,
    /// The processor refused.
    ProcessorRefused,
    /// The processor does not answer.
    ProcessorDown,
    /// No processor is paired.
    NotPaired,
    /// Splynx does not answer.
    SplynxDown,
    /// Our own database does not answer.
    StoreDown,
}

impl NoticeKind {
    /// Every kind there is.
    pub const ALL: [Self; 26] = [
        Self::BadRequest,
        Self::NoNumber,
        Self::Login,
        Self::AdminOnCustomerPage,
        Self::CustomerOnAdminPage,
        Self::ForeignForm,
        Self::StaleForm,
        Self::NotFound,
        Self::UnknownDocument,
        Self::UnknownPayment,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::Paid,
        Self::Pending,
        Self::Deleted,
        Self::NothingDue,
        Self::NotPayable,
        Self::TooLarge,
        Self::WrongType,
        Self::TooMany,
        Self::Broken,
        Self::ProcessorRefused,
        Self::ProcessorDown,
        Self::NotPaired,
        Self::SplynxDown,
        Self::StoreDown,
    ];

    /// The word in the keys of the texts.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::NoNumber => "no-number",
            Self::Login => "login",
            Self::AdminOnCustomerPage => "admin-on-customer-page",
            Self::CustomerOnAdminPage => "customer-on-admin-page",
            Self::ForeignForm => "foreign-form",
            Self::StaleForm => "stale-form",
            Self::NotFound => "not-found",
            Self::UnknownDocument => "unknown-document",
            Self::UnknownPayment => "unknown-payment",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::TooSlow => "too-slow",
            Self::Paid => "paid",
            Self::Pending => "pending",
            Self::Deleted => "deleted",
            Self::NothingDue => "nothing-due",
            Self::NotPayable => "not-payable",
            Self::TooLarge => "too-large",
            Self::WrongType => "wrong-type",
            Self::TooMany => "too-many",
            Self::Broken => "broken",
            Self::ProcessorRefused => "processor-refused",
            Self::ProcessorDown => "processor-down",
            Self::NotPaired => "not-paired",
            Self::SplynxDown => "splynx-down",
            Self::StoreDown => "store-down",
        }
    }

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
        ];
        let mut samples: Vec<Self> = NoticeKind::ALL
            .into_iter()
            .map(|kind| Self::new(kind, links.iter().take(2).cloned().collect()))
            .collect();
        samples.push(Self::new(NoticeKind::NotFound, vec![]));
        samples.push(Self::new(NoticeKind::Login, links));
        samples
    }
}
