//! What `splynx-bitpay attempts` tells: the database-independent door to what the add-on believes.
//!
//! **Invariant:** nothing here reads a database.

use super::world::World;

/// One line of `attempts list`, and what `attempts show` adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) customer: u64,
    pub(crate) price: String,
    /// The document's number, or `refill`.
    pub(crate) what: String,
    /// The processor's id, or `-`.
    pub(crate) invoice: String,
}

impl Attempt {
    fn read(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [id, _, _, state, "customer", customer, amount, currency, what, invoice] =
            words.as_slice()
        else {
            panic!("this is no line of `attempts list`: {line}");
        };
        Self {
            id: (*id).to_owned(),
            state: (*state).to_owned(),
            customer: customer.parse().unwrap(),
            price: format!("{amount} {currency}"),
            what: (*what).to_owned(),
            invoice: (*invoice).to_owned(),
        }
    }
}

/// The attempts of a list; an empty one says so in a sentence.
fn lines(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| !line.starts_with("No payment"))
}

impl World {
    /// Runs a command that must succeed, and returns what it printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let output = self.addon.run(arguments);
        let out = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {out}{error}");
        out
    }

    /// All attempts, newest first.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let list = self.command(&["attempts", "list", "--limit", "5000"]);
        lines(&list).map(Attempt::read).collect()
    }

    /// The attempt of this processor invoice.
    pub(crate) fn attempt_of(&self, invoice: &str) -> Attempt {
        let found = self.attempts().into_iter().find(|attempt| attempt.invoice == invoice);
        found.unwrap_or_else(|| panic!("no attempt has the invoice {invoice}"))
    }

    /// Everything an admin is shown of this processor invoice's attempt.
    pub(crate) fn story_of(&self, invoice: &str) -> String {
        self.command(&["attempts", "show", &self.attempt_of(invoice).id])
    }

    /// Attempts a person must look at.
    pub(crate) fn under_review(&self) -> Vec<Attempt> {
        let list = self.command(&["attempts", "list", "--review", "--limit", "5000"]);
        lines(&list).map(Attempt::read).collect()
    }

    /// Panics with the whole story of each attempt that a person must look at.
    pub(crate) fn nobody_is_called(&self) {
        let under_review = self.under_review();
        let stories: Vec<_> =
            under_review.iter().map(|one| self.command(&["attempts", "show", &one.id])).collect();
        assert!(stories.is_empty(), "{}", stories.join("\n"));
    }

    /// What the three books say when they are compared now.
    pub(crate) fn books_agree(&self) {
        let report = self.command(&["reconcile"]);
        assert!(report.contains("All three agree."), "{report}");
    }
}
