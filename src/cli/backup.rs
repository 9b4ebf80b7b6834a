//! `backup`: a copy of the database under the name of its moment, beside the older ones.
//!
//! **Invariant:** an older backup goes only after a newer one is there, and the newest never goes.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};

use super::output::Streams;
use super::{Ending, progress, who, wiring};
use crate::config::{self, Database};
use crate::db;
use crate::ports::clock::{Clock as _, SystemClock};

/// What stands around the moment in a backup's name, and the moment in UTC.
const BEFORE: &str = "splynx-bitpay-";
const MOMENT: &str = "%Y%m%dT%H%M%SZ";
const AFTER: &str = ".db";

/// What an interrupted backup may have left is taken away after this time.
const LEFT_OVER_AFTER: Duration = Duration::days(1);

/// Where to put it, and which others to keep.
#[derive(Debug, clap::Args)]
pub(super) struct Wish {
    /// The folder to put it in, which must be there; by default `backups` beside the database, which is made.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Older backups than this are removed from the folder, once the new one is there.
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 14,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    keep_days: u16,
}

/// Backs the database up and prints where to.
pub(super) async fn run(
    path: &Path,
    wish: &Wish,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let config = config::load(path)?.config;
    let Database::Sqlite(database) = &config.database else {
        writeln!(
            streams.out,
            "The database is PostgreSQL: `pg_dump -Fc DATABASE > splynx-bitpay.dump` backs it up. Nothing was done."
        )?;
        return Ok(Ending::Good);
    };
    let folder = folder(database, wish.to.as_deref())?;
    let now = SystemClock::default().now();
    let file = folder.join(format!("{BEFORE}{}{AFTER}", now.format(MOMENT)));
    let url = wiring::database_url(&config)?;
    progress::during("copying the database", db::back_up(&url, &file))
        .await
        .with_context(|| format!("the backup wanted by {} failed", who::at_the_terminal()))?;
    for old in remove_old(&folder, &file, now, Duration::days(i64::from(wish.keep_days))) {
        match old {
            Ok(old) => writeln!(streams.out, "removed: {}", old.display())?,
            // The new backup is there, which counts.
            Err(error) => {
                writeln!(streams.err, "warning: an old backup cannot be removed: {error:#}").ok();
            }
        }
    }
    writeln!(streams.out, "{}", file.display())?;
    Ok(Ending::Good)
}

fn folder(database: &Path, wanted: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(wanted) = wanted {
        let wanted = std::path::absolute(wanted).unwrap_or_else(|_| wanted.to_owned());
        anyhow::ensure!(wanted.is_dir(), "there is no folder {}: make it first", wanted.display());
        return Ok(wanted);
    }
    let folder = database.with_file_name("backups");
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("the folder {} cannot be made", folder.display()))
        }
        _ => Ok(folder),
    }
}

/// Removes what is too old, and what was left over. `newest` stays, whatever the clock says.
fn remove_old(
    folder: &Path,
    newest: &Path,
    now: DateTime<Utc>,
    keep: Duration,
) -> Vec<anyhow::Result<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return vec![Err(error.into())],
    };
    let files = entries.flatten().map(|entry| entry.path()).filter(|file| file != newest);
    let old = files.filter(|file| {
        let made = moment(file).map(|made| now - made > keep);
        made.unwrap_or_else(|| left_over(file).is_some_and(|left| now - left > LEFT_OVER_AFTER))
    });
    let remove = |file: PathBuf| {
        fs::remove_file(&file).with_context(|| file.display().to_string())?;
        Ok(file)
    };
    old.map(remove).collect()
}

/// When a backup was made, by its name. None for other files.
fn moment(file: &Path) -> Option<DateTime<Utc>> {
    let name = file.file_name()?.to_str()?;
    let moment = name.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    Some(NaiveDateTime::parse_from_str(moment, MOMENT).ok()?.and_utc())
}

/// When a file was last written that is only half a backup. None for other files.
fn left_over(file: &Path) -> Option<DateTime<Utc>> {
    let name = file.file_name()?.to_str()?;
    let half = name.strip_prefix('.')?.strip_prefix(BEFORE)?.contains(".part");
    half.then(|| fs::metadata(file).ok()?.modified().ok().map(DateTime::from)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        NaiveDateTime::parse_from_str(text, MOMENT).unwrap().and_utc()
    }

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What is left of these files, of which the last one is new.
    fn kept(files: &[&str], now: &str, days: i64) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let newest = folder.path().join(files.last().unwrap());
        let removed = remove_old(folder.path(), &newest, at(now), Duration::days(days));
        assert!(removed.iter().all(Result::is_ok), "{removed:?}");
        names(folder.path())
    }

    #[test]
    fn backups_older_than_the_days_go_and_nothing_else() {
        let kept = kept(
            &[
                "notes.txt",
                "splynx-bitpay-20260101T000000Z.db.gz",
                "splynx-bitpay-20260101.db",
                "splynx-bitpay-20261106T120000Z.db",
                "splynx-bitpay-20261107T120001Z.db",
                "splynx-bitpay-20261121T120000Z.db",
            ],
            "20261121T120000Z",
            14,
        );
        assert_eq!(
            kept,
            [
                "notes.txt",
                "splynx-bitpay-20260101.db",
                "splynx-bitpay-20260101T000000Z.db.gz",
                "splynx-bitpay-20261107T120001Z.db",
                "splynx-bitpay-20261121T120000Z.db",
            ]
        );
    }

    #[test]
    fn the_newest_stays_though_the_clock_has_jumped() {
        let kept = kept(&["splynx-bitpay-20260101T000000Z.db"], "20361121T120000Z", 1);
        assert_eq!(kept, ["splynx-bitpay-20260101T000000Z.db"]);
    }

    #[test]
    fn half_a_backup_is_taken_away_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let half = folder.path().join(".splynx-bitpay-20261121T120000Z.db.77.part");
        fs::write(&half, "").unwrap();
        fs::write(folder.path().join(".part"), "").unwrap();
        let written = DateTime::<Utc>::from(fs::metadata(&half).unwrap().modified().unwrap());
        let remove = |after| {
            remove_old(folder.path(), Path::new(""), written + after, Duration::days(14)).len()
        };
        assert_eq!(remove(Duration::hours(23)), 0);
        assert_eq!(remove(Duration::hours(25)), 1);
        assert_eq!(names(folder.path()), [".part"]);
    }

    #[test]
    fn a_folder_that_was_named_must_be_there() {
        let error = folder(Path::new("/x/a.db"), Some(Path::new("/nonexistent/y"))).unwrap_err();
        assert_eq!(error.to_string(), "there is no folder /nonexistent/y: make it first");
        let error = folder(Path::new("/nonexistent/a.db"), None).unwrap_err();
        assert_eq!(error.to_string(), "the folder /nonexistent/backups cannot be made");
    }
}
