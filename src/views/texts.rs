//! The texts of the pages, by language.
//!
//! **Invariant:** a further language is a folder below `templates/locales` with data only; what it lacks is shown in
//! English. A key or an argument that no language has is an error, never a strange text before a customer.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader as _, static_loader};
use tera::{Kwargs, State, TeraResult};

static_loader! {
    static LOCALES = {
        locales: "./templates/locales",
        fallback_language: "en",
        // The invisible marks around arguments would end up in what people copy from the page.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A language the pages are written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(LanguageIdentifier);

impl Language {
    /// Takes the code of a language that is there.
    #[must_use]
    pub fn find(code: &str) -> Option<Self> {
        let wanted: LanguageIdentifier = code.parse().ok()?;
        LOCALES.locales().find(|known| **known == wanted).cloned().map(Self)
    }

    /// The text with this key; `None` if no language has it or it needs arguments.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        LOCALES.try_lookup(&self.0, key)
    }

    /// The text with this key and these arguments; `None` if no language has it or it needs others.
    #[must_use]
    pub fn text_with(&self, key: &str, arguments: &[(&'static str, &str)]) -> Option<String> {
        let arguments = arguments
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), FluentValue::from((*value).to_owned())))
            .collect();
        LOCALES.try_lookup_complete(&self.0, key, Some(&arguments))
    }
}

impl Default for Language {
    /// English.
    fn default() -> Self {
        Self(LOCALES.fallback().clone())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Every language there is, by code.
#[must_use]
pub fn languages() -> Vec<Language> {
    let mut languages: Vec<Language> = LOCALES.locales().cloned().map(Language).collect();
    languages.sort_by_key(Language::to_string);
    languages
}

/// `t(key="…", argument=value)`: the text in the page's language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Translate;

impl tera::Function<TeraResult<String>> for Translate {
    fn call(&self, kwargs: Kwargs, state: &State<'_>) -> TeraResult<String> {
        let code = state.get::<String>("lang")?.unwrap_or_default();
        let language = Language::find(&code).unwrap_or_default();
        let key = kwargs.must_get::<&str>("key")?;
        let arguments = arguments(&kwargs);
        LOCALES
            .try_lookup_complete(&language.0, key, Some(&arguments))
            .ok_or_else(|| tera::Error::message(format!("no text `{key}` with these arguments")))
    }
}

/// Arguments are shown as they are: amounts and dates are text already, so that no language rounds them.
fn arguments(kwargs: &Kwargs) -> HashMap<Cow<'static, str>, FluentValue<'static>> {
    kwargs
        .iter()
        .filter_map(|(name, value)| Some((name.as_str()?, value)))
        .filter(|(name, _)| *name != "key")
        .map(|(name, value)| (name.to_owned().into(), value.to_string().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn keys(language: &str) -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/locales").join(language);
        let mut keys = BTreeSet::new();
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            let entries = text.lines().filter(|line| line.starts_with(|c: char| c.is_alphabetic()));
            keys.extend(entries.map(|line| line.split(" =").next().unwrap().to_owned()));
        }
        keys
    }

    /// The parts of every key that a template asks for: `["notice-", "-title"]` has a word between them.
    fn wanted() -> Vec<Vec<String>> {
        let templates = super::super::assets::templates();
        let calls = templates.iter().flat_map(|(_, text)| text.split("t(key=").skip(1));
        calls.map(|call| parts(call.split([',', ')']).next().unwrap())).collect()
    }

    fn parts(expression: &str) -> Vec<String> {
        let is_literal = |part: &&str| part.trim().starts_with('"');
        let literals = expression.split('~').filter(is_literal);
        let mut parts: Vec<String> =
            literals.map(|part| part.trim().trim_matches('"').to_owned()).collect();
        if !is_literal(&expression.rsplit('~').next().unwrap()) {
            parts.push(String::new());
        }
        parts
    }

    fn fits(key: &str, parts: &[String]) -> bool {
        match parts {
            [whole] => key == whole,
            [head, .., tail] => !head.is_empty() && key.starts_with(head) && key.ends_with(tail),
            [] => false,
        }
    }

    #[test]
    fn every_text_a_template_asks_for_is_there() {
        let keys = keys("en");
        for parts in wanted().iter().filter(|parts| !parts[0].is_empty()) {
            assert!(keys.iter().any(|key| fits(key, parts)), "no text for {parts:?}");
        }
    }

    #[test]
    fn every_text_is_asked_for() {
        let (wanted, sources) = (wanted(), sources());
        for key in keys("en") {
            let is_wanted = wanted.iter().any(|parts| fits(&key, parts))
                || sources.contains(&format!("\"{key}\""));
            assert!(is_wanted, "nobody shows `{key}`");
        }
    }

    /// The code that hands keys to the templates.
    fn sources() -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
        let folders = [root.clone(), root.join("customer"), root.join("admin")];
        let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        files.map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    #[test]
    fn a_text_takes_the_same_arguments_in_every_language() {
        for language in languages() {
            for key in keys("en") {
                let arguments = |language: &str| {
                    let text = entry(language, &key);
                    let names = text.split('$').skip(1);
                    names.map(|name| name.split([' ', '}']).next().unwrap().to_owned()).collect()
                };
                let (own, english): (BTreeSet<String>, BTreeSet<String>) =
                    (arguments(&language.to_string()), arguments("en"));
                assert_eq!(own, english, "{language}: {key}");
            }
        }
    }

    /// The lines of one text.
    fn entry(language: &str, key: &str) -> String {
        let path = format!("templates/locales/{language}/main.ftl");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let start = text.find(&format!("\n{key} =")).unwrap_or_else(|| panic!("{language}: {key}"));
        let rest = text[start + 1..].lines();
        let is_more = |(number, line): &(usize, &str)| *number == 0 || line.starts_with([' ', '}']);
        rest.enumerate().take_while(is_more).map(|(_, line)| line).collect()
    }

    #[test]
    fn all_languages_have_the_same_texts() {
        assert!(keys("en").len() > 40);
        for language in languages() {
            assert_eq!(keys(&language.to_string()), keys("en"), "{language}");
        }
    }

    #[test]
    fn english_and_spanish_are_there() {
        let codes: Vec<String> = languages().iter().map(ToString::to_string).collect();
        assert_eq!(codes, ["en", "es"]);
    }

    #[test]
    fn a_text_that_does_not_exist_is_no_text() {
        assert_eq!(Language::default().text("no-such-text"), None);
    }
}
