//! Who runs a command, for the journal.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::domain::actor::Actor;

/// Whoever this process runs as. The account is asked of the kernel; its environment could say anything.
pub(super) fn at_the_terminal() -> Actor {
    // The owner of a process's own folder is the user it runs as.
    let user = fs::metadata("/proc/self").map(|folder| folder.uid());
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    Actor::Terminal(user.map_or_else(|_| "somebody".to_owned(), |id| name_of(id, &accounts)))
}

fn name_of(id: u32, accounts: &str) -> String {
    let id = id.to_string();
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = lines.find_map(|fields| match fields.as_slice() {
        [name, _, user, ..] if *user == id => Some((*name).to_owned()),
        _ => None,
    });
    found.unwrap_or_else(|| format!("user {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_as_the_machine_names_it() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\nbilling:x:1000:1000::/home:/bin/sh\n";
        assert_eq!(name_of(0, accounts), "root");
        assert_eq!(name_of(1000, accounts), "billing");
        assert_eq!(name_of(7, accounts), "user 7");
    }

    #[test]
    fn this_very_process_has_an_account() {
        let words = at_the_terminal().to_string();
        assert!(
            words.ends_with(" on the command line") && !words.starts_with("somebody"),
            "{words}"
        );
    }
}
