//! What the add-on's API key must be allowed (facts/splynx 3.2, and what this adapter uses beyond it).
//!
//! **Invariant:** this is the one table: the installer grants it, `doctor` tries all of it that reading shows, and the
//! PHP installer's list is held against it by a test.

/// What is allowed of one controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The controller, as the API key's page lists it.
    pub controller: &'static str,
    /// The actions.
    pub actions: &'static [&'static str],
    /// Whether payments cannot go on without it.
    pub vital: bool,
    /// Its collection in the API; `None` where reading a list shows nothing.
    pub(super) path: Option<&'static str>,
}

/// All of it, the vital ones first.
pub const GRANTS: [Grant; 13] = [
    vital(r"api\admin\finance\Payments", "admin/finance/payments", &["index", "view", "add"]),
    vital(r"api\admin\finance\Invoices", "admin/finance/invoices", &["index", "view", "update"]),
    other(
        r"api\admin\finance\Requests",
        "admin/finance/proforma-invoices",
        &["index", "view", "update"],
    ),
    other(
        r"api\admin\finance\Transactions",
        "admin/finance/transactions",
        &["index", "view", "add"],
    ),
    other(
        r"api\admin\finance\BankStatements",
        "admin/finance/bank-statements",
        &["index", "view", "add"],
    ),
    other(
        r"api\admin\finance\BankStatementsRecords",
        "admin/finance/bank-statements-records",
        &["index", "view", "add", "update"],
    ),
    other(
        r"api\admin\finance\PaymentMethods",
        "admin/finance/payment-methods",
        &["index", "view", "add"],
    ),
    other(
        r"api\admin\finance\TransactionCategories",
        "admin/finance/transaction-categories",
        &["index"],
    ),
    other(r"api\admin\customers\Customer", "admin/customers/customer", &["index", "view"]),
    other(
        r"api\admin\administration\Partners",
        "admin/administration/partners",
        &["index", "view"],
    ),
    other(r"api\admin\config\EntryPoints", "admin/config/entry-points", &["index"]),
    // Read by its settings, not as a collection.
    unlisted(r"api\admin\config\Config", &["index", "view", "update"]),
    // Needed only to tell a person by mail, and looked at with the alerts.
    unlisted(r"api\admin\config\Mail", &["index", "add"]),
];

const fn vital(
    controller: &'static str,
    path: &'static str,
    actions: &'static [&'static str],
) -> Grant {
    Grant { controller, actions, vital: true, path: Some(path) }
}

const fn other(
    controller: &'static str,
    path: &'static str,
    actions: &'static [&'static str],
) -> Grant {
    Grant { controller, actions, vital: false, path: Some(path) }
}

const fn unlisted(controller: &'static str, actions: &'static [&'static str]) -> Grant {
    Grant { controller, actions, vital: false, path: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_and_invoices_are_vital_and_nothing_else_is() {
        let vital = GRANTS.iter().filter(|grant| grant.vital).map(|grant| grant.controller);
        assert_eq!(
            vital.collect::<Vec<_>>(),
            [r"api\admin\finance\Payments", r"api\admin\finance\Invoices"]
        );
    }

    #[test]
    fn nothing_that_deletes_is_asked_for() {
        let actions = GRANTS.iter().flat_map(|grant| grant.actions);
        assert!(actions.into_iter().all(|it| ["index", "view", "add", "update"].contains(it)));
    }
}
