//! Who did something: the worker, a customer, an admin, somebody at a terminal.
//!
//! **Invariant:** the words of an actor are what the journal and a closed review keep, and tell two actors apart.

use std::fmt;

use super::ids::CustomerId;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The add-on by itself.
    Worker,
    /// A customer, on a page of theirs.
    Customer(CustomerId),
    /// An admin on the admin's pages, by their id in Splynx.
    Admin(i64),
    /// Somebody at a terminal, by the name of their account on this machine.
    Terminal(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker => f.write_str("splynx-bitpay"),
            Self::Customer(id) => write!(f, "customer {id}"),
            Self::Admin(id) => write!(f, "admin {id}"),
            Self::Terminal(user) => write!(f, "{user} on the command line"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Actor::Worker, "splynx-bitpay")]
    #[case(Actor::Customer(CustomerId::new(1)), "customer 1")]
    #[case(Actor::Admin(1), "admin 1")]
    #[case(Actor::Terminal("root".to_owned()), "root on the command line")]
    fn everybody_has_words_of_their_own(#[case] actor: Actor, #[case] words: &str) {
        assert_eq!(actor.to_string(), words);
    }
}
