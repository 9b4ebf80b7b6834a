//! `[payments]`: what customers pay, and how it is booked in Splynx.

use super::finding::Findings;
use super::key::section;
use super::parse;
use crate::domain::fee::FeeRule;
use crate::domain::money::{Currency, Money};
use crate::domain::rules::StatementGroup;

section! {
    /// What customers pay, and how it is booked in Splynx.
    /// The module's settings inside Splynx come before this file, but for minimum and maximum.
    struct PaymentsKeys in payments {
        /// The currency of the documents in Splynx: an ISO 4217 code.
        currency: Text = "USD";
        /// The payment method that payments are booked under, by its number in Splynx.
        payment_method_id: Number = 5;
        /// The smallest refill. Does not bind invoices.
        minimum: Amount = "1.00";
        /// The largest refill. Does not bind invoices.
        maximum: Amount = "10000.00";
        /// The service fee on top of what is due, in per cent.
        service_fee_percent: Amount = "0";
        /// The VAT contained in the fee, in per cent.
        fee_vat_percent: Amount = "0";
        /// How the fee is called on documents. At most 100 characters.
        fee_text: Text = "Bitpay fee";
        /// The transaction category of a fee on a proforma invoice or a refill, by its number in Splynx.
        transaction_fee_category: Number = 5;
        /// One payment statement per `month` or per `day`.
        bank_statements_group: Text = "month";
    }
}

/// What customers pay, and how it is booked.
#[derive(Debug, Clone)]
pub(super) struct Payments {
    pub(super) currency: Currency,
    pub(super) payment_method_id: i64,
    pub(super) minimum: Money,
    pub(super) maximum: Money,
    pub(super) fee: FeeRule,
    pub(super) statements: StatementGroup,
}

impl PaymentsKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(self, findings: &mut Findings) -> Option<Payments> {
        let currency = findings.check("payments.currency", parse::currency(&self.currency));
        let bounds = self.bounds(currency, findings);
        let fee = self.fee(findings);
        let payment_method_id =
            findings.check("payments.payment_method_id", parse::row(self.payment_method_id));
        let statements = findings.check(
            "payments.bank_statements_group",
            parse::statement_group(&self.bank_statements_group),
        );
        let (minimum, maximum) = bounds?;
        Some(Payments {
            currency: currency?,
            payment_method_id: payment_method_id?,
            minimum,
            maximum,
            fee: fee?,
            statements: statements?,
        })
    }

    fn bounds(
        &self,
        currency: Option<Currency>,
        findings: &mut Findings,
    ) -> Option<(Money, Money)> {
        let currency = currency?;
        let minimum = findings.check("payments.minimum", parse::amount(&self.minimum, currency));
        let maximum = findings.check("payments.maximum", parse::amount(&self.maximum, currency));
        let (minimum, maximum) = (minimum?, maximum?);
        if minimum.minor() > maximum.minor() {
            // The one that somebody wrote is the one with a line.
            if findings.is_written("payments.minimum") {
                let sentence = format!("{minimum} is more than payments.maximum, {maximum}");
                findings.problem("payments.minimum", sentence);
            } else {
                let sentence = format!("{maximum} is less than payments.minimum, {minimum}");
                findings.problem("payments.maximum", sentence);
            }
            return None;
        }
        Some((minimum, maximum))
    }

    fn fee(&self, findings: &mut Findings) -> Option<FeeRule> {
        let percent = findings
            .check("payments.service_fee_percent", parse::percent(&self.service_fee_percent));
        let vat_percent =
            findings.check("payments.fee_vat_percent", parse::percent(&self.fee_vat_percent));
        let text = findings.check("payments.fee_text", parse::fee_text(&self.fee_text));
        let category = findings
            .check("payments.transaction_fee_category", parse::row(self.transaction_fee_category));
        Some(FeeRule {
            percent: percent?,
            vat_percent: vat_percent?,
            text: text?,
            category: category?,
        })
    }
}
