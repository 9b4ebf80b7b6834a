//! What the pages show: one context struct per template, and the texts.
//!
//! **Invariant:** a template sees its own context struct and the [`Frame`], nothing else. Every struct has samples, and
//! a test renders all of them in all languages: a variable that does not exist fails there, not before a customer.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tera::{Context, Tera};

pub mod assets;
pub mod attempt;
pub mod attempts;
pub mod config;
pub mod notice;
pub mod pay_document;
pub mod refill;
pub mod result;
pub mod texts;

use texts::Language;

/// What one template shows.
pub trait View: Serialize + Sized {
    /// The template's path below `templates/`.
    const TEMPLATE: &'static str;

    /// One value per way the page can look, for the tests.
    fn samples() -> Vec<Self>;
}

/// What every page has around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The language, as the `lang` attribute has it.
    pub lang: String,
    /// Whether no real money flows: every page then says so.
    pub is_test: bool,
}

impl Frame {
    /// The frame of a page in this language.
    #[must_use]
    pub fn new(language: &Language, is_test: bool) -> Self {
        Self { lang: language.to_string(), is_test }
    }
}

/// A link to where the customer can go next; it leaves the portal's modal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The address.
    pub href: String,
    /// The key of its text.
    pub label: &'static str,
    /// `_top` to leave the modal, `_self` to stay in it.
    pub target: &'static str,
}

impl Link {
    /// A link that leaves the modal.
    #[must_use]
    pub fn out(href: impl Into<String>, label: &'static str) -> Self {
        Self { href: href.into(), label, target: "_top" }
    }

    /// A link that stays in the modal.
    #[must_use]
    pub fn here(href: impl Into<String>, label: &'static str) -> Self {
        Self { href: href.into(), label, target: "_self" }
    }
}

/// A time as an admin reads it: to the minute, in UTC.
#[must_use]
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// All templates, parsed.
#[derive(Clone)]
pub struct Templates {
    tera: Tera,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates").finish_non_exhaustive()
    }
}

impl Templates {
    /// Parses the templates that are part of the binary.
    ///
    /// # Errors
    ///
    /// [`tera::Error`] when one of them is wrong, which a test excludes.
    pub fn load() -> Result<Self, tera::Error> {
        let mut tera = Tera::new();
        // Functions come first: Tera refuses a template that calls one it does not know.
        tera.register_function("t", texts::Translate);
        tera.register_function("asset", assets::AssetUrl);
        tera.add_raw_templates(assets::templates())?;
        Ok(Self { tera })
    }

    /// Renders one page.
    ///
    /// # Errors
    ///
    /// [`tera::Error`] when the template names something that is not there.
    pub fn render<V: View>(&self, view: &V, frame: &Frame) -> Result<String, tera::Error> {
        let mut context = Context::from_serialize(view)?;
        context.insert("frame", frame);
        context.insert("lang", &frame.lang);
        self.tera.render(V::TEMPLATE, &context)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every page in every language, with the banner and without: `(name, html)`.
    fn all_pages() -> Vec<(String, String)> {
        let templates = Templates::load().unwrap();
        let mut pages = Vec::new();
        for language in texts::languages() {
            for is_test in [false, true] {
                let frame = Frame::new(&language, is_test);
                render_samples::<attempt::AttemptPage>(&templates, &frame, &mut pages);
                render_samples::<attempts::AttemptsPage>(&templates, &frame, &mut pages);
                render_samples::<config::ConfigPage>(&templates, &frame, &mut pages);
                render_samples::<notice::NoticePage>(&templates, &frame, &mut pages);
                render_samples::<pay_document::PayDocumentPage>(&templates, &frame, &mut pages);
                render_samples::<refill::RefillPage>(&templates, &frame, &mut pages);
                render_samples::<result::ResultPage>(&templates, &frame, &mut pages);
            }
        }
        pages
    }

    fn render_samples<V: View>(
        templates: &Templates,
        frame: &Frame,
        pages: &mut Vec<(String, String)>,
    ) {
        for (number, sample) in V::samples().iter().enumerate() {
            let file = V::TEMPLATE.replace('/', "-").replace(".html", "");
            let banner = if frame.is_test { "-test" } else { "" };
            let name = format!("{file}-{number}-{}{banner}", frame.lang);
            let html = templates.render(sample, frame);
            pages.push((name.clone(), html.unwrap_or_else(|error| panic!("{name}: {error}"))));
        }
    }

    #[test]
    fn every_page_renders_in_every_language() {
        let pages = all_pages();
        // To look at them in a browser: SPLYNX_BITPAY_PAGES=/some/folder cargo test --lib views::
        if let Ok(folder) = std::env::var("SPLYNX_BITPAY_PAGES") {
            for (name, html) in &pages {
                std::fs::write(format!("{folder}/{name}.html"), html).unwrap();
            }
        }
        for (name, html) in pages {
            assert!(html.starts_with("<!DOCTYPE html>"), "{name} is no whole page");
            assert!(html.contains("<title>"), "{name} has no title");
            assert_eq!(html.matches("<h1").count(), 1, "{name} needs one heading");
        }
    }

    #[test]
    fn no_page_needs_what_the_content_security_policy_forbids() {
        for (name, html) in all_pages() {
            for forbidden in ["<style", "style=", "onclick=", "javascript:", "<script>"] {
                assert!(!html.contains(forbidden), "{name} contains {forbidden}");
            }
        }
    }

    #[test]
    fn the_test_banner_is_on_every_page_of_a_test_environment_and_on_no_other() {
        for (name, html) in all_pages() {
            assert_eq!(html.contains("class=\"test-banner\""), name.ends_with("-test"), "{name}");
        }
    }

    #[test]
    fn every_form_goes_to_the_whole_window_by_post_and_a_search_by_get() {
        for (name, html) in all_pages() {
            for form in html.split("<form").skip(1) {
                let tag = form.split('>').next().unwrap();
                let is_search = tag.contains("role=\"search\"");
                let method = if is_search { "method=\"get\"" } else { "method=\"post\"" };
                assert!(tag.contains(method), "{name}: {tag}");
                let admin = name.starts_with("admin");
                assert!(admin || tag.contains("target=\"_top\""), "{name}: {tag}");
            }
        }
    }

    #[test]
    fn every_field_has_a_label() {
        for (name, html) in all_pages() {
            let mut ids: BTreeSet<&str> = attributes(&html, "<input", "id=\"");
            ids.extend(attributes(&html, "<select", "id=\""));
            ids.extend(attributes(&html, "<textarea", "id=\""));
            let labels: BTreeSet<&str> = attributes(&html, "<label", "for=\"");
            assert_eq!(ids, labels, "{name}");
        }
    }

    fn attributes<'h>(html: &'h str, tag: &str, attribute: &str) -> BTreeSet<&'h str> {
        html.split(tag)
            .skip(1)
            .filter_map(|rest| rest.split('>').next())
            .filter_map(|tag| tag.split(attribute).nth(1)?.split('"').next())
            .collect()
    }
}
