//! The table of configuration keys: name, kind, default and meaning of each, written once.
//!
//! **Invariant:** the struct a section is read into, its defaults, the default file and the reference page all come
//! from the one `section!` of that section, so none of them can lag behind.

use std::fmt;

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

/// One `[section]` of the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// The word between the brackets.
    pub name: &'static str,
    /// What the section is for, a line per line.
    pub about: &'static str,
    /// Its keys, in the order of the default file.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// `section.name`.
    pub path: &'static str,
    /// The word before the equals sign.
    pub name: &'static str,
    /// What may stand behind it.
    pub kind: Kind,
    /// The default, as TOML.
    pub default: &'static str,
    /// What it means, a line per line.
    pub about: &'static str,
}

impl Key {
    /// The environment variable that overrides the key.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', SEPARATOR).to_ascii_uppercase())
    }
}

/// How the names of our environment variables begin.
pub(super) const PREFIX: &str = "SPLYNX_BITPAY__";

/// What stands between section and key in the name of an environment variable.
pub(super) const SEPARATOR: &str = "__";

/// What may stand behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in quotes.
    Text,
    /// A whole number.
    Number,
    /// Money or a percentage. Text in quotes, because a TOML number with a point is a binary fraction.
    Amount,
    /// A list of texts.
    TextList,
    /// A secret: the text itself, `file:/path` or `env:NAME`. Never shown.
    Secret,
    /// A database address, which may carry a password; may be `file:/path` or `env:NAME` too.
    DatabaseUrl,
}

impl Kind {
    /// What to write, in words.
    #[must_use]
    pub fn expected(self) -> &'static str {
        match self {
            Self::Text => "text in quotes",
            Self::Number => "a whole number without quotes",
            Self::Amount => "an amount in quotes, such as \"1.50\"",
            Self::TextList => "a list of texts in quotes, such as [\"127.0.0.1\"]",
            Self::Secret => "text in quotes: the secret itself, \"file:/path\" or \"env:NAME\"",
            Self::DatabaseUrl => {
                "text in quotes: a database address, \"file:/path\" or \"env:NAME\""
            }
        }
    }
}

/// What a [`Kind::Text`] is read into.
pub type Text = String;
/// What a [`Kind::Number`] is read into.
pub type Number = i64;
/// What a [`Kind::Amount`] is read into.
pub type Amount = String;
/// What a [`Kind::Secret`] is read into.
pub type Secret = Unshown;
/// What a [`Kind::DatabaseUrl`] is read into.
pub type DatabaseUrl = Unshown;

/// A text that does not appear in debug output.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Unshown(pub(super) String);

impl fmt::Debug for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[unshown]")
    }
}

/// What a [`Kind::TextList`] is read into: a TOML array, or in the environment a text with commas.
#[derive(Debug, Clone)]
pub struct TextList(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for TextList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextListVisitor)
    }
}

struct TextListVisitor;

impl<'de> Visitor<'de> for TextListVisitor {
    type Value = TextList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Kind::TextList.expected())
    }

    fn visit_str<E>(self, text: &str) -> Result<TextList, E> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(TextList(parts.map(str::to_owned).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TextList, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        Ok(TextList(texts))
    }
}

/// Writes one section down: its doc comment, and per key a doc comment, a [`Kind`] and the default in TOML.
///
/// Makes the struct the section is read into, and the table `SECTION`.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        struct $name:ident in $section:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $kind:ident = $default:tt; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $( $(#[doc = $doc])+ pub(super) $key: super::key::$kind, )+
        }

        /// The keys of this section.
        pub(super) const SECTION: super::key::Section = super::key::Section {
            name: stringify!($section),
            about: concat!($($about, "\n"),+),
            keys: &[$(
                super::key::Key {
                    path: concat!(stringify!($section), ".", stringify!($key)),
                    name: stringify!($key),
                    kind: super::key::Kind::$kind,
                    default: stringify!($default),
                    about: concat!($($doc, "\n"),+),
                },
            )+],
        };
    };
}
pub(super) use section;

/// All sections, in the order of the default file.
pub const SECTIONS: [Section; 8] = [
    super::server::SECTION,
    super::database::SECTION,
    super::splynx::SECTION,
    super::bitpay::SECTION,
    super::payments::SECTION,
    super::worker::SECTION,
    super::alerts::SECTION,
    super::log::SECTION,
];

/// All keys, in the order of the default file.
pub fn all() -> impl Iterator<Item = &'static Key> {
    const ALL: &[Section] = &SECTIONS;
    ALL.iter().flat_map(|section| section.keys)
}

/// The key with this `section.name`.
#[must_use]
pub fn find(path: &str) -> Option<&'static Key> {
    all().find(|key| key.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_the_path_in_capitals() {
        let key = find("payments.service_fee_percent").unwrap();
        assert_eq!(key.variable(), "SPLYNX_BITPAY__PAYMENTS__SERVICE_FEE_PERCENT");
    }

    #[test]
    fn every_key_says_what_it_means() {
        for key in all() {
            assert!(key.about.trim().ends_with('.'), "{} is explained by sentences", key.path);
        }
    }

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let secret = Unshown("hunter2".to_owned());
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
