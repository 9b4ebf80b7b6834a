//! What is installed, as parts of the binary: the PHP installer, the entry points, the web servers' snippets.

use std::borrow::Cow;
use std::path::PathBuf;

use rust_embed::RustEmbed;

use crate::cli::entry_points;

#[derive(RustEmbed)]
#[folder = "deploy/splynx-addon"]
struct SplynxAddon;

#[derive(RustEmbed)]
#[folder = "deploy/entry-points"]
struct Code;

/// The snippet for a Splynx behind Apache.
pub(super) const APACHE: &str = include_str!("../../../deploy/apache/splynx-bitpay.conf");

/// A file and where it stands below the add-on's folder.
pub(super) type File = (PathBuf, Cow<'static, [u8]>);

/// What stands in the add-on's folder inside Splynx.
pub(super) fn addon() -> Vec<File> {
    let points = entry_points::SHIPPED.as_bytes();
    let mut files = vec![(PathBuf::from("entry-points.json"), Cow::Borrowed(points))];
    let code = Code::iter().filter_map(|name| {
        Some((PathBuf::from("entry-points").join(&*name), Code::get(&name)?.data))
    });
    let php = SplynxAddon::iter()
        .filter_map(|name| Some((PathBuf::from(&*name), SplynxAddon::get(&name)?.data)));
    files.extend(code.chain(php));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_php_installer_reads_is_there() {
        let names: Vec<String> =
            addon().into_iter().map(|(path, _)| path.display().to_string()).collect();
        for name in [
            "yii",
            "commands/InstallController.php",
            "config/config.json",
            "config/console.php",
            "config/params.php",
            "entry-points.json",
        ] {
            assert!(names.iter().any(|it| it == name), "{name} is not in {names:?}");
        }
        let code = entry_points::shipped().into_iter().map(|point| point.code_file);
        for name in code.filter(|name| !name.is_empty()) {
            assert!(names.contains(&format!("entry-points/{name}")), "{name} is not in {names:?}");
        }
    }
}
