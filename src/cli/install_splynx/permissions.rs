//! What the API key may do: the table of [`GRANTS`], one call per action.
//!
//! **Invariant:** each is set anew every time, so that a repetition mends what somebody took away; which one was refused
//! is named, and it is a failure only where payments cannot go on without it.

use super::addon::Addon;
use super::host::{Failure, Host};
use super::outcome::Outcome;
use crate::splynx::GRANTS;

/// What was refused.
#[derive(Debug, Default)]
struct Refused {
    lines: Vec<String>,
    is_vital: bool,
    why: String,
}

/// Allows everything; `is_used` says that the configuration had this key before.
pub(super) fn run(host: &mut Host, addon: &Addon, id: &str, is_used: bool) -> Outcome {
    let mut refused = Refused::default();
    for grant in &GRANTS {
        for action in grant.actions {
            match allow(host, addon, id, grant.controller, action) {
                Ok(_) => {}
                // The others would only take as long again.
                Err(failure @ (Failure::TimedOut(_) | Failure::Missing(_))) => {
                    return Outcome::failed(&failure).remedy([by_hand(id)]);
                }
                Err(failure) => {
                    refused.lines.push(format!("allow {} [{action}]", grant.controller));
                    refused.is_vital |= grant.vital;
                    refused.why = failure.to_string();
                }
            }
        }
    }
    judged(refused, id, is_used)
}

fn allow(
    host: &mut Host,
    addon: &Addon,
    id: &str,
    controller: &str,
    action: &str,
) -> Result<String, Failure> {
    let options = [("id", id), ("controller", controller), ("action", action), ("rule", "allow")];
    addon.call(host, "set-api-key-permission", &options)
}

fn judged(refused: Refused, id: &str, is_used: bool) -> Outcome {
    let actions: usize = GRANTS.iter().map(|grant| grant.actions.len()).sum();
    let all = format!("{actions} actions of {} controllers", GRANTS.len());
    if refused.lines.is_empty() {
        return if is_used {
            Outcome::was_there(format!("{all}, each set again"))
        } else {
            Outcome::done(all)
        };
    }
    let found = format!("{} of {all} were refused: {}", refused.lines.len(), refused.why);
    let outcome =
        if refused.is_vital { Outcome::failed(&found) } else { Outcome::not_possible(found) };
    outcome.remedy([by_hand(id)]).remedy(refused.lines)
}

fn by_hand(id: &str) -> String {
    format!("in Splynx, Administration > API keys, key {id}, Permissions:")
}
