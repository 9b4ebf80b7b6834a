//! The web server: `/bitpay` is passed on to the add-on.
//!
//! **Invariant:** a snippet that nginx does not accept does not stay, and nginx is told to reload only what it accepted.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::by_hand;
use super::host::{self, Failure, Host, Line, Written};
use super::outcome::Outcome;

/// The snippet, for the listener `@LISTEN@`.
const TEMPLATE: &str = include_str!("../../../deploy/nginx/splynx-bitpay.addons");

/// Where nginx is on Debian.
pub(super) const USUAL: &str = "/etc/nginx";

/// There when systemd is the init of this machine.
const SYSTEMD: &str = "/run/systemd/system";

/// The snippet for a listener.
pub(super) fn snippet(listen: SocketAddr) -> String {
    TEMPLATE.replace("@LISTEN@", &reachable(listen).to_string())
}

/// A listener on all addresses is reached on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// One nginx.
struct Nginx<'a> {
    folder: &'a Path,
}

impl Nginx<'_> {
    fn line(&self) -> Line {
        let line = Line::new("nginx");
        if self.is_usual() { line } else { line.arg("-c").arg(self.folder.join("nginx.conf")) }
    }

    fn is_usual(&self) -> bool {
        self.folder == Path::new(USUAL)
    }

    /// Lets nginx judge its configuration.
    fn test(&self, host: &mut Host) -> Result<(), Failure> {
        host.run(&self.line().arg("-t")).map(drop)
    }

    /// Whether a server includes the snippet, as far as nginx can be asked.
    fn includes(&self, snippet: &Path) -> bool {
        let name = snippet.file_name().unwrap_or_default().to_string_lossy();
        let file = format!("/sites-available/{name}:");
        let is_of_file =
            |line: &str| line.starts_with("# configuration file") && line.ends_with(&file);
        host::ask(&self.line().arg("-T")).map_or(true, |dump| dump.lines().any(is_of_file))
    }

    /// Lets a running nginx take it over; `false`: none runs.
    fn reload(&self, host: &mut Host) -> Result<bool, Failure> {
        if self.is_usual() && Path::new(SYSTEMD).is_dir() {
            let unit = |verb| Line::new("systemctl").arg(verb).arg("nginx");
            let is_active = host::ask(&unit("is-active")).is_ok();
            return if is_active { host.run(&unit("reload")).map(|_| true) } else { Ok(false) };
        }
        match host.run(&self.line().arg("-s").arg("reload")) {
            Ok(_) => Ok(true),
            // No process, or only the number of one that is gone.
            Err(Failure::Refused { said, .. }) if says_not_running(&said) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

fn says_not_running(said: &str) -> bool {
    (said.contains("open()") && said.contains(".pid\" failed"))
        || said.contains("invalid PID number")
        || said.contains("No such process")
}

/// Writes the snippet into nginx's folder and lets nginx take it over.
pub(super) fn run(host: &mut Host, folder: &Path, listen: SocketAddr) -> Outcome {
    let sites = folder.join("sites-available");
    if !sites.is_dir() {
        return Outcome::not_possible(format!("nginx is not on this host ({})", sites.display()))
            .remedy(by_hand::web_server(listen));
    }
    let path = sites.join("splynx-bitpay.addons");
    let nginx = Nginx { folder };
    if let Err(Failure::Missing(_)) = host::ask(&Line::new("nginx").arg("-v")) {
        return Outcome::not_possible("there is no command nginx here")
            .remedy(by_hand::web_server(listen));
    }
    let before = fs::read(&path).ok();
    match host.write(&path, snippet(listen).as_bytes()) {
        Err(why) => Outcome::failed(&why),
        Ok(Written::Same) => {
            let outcome = included(&nginx, &path, Outcome::was_there(path.display().to_string()));
            // Who wrote it may have been interrupted before nginx heard of it.
            if !host.is_dry() && nginx.test(host).is_ok() {
                nginx.reload(host).ok();
            }
            outcome
        }
        Ok(Written::Changed) if host.is_dry() => Outcome::done(path.display().to_string()),
        Ok(Written::Changed) => match nginx.test(host) {
            Ok(()) => taken_over(&nginx, host, &path),
            Err(failure) => put_back(&nginx, host, &path, before, &failure),
        },
    }
}

fn taken_over(nginx: &Nginx<'_>, host: &mut Host, path: &Path) -> Outcome {
    let file = path.display();
    match nginx.reload(host) {
        Ok(true) => included(nginx, path, Outcome::done(format!("{file}, nginx reloaded"))),
        Ok(false) => {
            let found = format!("{file}; nginx does not run and reads it when it starts");
            included(nginx, path, Outcome::done(found))
        }
        Err(failure) => Outcome::failed(&format!("{file} is good, but {failure}"))
            .remedy(["systemctl reload nginx"]),
    }
}

/// A snippet that nobody includes does nothing.
fn included(nginx: &Nginx<'_>, path: &Path, outcome: Outcome) -> Outcome {
    if nginx.includes(path) {
        return outcome;
    }
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    Outcome::not_possible(format!(
        "{} is there, but no server of nginx includes it",
        path.display()
    ))
    .remedy([
        format!("in the server block of Splynx: include {}/*.addons;", folder.display()),
        "then: nginx -t && systemctl reload nginx".to_owned(),
    ])
}

fn put_back(
    nginx: &Nginx<'_>,
    host: &mut Host,
    path: &Path,
    before: Option<Vec<u8>>,
    failure: &Failure,
) -> Outcome {
    let undone = match before {
        Some(before) => host.write(path, &before).map(drop),
        None => host.remove(path),
    };
    let what = match undone {
        Ok(()) => "the file is as it was".to_owned(),
        Err(why) => why,
    };
    let also = if nginx.test(host).is_err() {
        "\nnginx's configuration is not good without it either"
    } else {
        ""
    };
    Outcome::failed(&format!("{what}, because {failure}{also}"))
        .remedy(["correct it, then run `splynx-bitpay install-splynx` again"])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1:8330", "http://127.0.0.1:8330;")]
    #[case("0.0.0.0:9000", "http://127.0.0.1:9000;")]
    #[case("[::]:9000", "http://[::1]:9000;")]
    #[case("10.0.0.5:8330", "http://10.0.0.5:8330;")]
    fn the_snippet_leads_to_the_listener(#[case] listen: &str, #[case] address: &str) {
        let snippet = snippet(listen.parse().unwrap());
        assert!(snippet.contains(&format!("proxy_pass {address}")), "{snippet}");
        assert!(!snippet.contains('@'), "{snippet}");
    }

    #[rstest]
    #[case("nginx: [error] open() \"/run/nginx.pid\" failed (2: No such file or directory)", true)]
    #[case("nginx: [error] invalid PID number \"\" in \"/run/nginx.pid\"", true)]
    #[case("nginx: [alert] kill(99, 1) failed (3: No such process)", true)]
    #[case("nginx: [emerg] open() \"/etc/nginx/nginx.conf\" failed (13: Permission denied)", false)]
    fn an_nginx_that_does_not_run_is_told_from_one_that_fails(
        #[case] said: &str,
        #[case] not_running: bool,
    ) {
        assert_eq!(says_not_running(said), not_running);
    }
}
