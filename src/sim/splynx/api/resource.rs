//! The resources: their paths, their permission controllers, and the actions each of them knows.
//!
//! **Invariant:** a customer sees their own rows and writes nothing; the key does what its permissions list, no more.

use actix_web::http::Method;

use super::failure::Failure;
use super::search::Search;
use super::{
    Reply, Request, auth, config, documents, lists, payments, statements, transactions, wire,
};
use crate::sim::faults::Tweaks;
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::rows::Kind;
use crate::sim::splynx::table::{Column, Row, Table};
use crate::sim::splynx::world::World;

/// What is done to a resource, in the words of Splynx's permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Index,
    View,
    Add,
    Update,
    Delete,
}

impl Action {
    fn of(method: &Method, id: Option<&str>) -> Option<Self> {
        Some(match (method, id) {
            (&Method::GET | &Method::HEAD | &Method::OPTIONS, None) => Self::Index,
            (&Method::GET, Some(_)) => Self::View,
            (&Method::POST, None) => Self::Add,
            (&Method::PUT, Some(_)) => Self::Update,
            (&Method::DELETE, Some(_)) => Self::Delete,
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::View => "view",
            Self::Add => "add",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Documents(Kind),
    Payments,
    Transactions,
    Relations,
    Methods,
    Categories,
    Statements,
    Records,
    Customers,
    Billing,
    Partners,
    Config,
    CompanyInfo,
    EntryPoints,
    Mail,
}

/// Path, resource, permission controller, and whether customers may read their own rows of it.
const RESOURCES: &[(&str, Resource, &str, bool)] = &[
    ("admin/finance/invoices", Resource::Documents(Kind::Invoice), "finance\\Invoices", true),
    (
        "admin/finance/proforma-invoices",
        Resource::Documents(Kind::Proforma),
        "finance\\Requests",
        true,
    ),
    ("admin/finance/requests", Resource::Documents(Kind::Proforma), "finance\\Requests", true),
    ("admin/finance/payments", Resource::Payments, "finance\\Payments", true),
    ("admin/finance/transactions", Resource::Transactions, "finance\\Transactions", true),
    ("admin/finance/invoice-relations", Resource::Relations, "finance\\InvoiceRelations", false),
    ("admin/finance/payment-methods", Resource::Methods, "finance\\PaymentMethods", false),
    (
        "admin/finance/transaction-categories",
        Resource::Categories,
        "finance\\TransactionCategories",
        false,
    ),
    ("admin/finance/bank-statements", Resource::Statements, "finance\\BankStatements", false),
    (
        "admin/finance/bank-statements-records",
        Resource::Records,
        "finance\\BankStatementsRecords",
        false,
    ),
    ("admin/customers/customer", Resource::Customers, "customers\\Customer", true),
    ("admin/customers/customer-billing", Resource::Billing, "customers\\CustomerBilling", true),
    ("admin/administration/partners", Resource::Partners, "administration\\Partners", false),
    ("admin/config/config", Resource::Config, "config\\Config", true),
    ("admin/config/company-info", Resource::CompanyInfo, "config\\CompanyInfo", false),
    ("admin/config/entry-points", Resource::EntryPoints, "config\\EntryPoints", false),
    ("admin/config/mail", Resource::Mail, "config\\Mail", false),
];

/// An authenticated request for one resource.
pub(super) struct Job<'a> {
    pub(super) request: &'a Request,
    pub(super) principal: Principal,
    pub(super) action: Action,
    pub(super) id: Option<u64>,
    pub(super) ignore_filter: bool,
}

/// Authenticates, permits and serves.
pub(super) fn serve(
    world: &mut World,
    request: &Request,
    segments: &[&str],
    tweaks: Tweaks,
) -> Result<Reply, Failure> {
    let principal = auth::principal(world, request)?;
    let (path, id) = split(segments);
    let found = RESOURCES.iter().find(|(known, ..)| *known == path);
    let (_, resource, controller, own) = found.ok_or_else(Failure::not_found)?;
    let action = if *resource == Resource::Config && request.method == Method::PUT {
        Action::Update
    } else {
        Action::of(&request.method, id).ok_or_else(Failure::disabled)?
    };
    permit(world, principal, controller, action, *own)?;
    let id = id.map(|id| id.parse().map_err(|_| Failure::not_found())).transpose()?;
    let ignore_filter = tweaks.ignore_filter || world.behaviour.ignore_filter;
    dispatch(world, *resource, &Job { request, principal, action, id, ignore_filter })
}

/// The collection's path, and the id if there is a fourth segment.
fn split<'a>(segments: &[&'a str]) -> (String, Option<&'a str>) {
    let collection: Vec<&str> = segments.iter().copied().take(3).collect();
    let id = segments.get(3).copied().filter(|_| segments.len() == 4);
    let path = if segments.len() > 4 { segments.join("/") } else { collection.join("/") };
    (path, id)
}

fn permit(
    world: &World,
    principal: Principal,
    controller: &str,
    action: Action,
    own: bool,
) -> Result<(), Failure> {
    let allowed = match principal {
        Principal::Admin(_) => true,
        Principal::Customer(_) => own && matches!(action, Action::Index | Action::View),
        Principal::ApiKey => {
            let rule = (format!("api\\admin\\{controller}"), action.as_str().to_owned());
            world.access.permissions.contains(&rule)
        }
    };
    if allowed { Ok(()) } else { Err(Failure::forbidden()) }
}

fn dispatch(world: &mut World, resource: Resource, job: &Job<'_>) -> Result<Reply, Failure> {
    match resource {
        Resource::Documents(kind) => documents::serve(world, kind, job),
        Resource::Payments => payments::serve(world, job),
        Resource::Transactions => transactions::serve(world, job),
        Resource::Statements => statements::serve(world, job),
        Resource::Records => statements::serve_records(world, job),
        Resource::Relations => lists::relations(world, job),
        Resource::Methods => lists::methods(world, job),
        Resource::Categories => lists::categories(world, job),
        Resource::Customers => lists::customers(world, job),
        Resource::Billing => lists::billing(world, job),
        Resource::Partners => lists::partners(world, job),
        Resource::Mail => lists::mail(world, job),
        Resource::Config => config::settings(world, job),
        Resource::CompanyInfo => config::company_info(world, job),
        Resource::EntryPoints => config::entry_points(world, job),
    }
}

impl Job<'_> {
    fn may_see<T: Row>(&self, row: &T) -> bool {
        match self.principal {
            Principal::Customer(id) => row.owner() == Some(id),
            Principal::Admin(_) | Principal::ApiKey => true,
        }
    }

    /// The id of a path that must have one.
    pub(super) fn id(&self) -> Result<u64, Failure> {
        self.id.ok_or_else(Failure::not_found)
    }

    /// Reads: the search, its count, its description, or one row. Writes are disabled here.
    pub(super) fn read<T: Row>(
        &self,
        world: &World,
        table: &Table<T>,
        columns: &[Column],
    ) -> Result<Reply, Failure> {
        match self.action {
            Action::View => self.view(world, table, columns),
            Action::Index if self.request.method == Method::OPTIONS => {
                Ok(Reply::ok(wire::describe(columns)))
            }
            Action::Index => self.search(world, table, columns),
            Action::Add | Action::Update | Action::Delete => Err(Failure::disabled()),
        }
    }

    fn view<T: Row>(
        &self,
        world: &World,
        table: &Table<T>,
        columns: &[Column],
    ) -> Result<Reply, Failure> {
        let row = table.get(self.id()?).ok_or_else(Failure::not_found)?;
        if !self.may_see(row) {
            return Err(Failure::not_yours());
        }
        Ok(Reply::ok(wire::row(row, columns, world.behaviour.typing)))
    }

    fn search<T: Row>(
        &self,
        world: &World,
        table: &Table<T>,
        columns: &[Column],
    ) -> Result<Reply, Failure> {
        let search = Search::parse(&self.request.query, columns)?;
        let search = if self.ignore_filter { Search::everything() } else { search };
        let rows = search.matching(table, |row| self.may_see(row));
        if self.request.method == Method::HEAD {
            return Ok(Reply::counted(rows.len()));
        }
        let typing = world.behaviour.typing;
        let page = search.page(rows);
        Ok(Reply::ok(page.into_iter().map(|row| wire::row(row, columns, typing)).collect()))
    }
}
