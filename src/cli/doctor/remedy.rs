//! What to do about a failure, by its kind.
//!
//! **Invariant:** a remedy names the place to act at; what happened is the finding's to say.

use std::io::ErrorKind;
use std::path::Path;

use crate::db::OpenError;
use crate::ports::{DATABASE, PeerError};

/// The first of these whose words are in what was said.
fn by_words(
    said: &str,
    table: &[(&[&str], &'static str)],
    otherwise: &'static str,
) -> &'static str {
    let said = said.to_lowercase();
    let fits = |(words, _): &&(&[&str], &'static str)| words.iter().any(|it| said.contains(it));
    table.iter().find(fits).map_or(otherwise, |(_, remedy)| remedy)
}

/// About a configuration at `path` that cannot be used.
pub(super) fn configuration(path: &Path) -> &'static str {
    match std::fs::File::open(path).map_err(|error| error.kind()) {
        Err(ErrorKind::NotFound) => {
            "name yours with --config, or begin one: `splynx-bitpay config default > FILE`"
        }
        Err(ErrorKind::PermissionDenied) => {
            "run doctor as the service's user: `sudo -u splynx-bitpay splynx-bitpay doctor`; the file \
             must be readable for that user (chown splynx-bitpay, chmod 600)"
        }
        _ => "correct what is named there; `splynx-bitpay config check` looks again",
    }
}

/// About everything else that `serve` needs before it can begin.
pub(super) fn opening(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref::<OpenError>() {
        Some(OpenError::Unavailable(why) | OpenError::Migration(why)) => database(why),
        Some(OpenError::SealedWithAnotherKey) => {
            "put the key back from your backup; [server] secret_key says where it is looked for"
        }
        Some(OpenError::PendingMigrations(_)) => {
            "do what the sentence says; the version before goes on meanwhile"
        }
        Some(OpenError::Moved(_)) => {
            "`splynx-bitpay config set database.url` names the new one; an old one is a backup, no more"
        }
        Some(OpenError::Newer { .. }) => "do what the sentence says; nothing was changed",
        None => "do what the sentence says; `config show` tells where each value comes from",
    }
}

/// About a database that did not do its work.
pub(super) fn database(said: &str) -> &'static str {
    by_words(
        said,
        &[
            (
                &["disk is full", "no space left", "quota"],
                "make room on the disk that [database] url names; what was begun goes on by itself then",
            ),
            (
                &["locked", "busy"],
                "another program holds the database: end it (a backup? an open sqlite3 shell? `fuser FILE` \
                 names it); a running service alone does not lock it",
            ),
            (
                &["permission denied", "read-only", "readonly"],
                "file and folder must belong to the service's user (chown -R splynx-bitpay \
                 /var/lib/splynx-bitpay); run doctor as that user: `sudo -u splynx-bitpay splynx-bitpay doctor`",
            ),
            (
                &["password", "authentication", "role ", "does not exist"],
                "PostgreSQL does not let us in: check user, password and database name in [database] url",
            ),
            (
                &["cannot be reached", "no answer in time", "connection", "closed"],
                "is PostgreSQL running, and does [database] url name its host and port? A firewall between?",
            ),
            (
                &["no such file", "unable to open"],
                "the folder in [database] url must exist and belong to the service's user",
            ),
            (
                &["malformed", "not a database", "corrupt"],
                "stop the service and restore the database from your backup (docs/OPERATIONS.md)",
            ),
        ],
        "check [database] url; docs/OPERATIONS.md tells about backups",
    )
}

/// About a Splynx that did not do what was asked.
pub(super) fn splynx(error: &PeerError) -> &'static str {
    match error {
        PeerError::Unavailable { peer, why } if *peer == DATABASE => database(why),
        PeerError::Refused { sentence, .. } => refused(sentence),
        PeerError::Unreadable { .. } => {
            "something else answers there: [splynx] api_domain must be Splynx's own final address, and no \
             proxy or firewall page may stand before /api"
        }
        PeerError::Unavailable { why, .. } => unavailable(why),
    }
}

fn refused(sentence: &str) -> &'static str {
    by_words(
        sentence,
        &[(
            &["nonce"],
            "another program uses the same API key with higher nonces: make a key for this add-on alone \
             (Administration > API keys) and write it into [splynx] api_key and api_secret",
        )],
        "[splynx] api_key and api_secret must be those of one key in Administration > API keys, and that \
         key's allowed IPs must contain this server's (or be empty)",
    )
}

fn unavailable(why: &str) -> &'static str {
    by_words(
        why,
        &[
            (&["429"], "wait some minutes; if it stays, lower [worker] splynx_requests_per_second"),
            (
                &["http 5", "no answer in time", "408"],
                "Splynx itself is in trouble: look at its web server, PHP and MySQL and their logs; payments \
                 wait for it and lose nothing",
            ),
            (
                &["lookup", "dns"],
                "the host in [splynx] api_domain has no address: correct it, or the DNS",
            ),
            (
                &["certificate", "tls"],
                "Splynx's certificate is not accepted: renew it, or correct [splynx] api_domain",
            ),
        ],
        "is Splynx's web server running, and is [splynx] api_domain its address?",
    )
}

/// About a public address that could not be opened.
pub(super) fn unreached(said: &str) -> &'static str {
    by_words(
        said,
        &[
            (
                &["lookup", "dns"],
                "its host has no address: correct splynx.splynx_url, or the DNS that this server asks",
            ),
            (
                &["refused"],
                "no web server listens there: start Splynx's (nginx), or correct host and port in \
                 splynx.splynx_url",
            ),
            (
                &["certificate", "tls"],
                "its certificate is not accepted: BitPay will not accept it either; renew it, or correct the \
                 host in splynx.splynx_url",
            ),
            (
                &["in time"],
                "no answer: a firewall, or a router that does not lead this server back to its own public \
                 address",
            ),
        ],
        "check splynx.splynx_url and the web server there",
    )
}

/// About another answer at the public address than the add-on's own.
pub(super) fn foreign(status: u16) -> &'static str {
    match status {
        500..=599 => {
            "the web server passes /bitpay on, but nobody answers: start the service (`systemctl status \
             splynx-bitpay`), and let it pass to the address in [server] listen"
        }
        300..=399 => "splynx.splynx_url must be the final address, without redirects: correct it",
        _ => {
            "let the web server at splynx.splynx_url pass /bitpay on to [server] listen (README, Install)"
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("the disk is full", "make room")]
    #[case("/x.db cannot be opened: database or disk is full", "make room")]
    #[case("another process keeps the database locked", "another program holds")]
    #[case("/x.db cannot be opened: Permission denied (os error 13)", "chown")]
    #[case("the database file is read-only", "chown")]
    #[case("postgres://a@b/c cannot be reached: Connection refused", "is PostgreSQL running")]
    #[case("cannot be reached: password authentication failed for user \"a\"", "password")]
    #[case("/nowhere/x.db cannot be opened: No such file or directory", "must exist")]
    #[case("database disk image is malformed", "restore")]
    fn a_database_is_helped_by_the_kind_of_failure(#[case] said: &str, #[case] words: &str) {
        assert!(database(said).contains(words), "{}", database(said));
        let opened = anyhow::Error::from(OpenError::Unavailable(said.to_owned()));
        assert_eq!(opening(&opened), database(said));
    }

    fn down(why: &str) -> PeerError {
        PeerError::Unavailable { peer: "Splynx", why: why.to_owned() }
    }

    fn no(sentence: &str) -> PeerError {
        PeerError::Refused { peer: "Splynx", sentence: sentence.to_owned() }
    }

    #[rstest]
    #[case(no("it does not accept the API key: Invalid signature"), "allowed IPs")]
    #[case(no("it does not accept the API key: The nonce is not greater"), "this add-on alone")]
    #[case(down("HTTP 502"), "Splynx itself")]
    #[case(down("no answer in time (operation timed out)"), "Splynx itself")]
    #[case(down("it asked to wait (HTTP 429)"), "wait some minutes")]
    #[case(down("no connection (Connection refused (os error 111))"), "web server running")]
    #[case(down("no connection (failed to lookup address information)"), "DNS")]
    #[case(PeerError::Unavailable { peer: DATABASE, why: "the disk is full".to_owned() }, "make room")]
    #[case(PeerError::Unreadable { peer: "Splynx", why: String::new() }, "something else answers")]
    fn splynx_is_helped_by_the_kind_of_failure(#[case] error: PeerError, #[case] words: &str) {
        assert!(splynx(&error).contains(words), "{}", splynx(&error));
    }

    #[rstest]
    #[case(unreached("no connection (failed to lookup address information)"), "DNS")]
    #[case(unreached("no connection (Connection refused (os error 111))"), "nginx")]
    #[case(unreached("no connection (invalid peer certificate: Expired)"), "renew")]
    #[case(unreached("no answer in time (operation timed out)"), "firewall")]
    #[case(foreign(502), "start the service")]
    #[case(foreign(301), "without redirects")]
    #[case(foreign(404), "pass /bitpay on")]
    fn a_public_address_is_helped_by_the_kind_of_failure(
        #[case] remedy: &str,
        #[case] words: &str,
    ) {
        assert!(remedy.contains(words), "{remedy}");
    }

    #[test]
    fn a_configuration_that_is_not_there_is_begun_and_another_corrected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert!(configuration(&path).contains("config default"));
        std::fs::write(&path, "[").unwrap();
        assert!(configuration(&path).contains("config check"));
    }
}
