//! Templates and static files, as parts of the binary.
//!
//! **Invariant:** the address of a static file carries the hash of its content, so that browsers may keep it for ever.

use std::borrow::Cow;

use rust_embed::RustEmbed;
use tera::{Kwargs, State, TeraResult};

#[derive(RustEmbed)]
#[folder = "templates/layouts"]
#[prefix = "layouts/"]
struct Layouts;

#[derive(RustEmbed)]
#[folder = "templates/components"]
#[prefix = "components/"]
struct Components;

#[derive(RustEmbed)]
#[folder = "templates/customer"]
#[prefix = "customer/"]
struct Customer;

#[derive(RustEmbed)]
#[folder = "templates/admin"]
#[prefix = "admin/"]
struct Admin;

#[derive(RustEmbed)]
#[folder = "templates/static"]
struct Static;

/// Where static files are found.
pub const STATIC_BASE: &str = "/bitpay/static";

/// A static file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Sixteen hex digits of the SHA-256 of its bytes.
    pub version: String,
    /// Its media type.
    pub content_type: &'static str,
}

/// The static file with this name.
#[must_use]
pub fn asset(name: &str) -> Option<Asset> {
    let content_type = content_type(name)?;
    let file = Static::get(name)?;
    let version = hex::encode(file.metadata.sha256_hash()).chars().take(16).collect();
    Some(Asset { bytes: file.data, version, content_type })
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

/// All templates: `(path, text)`.
pub(super) fn templates() -> Vec<(String, String)> {
    let mut templates = Vec::new();
    collect::<Layouts>(&mut templates);
    collect::<Components>(&mut templates);
    collect::<Customer>(&mut templates);
    collect::<Admin>(&mut templates);
    templates
}

fn collect<Folder: RustEmbed>(templates: &mut Vec<(String, String)>) {
    for path in Folder::iter().filter(|path| path.ends_with(".html")) {
        if let Some(file) = Folder::get(&path) {
            let text = String::from_utf8_lossy(&file.data).into_owned();
            templates.push((path.into_owned(), text));
        }
    }
}

/// `asset(file="…")`: the address of a static file, with its version.
#[derive(Debug, Clone, Copy)]
pub(super) struct AssetUrl;

impl tera::Function<TeraResult<String>> for AssetUrl {
    fn call(&self, kwargs: Kwargs, _: &State<'_>) -> TeraResult<String> {
        let name = kwargs.must_get::<&str>("file")?;
        let asset = asset(name)
            .ok_or_else(|| tera::Error::message(format!("there is no static file `{name}`")))?;
        Ok(format!("{STATIC_BASE}/{name}?v={}", asset.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_has_a_version_and_a_media_type() {
        let css = asset("splynx-bitpay.css").unwrap();
        assert_eq!(css.version.len(), 16);
        assert_eq!(css.content_type, "text/css; charset=utf-8");
    }

    #[test]
    fn a_path_out_of_the_folder_is_no_asset() {
        for name in ["../layouts/page.html", "", ".", "nothing.css", "locales/en/main.ftl"] {
            assert!(asset(name).is_none(), "{name}");
        }
    }
}
