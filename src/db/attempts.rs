//! The table `attempts`: rows, claims, steps.
//!
//! **Invariant:** what was agreed at the click is written once; every later write of a row compares its version first
//! or concerns only when it is looked at.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::cell::{self, Row, millis};
use super::connection::AnyConnection;
use super::failure::{Failure, is_unique_violation};
use super::journal::Before;
use super::schema::attempts;
use crate::domain::attempt::{Attempt, Opened, State, Terms};
use crate::domain::fee::Fee;
use crate::domain::ids::{
    AttemptId, ConnectionId, CustomerId, DocumentId, DocumentNumber, Hook, ProcessorInvoiceId,
    ResultToken,
};
use crate::domain::payable::{DocumentRef, Payable};
use crate::ports::store::{Claim, StoreError};

const TOP_UP: &str = "top_up";

/// How often a click that loses a race looks again for the winner.
const CLAIM_TRIES: u32 = 8;

/// All of a row that the domain knows.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = attempts)]
pub(super) struct AttemptRow {
    pub(super) id: String,
    hook: String,
    result_token: String,
    connection: String,
    processor: String,
    environment: String,
    pub(super) customer: i64,
    payable: String,
    document_id: Option<i64>,
    document_number: Option<String>,
    currency: String,
    due_minor: i64,
    price_minor: i64,
    document_total: String,
    fee_gross_minor: Option<i64>,
    fee_net: Option<String>,
    fee_vat_percent: Option<String>,
    fee_text: Option<String>,
    fee_category: Option<i64>,
    created_at: i64,
    #[diesel(embed)]
    progress: Progress,
}

/// The part of a row that changes in its life.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = attempts, treat_none_as_null = true)]
pub(super) struct Progress {
    state: String,
    invoice: Option<String>,
    checkout_url: Option<String>,
    expires_at: Option<i64>,
    opened_at: Option<i64>,
    open_key: Option<String>,
    settled_at: Option<i64>,
    recorded_at: Option<i64>,
    monitor_until: i64,
    last_seen: Option<String>,
    look_at: Option<i64>,
    work_at: Option<i64>,
    failures: i64,
    version: i64,
}

impl AttemptRow {
    /// The row of an attempt.
    pub(super) fn of(attempt: &Attempt) -> Result<Self, StoreError> {
        let terms = &attempt.terms;
        let fee = terms.fee.as_ref();
        let currency = terms.due.currency();
        let one_currency = terms.price.currency() == currency
            && fee.is_none_or(|fee| fee.gross.currency() == currency);
        if !one_currency {
            let words = format!("attempt {} mixes currencies", attempt.id);
            return Err(StoreError::Refused(words));
        }
        let document = attempt.payable.document();
        Ok(Self {
            id: attempt.id.to_string(),
            hook: attempt.hook.to_string(),
            result_token: attempt.result_token.to_string(),
            connection: attempt.connection.to_string(),
            processor: attempt.processor.code().to_owned(),
            environment: attempt.environment.code().to_owned(),
            customer: attempt.customer.get(),
            payable: document.map_or(TOP_UP, |it| cell::document_kind_code(it.kind)).to_owned(),
            document_id: document.map(|document| document.id.get()),
            document_number: document.map(|document| document.number.to_string()),
            currency: currency.code().to_owned(),
            due_minor: terms.due.minor(),
            price_minor: terms.price.minor(),
            document_total: terms.document_total.to_string(),
            fee_gross_minor: fee.map(|fee| fee.gross.minor()),
            fee_net: fee.map(|fee| fee.net.to_string()),
            fee_vat_percent: fee.map(|fee| fee.vat_percent.to_string()),
            fee_text: fee.map(|fee| fee.text.clone()),
            fee_category: fee.map(|fee| fee.category),
            created_at: millis(attempt.created_at),
            progress: Progress::of(attempt),
        })
    }

    /// The attempt of a row.
    pub(super) fn into_attempt(self) -> Result<Attempt, StoreError> {
        let row = Row { table: "attempts", key: &self.id };
        let progress = &self.progress;
        Ok(Attempt {
            id: row.read("id", AttemptId::parse(&self.id))?,
            hook: row.read("hook", Hook::parse(&self.hook))?,
            result_token: row.read("result_token", ResultToken::parse(&self.result_token))?,
            connection: row.read("connection", ConnectionId::parse(&self.connection))?,
            processor: row.read("processor", cell::processor(&self.processor))?,
            environment: row.read("environment", cell::environment(&self.environment))?,
            customer: CustomerId::new(self.customer),
            payable: self.payable(row)?,
            terms: self.terms(row)?,
            state: row.read("state", State::from_code(&progress.state))?,
            opened: progress.opened(row)?,
            open_key: progress.open_key.clone(),
            created_at: row.time("created_at", self.created_at)?,
            settled_at: row.optional_time("settled_at", progress.settled_at)?,
            recorded_at: row.optional_time("recorded_at", progress.recorded_at)?,
            monitor_until: row.time("monitor_until", progress.monitor_until)?,
            last_seen: progress.last_seen.clone(),
            look_at: row.optional_time("look_at", progress.look_at)?,
            work_at: row.optional_time("work_at", progress.work_at)?,
            failures: row.count("failures", progress.failures)?,
            version: progress.version,
        })
    }

    fn payable(&self, row: Row<'_>) -> Result<Payable, StoreError> {
        if self.payable == TOP_UP {
            return Ok(Payable::TopUp);
        }
        let number = row.read("document_number", self.document_number.as_deref())?;
        Ok(Payable::Document(DocumentRef {
            kind: row.read("payable", cell::document_kind(&self.payable))?,
            id: DocumentId::new(row.read("document_id", self.document_id)?),
            number: row.read("document_number", DocumentNumber::parse(number))?,
        }))
    }

    fn terms(&self, row: Row<'_>) -> Result<Terms, StoreError> {
        let money = |minor| row.money(minor, &self.currency);
        let fee = match self.fee_gross_minor {
            None => None,
            Some(gross) => Some(self.fee(row, gross)?),
        };
        Ok(Terms {
            due: money(self.due_minor)?,
            fee,
            price: money(self.price_minor)?,
            document_total: row.decimal("document_total", &self.document_total)?,
        })
    }

    fn fee(&self, row: Row<'_>, gross: i64) -> Result<Fee, StoreError> {
        let net = row.read("fee_net", self.fee_net.as_deref())?;
        let vat_percent = row.read("fee_vat_percent", self.fee_vat_percent.as_deref())?;
        Ok(Fee {
            gross: row.money(gross, &self.currency)?,
            net: row.decimal("fee_net", net)?,
            vat_percent: row.decimal("fee_vat_percent", vat_percent)?,
            text: row.read("fee_text", self.fee_text.clone())?,
            category: row.read("fee_category", self.fee_category)?,
        })
    }
}

impl Progress {
    fn of(attempt: &Attempt) -> Self {
        let opened = attempt.opened.as_ref();
        Self {
            state: attempt.state.code().to_owned(),
            invoice: opened.map(|opened| opened.invoice.to_string()),
            checkout_url: opened.map(|opened| opened.checkout_url.clone()),
            expires_at: opened.map(|opened| millis(opened.expires_at)),
            opened_at: opened.map(|opened| millis(opened.opened_at)),
            open_key: attempt.open_key.clone(),
            settled_at: attempt.settled_at.map(millis),
            recorded_at: attempt.recorded_at.map(millis),
            monitor_until: millis(attempt.monitor_until),
            last_seen: attempt.last_seen.clone(),
            look_at: attempt.look_at.map(millis),
            work_at: attempt.work_at.map(millis),
            failures: i64::from(attempt.failures),
            version: attempt.version,
        }
    }

    fn opened(&self, row: Row<'_>) -> Result<Option<Opened>, StoreError> {
        let Some(invoice) = self.invoice.as_deref() else {
            return Ok(None);
        };
        let expires_at = row.read("expires_at", self.expires_at)?;
        let opened_at = row.read("opened_at", self.opened_at)?;
        Ok(Some(Opened {
            invoice: row.read("invoice", ProcessorInvoiceId::parse(invoice))?,
            checkout_url: row.read("checkout_url", self.checkout_url.clone())?,
            expires_at: row.time("expires_at", expires_at)?,
            opened_at: row.time("opened_at", opened_at)?,
        }))
    }
}

/// Adds `attempt`, or finds the one that holds its open key and is still of use.
pub(super) fn claim(
    conn: &mut AnyConnection,
    attempt: &Attempt,
    usable_until: DateTime<Utc>,
) -> Result<Claim, Failure> {
    let row = AttemptRow::of(attempt)?;
    for _ in 0..CLAIM_TRIES {
        if let Some(holder) = holder_of_key(conn, attempt.open_key.as_deref())? {
            if holder.takes_a_click(usable_until) {
                return Ok(Claim::Existing(holder));
            }
            take_key_from(conn, &holder)?;
        }
        // In a savepoint of its own: in PostgreSQL a violation makes the transaction around it useless.
        let insert = diesel::insert_into(attempts::table).values(row.clone());
        match conn.transaction(|conn| insert.execute(conn)) {
            Ok(_) => return Ok(Claim::Created(row.into_attempt()?)),
            Err(error) if is_unique_violation(&error) && attempt.open_key.is_some() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let words = format!("attempt {} could not be told from others", attempt.id);
    Err(StoreError::Refused(words).into())
}

fn holder_of_key(
    conn: &mut AnyConnection,
    open_key: Option<&str>,
) -> Result<Option<Attempt>, Failure> {
    let Some(open_key) = open_key else {
        return Ok(None);
    };
    let holder = attempts::table
        .filter(attempts::open_key.eq(open_key.to_owned()))
        .select(AttemptRow::as_select())
        .first(conn)
        .optional()?;
    Ok(holder.map(AttemptRow::into_attempt).transpose()?)
}

/// Lets another attempt have the key. The version is bumped, because whoever holds the row in memory would otherwise
/// write the key back.
fn take_key_from(conn: &mut AnyConnection, holder: &Attempt) -> Result<(), Failure> {
    let unchanged = attempts::table
        .filter(attempts::id.eq(holder.id.to_string()))
        .filter(attempts::version.eq(holder.version));
    diesel::update(unchanged)
        .set((attempts::open_key.eq(None::<String>), attempts::version.eq(attempts::version + 1)))
        .execute(conn)?;
    Ok(())
}

/// What the journal needs to know of a row before its step, if its version is still the one read.
pub(super) fn before(
    conn: &mut AnyConnection,
    attempt: &Attempt,
) -> Result<Option<Before>, Failure> {
    let found = attempts::table
        .filter(attempts::id.eq(attempt.id.to_string()))
        .filter(attempts::version.eq(attempt.version))
        .select((attempts::state, attempts::last_seen, attempts::invoice));
    let found: Option<(String, Option<String>, Option<String>)> = found.first(conn).optional()?;
    Ok(found.map(|(state, last_seen, invoice)| Before {
        state,
        last_seen,
        invoice,
        credits: vec![],
        postings: vec![],
    }))
}

/// Writes the row as it shall be, if its version is still the one read. The new version is one higher.
pub(super) fn advance(conn: &mut AnyConnection, attempt: &Attempt) -> Result<bool, Failure> {
    let unchanged = attempts::table
        .filter(attempts::id.eq(attempt.id.to_string()))
        .filter(attempts::version.eq(attempt.version));
    let progress = Progress { version: attempt.version.saturating_add(1), ..Progress::of(attempt) };
    Ok(diesel::update(unchanged).set(progress).execute(conn)? == 1)
}

/// Ends the lease on a row.
pub(super) fn release(conn: &mut AnyConnection, id: &str) -> Result<(), Failure> {
    diesel::update(attempts::table.find(id.to_owned()))
        .set((attempts::lease_owner.eq(None::<String>), attempts::lease_until.eq(None::<i64>)))
        .execute(conn)?;
    Ok(())
}

/// The attempt with this name.
pub(super) fn find(conn: &mut AnyConnection, id: &str) -> Result<Option<Attempt>, Failure> {
    let found = attempts::table.find(id.to_owned()).select(AttemptRow::as_select());
    let found = found.first(conn).optional()?;
    Ok(found.map(AttemptRow::into_attempt).transpose()?)
}

/// The attempt with this token.
pub(super) fn find_by_token(
    conn: &mut AnyConnection,
    token: &str,
) -> Result<Option<Attempt>, Failure> {
    let found = attempts::table
        .filter(attempts::result_token.eq(token.to_owned()))
        .select(AttemptRow::as_select())
        .first(conn)
        .optional()?;
    Ok(found.map(AttemptRow::into_attempt).transpose()?)
}
