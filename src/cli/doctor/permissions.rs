//! What the API key may do, so far as reading shows.

use super::{Checks, remedy};
use crate::cli::wiring::World;
use crate::ports::PeerError;
use crate::splynx::Permission;

/// The name in the list.
const NAME: &str = "Splynx permissions";

/// Tries every permission that reading shows, and names each that is missing.
pub(super) async fn check(world: &World, checks: &mut Checks) {
    judge(&world.splynx.probe_permissions().await, checks);
}

fn judge(permissions: &[Permission], checks: &mut Checks) {
    let mut all = true;
    for Permission { controller, action, vital, verdict } in permissions {
        let Err(error) = verdict else { continue };
        all = false;
        let what = format!("{controller} [{action}]");
        let (found, remedy) = match error {
            PeerError::Refused { sentence, .. } => (
                format!("{what} is not allowed: {sentence}"),
                format!("Administration > API keys > Permissions: allow {what}"),
            ),
            error => {
                (format!("{what} could not be tried: {error}"), remedy::splynx(error).to_owned())
            }
        };
        if *vital {
            checks.bad(NAME, found, &remedy);
        } else {
            checks.warn(NAME, found, &remedy);
        }
    }
    if all {
        checks.good(
            NAME,
            "everything that is read may be read; what only writing shows (add, update) appears at the \
             first payment, as a review",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn permission(vital: bool, verdict: Result<(), PeerError>) -> Permission {
        let controller = r"api\admin\finance\Payments";
        Permission { controller, action: "index", vital, verdict }
    }

    fn refused() -> Result<(), PeerError> {
        Err(PeerError::Refused { peer: "Splynx", sentence: "Forbidden".to_owned() })
    }

    #[test]
    fn a_missing_permission_is_named_and_only_a_vital_one_is_bad() {
        for (vital, verdict) in [(true, Verdict::Bad), (false, Verdict::Warning)] {
            let mut checks = Checks::default();
            judge(&[permission(true, Ok(())), permission(vital, refused())], &mut checks);
            let [check] = checks.0.as_slice() else { panic!("{checks:?}") };
            assert_eq!(check.verdict, verdict);
            assert!(check.found.contains(r"api\admin\finance\Payments [index]"), "{check:?}");
            assert!(
                check.remedy.contains(r"allow api\admin\finance\Payments [index]"),
                "{check:?}"
            );
        }
    }

    #[test]
    fn what_could_not_be_tried_is_not_called_missing() {
        let why = "HTTP 503".to_owned();
        let mut checks = Checks::default();
        judge(
            &[permission(true, Err(PeerError::Unavailable { peer: "Splynx", why }))],
            &mut checks,
        );
        let [check] = checks.0.as_slice() else { panic!("{checks:?}") };
        assert!(check.found.contains("could not be tried"), "{check:?}");
        assert!(!check.remedy.contains("allow"), "{check:?}");
    }

    #[test]
    fn when_nothing_is_missing_the_sentence_promises_no_more_than_was_tried() {
        let mut checks = Checks::default();
        judge(&[permission(true, Ok(()))], &mut checks);
        let [check] = checks.0.as_slice() else { panic!("{checks:?}") };
        assert_eq!(check.verdict, Verdict::Good);
        assert!(check.found.contains("what only writing shows"), "{check:?}");
    }
}
