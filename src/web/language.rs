//! Which language a visitor reads.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
use fluent_langneg::{LanguageIdentifier, NegotiationStrategy, negotiate_languages};

use crate::views::texts::{Language, languages};

/// More wishes than this are not read.
const WISHES_MAX: usize = 20;

/// The best language we have for this visitor.
#[must_use]
pub fn of(request: &HttpRequest) -> Language {
    let wishes = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    best(wishes.unwrap_or_default())
}

fn best(accept_language: &str) -> Language {
    let available: Vec<LanguageIdentifier> =
        languages().iter().filter_map(|language| language.to_string().parse().ok()).collect();
    let wished = wishes(accept_language);
    negotiate_languages(&wished, &available, None, NegotiationStrategy::Filtering)
        .first()
        .and_then(|language| Language::find(&language.to_string()))
        .unwrap_or_default()
}

/// The wished languages, dearest first (RFC 9110, 12.5.4). A wish that cannot be read is no wish.
fn wishes(accept_language: &str) -> Vec<LanguageIdentifier> {
    let mut wishes: Vec<(u16, LanguageIdentifier)> =
        accept_language.split(',').take(WISHES_MAX).filter_map(wish).collect();
    wishes.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wishes.into_iter().map(|(_, language)| language).collect()
}

fn wish(text: &str) -> Option<(u16, LanguageIdentifier)> {
    let (tag, parameters) = text.split_once(';').unwrap_or((text, ""));
    let weight = match parameters.trim().strip_prefix("q=") {
        Some(weight) => thousandths(weight.trim())?,
        None => 1000,
    };
    let language = tag.trim().parse().ok()?;
    (weight > 0).then_some((weight, language))
}

/// `0.8` is 800: weights have at most three decimal places.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || whole.len() != 1 {
        return None;
    }
    format!("{whole}{rest:0<3}").parse().ok().filter(|weight| *weight <= 1000)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "en")]
    #[case("es", "es")]
    #[case("es-MX", "es")]
    #[case("es-419,es;q=0.9,en;q=0.8", "es")]
    #[case("en-GB,es;q=0.9", "en")]
    #[case("en;q=0.3,es;q=0.8", "es")]
    #[case("es;q=0,en", "en")]
    #[case("fr,de;q=0.9", "en")]
    #[case("fr,es;q=0.1", "es")]
    #[case("*", "en")]
    #[case("es;q=2,../../etc/passwd,,;;", "en")]
    fn the_dearest_language_that_is_there_is_taken(#[case] header: &str, #[case] code: &str) {
        assert_eq!(best(header).to_string(), code);
    }
}
