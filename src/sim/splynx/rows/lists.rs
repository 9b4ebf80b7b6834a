//! The short lists: admins, partners, payment methods, transaction categories, queued e-mails.

use serde::Serialize;

use crate::sim::splynx::table::{Cell, Column, Row, column, required};

/// The columns of `admin/administration/partners`.
pub const PARTNER_COLUMNS: &[Column] = &[column("id", "integer"), required("name", "string")];

/// The columns of `admin/finance/payment-methods`.
pub const METHOD_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("name", "string"),
    required("is_active", "boolean"),
    column("name_1", "string"),
    column("name_2", "string"),
    column("name_3", "string"),
    column("name_4", "string"),
    column("name_5", "string"),
];

/// The columns of `admin/finance/transaction-categories`.
pub const CATEGORY_COLUMNS: &[Column] =
    &[column("id", "integer"), required("name", "string"), column("is_base", "boolean")];

/// The columns of `admin/config/mail`.
pub const MAIL_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("type", "string"),
    required("subject", "string"),
    required("recipient", "string"),
    required("message", "string"),
    column("customer_id", "integer"),
    column("status", "string"),
];

/// Somebody who may use `/admin`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Admin {
    /// The id; admins and customers are counted separately.
    pub id: u64,
    /// The login.
    pub login: String,
    /// The password.
    #[serde(skip)]
    pub password: String,
    /// The name.
    pub name: String,
}

/// A partner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Partner {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
}

/// A payment method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Method {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// Whether payments may use it.
    pub is_active: bool,
    /// The labels of `field_1` to `field_5`.
    pub names: [String; 5],
}

/// A transaction category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Category {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
}

/// A queued e-mail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mail {
    /// The id.
    pub id: u64,
    /// `message`, `test`, `monitoring`, `add-on` or `ticket`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The subject.
    pub subject: String,
    /// To whom.
    pub recipient: String,
    /// The text.
    pub message: String,
    /// The customer it is about.
    pub customer_id: Option<u64>,
}

impl Row for Admin {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        None
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        (column == "id").then_some(Cell::Id(self.id))
    }
}

impl Row for Partner {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        None
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "name" => Cell::text(&self.name),
            _ => return None,
        })
    }
}

impl Row for Method {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        None
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "name" => Cell::text(&self.name),
            "is_active" => Cell::Flag(self.is_active),
            other => {
                let number: usize = other.strip_prefix("name_")?.parse().ok()?;
                Cell::text(self.names.get(number.checked_sub(1)?)?)
            }
        })
    }
}

impl Row for Category {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        None
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "name" => Cell::text(&self.name),
            "is_base" => Cell::Flag(true),
            _ => return None,
        })
    }
}

impl Row for Mail {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        self.customer_id
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "type" => Cell::text(&self.kind),
            "subject" => Cell::text(&self.subject),
            "recipient" => Cell::text(&self.recipient),
            "message" => Cell::text(&self.message),
            "customer_id" => Cell::NullableLink(self.customer_id),
            "status" => Cell::text("new"),
            _ => return None,
        })
    }
}
