//! "Did you mean": the key somebody probably wanted to write.

use super::key::{self, SECTIONS};
use super::module_settings;

/// Names less alike than this are not suggested.
const ALIKE: f64 = 0.84;

/// What to say about the unknown `name` in `[section]`.
pub(super) fn unknown_key(section: &str, name: &str) -> String {
    let here = SECTIONS.iter().filter(|known| known.name == section);
    let closest = nearest(name, here.flat_map(|known| known.keys).map(|key| key.name));
    if let Some(closest) = closest {
        return format!("there is no such key; did you mean `{closest}`?");
    }
    match elsewhere(name) {
        Some(key) => format!("there is no such key; did you mean `{}`?", key.path),
        None => "there is no such key; remove it".to_owned(),
    }
}

/// What to say about the unknown `[section]`.
pub(super) fn unknown_section(name: &str) -> String {
    match nearest(name, SECTIONS.iter().map(|section| section.name)) {
        Some(closest) => format!("there is no such section; did you mean `[{closest}]`?"),
        None => "there is no such section; remove it".to_owned(),
    }
}

/// What to say about a key above the first section.
pub(super) fn outside(name: &str) -> String {
    match elsewhere(name) {
        Some(key) => {
            let section = key.path.split('.').next().unwrap_or_default();
            format!(
                "this key stands outside of any section; write it as `{}` below `[{section}]`",
                key.name
            )
        }
        None => unknown_section(name),
    }
}

/// The key of another section, or the one that replaces a name of the original add-on's.
fn elsewhere(name: &str) -> Option<&'static key::Key> {
    let renamed = module_settings::key_of(name).and_then(key::find);
    renamed.or_else(|| {
        let closest = nearest(name, key::all().map(|key| key.name))?;
        key::all().find(|key| key.name == closest)
    })
}

fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("splynx", "api_domian", "there is no such key; did you mean `api_domain`?")]
    #[case("server", "Listen", "there is no such key; did you mean `listen`?")]
    #[case(
        "splynx",
        "transaction_speed",
        "there is no such key; did you mean `bitpay.transaction_speed`?"
    )]
    #[case("payments", "fee_VAT", "there is no such key; did you mean `fee_vat_percent`?")]
    #[case(
        "splynx",
        "serviceFee",
        "there is no such key; did you mean `payments.service_fee_percent`?"
    )]
    #[case("server", "colour", "there is no such key; remove it")]
    fn an_unknown_key_is_compared_with_the_known(
        #[case] section: &str,
        #[case] name: &str,
        #[case] sentence: &str,
    ) {
        assert_eq!(unknown_key(section, name), sentence);
    }

    #[rstest]
    #[case("sever", "there is no such section; did you mean `[server]`?")]
    #[case("mail", "there is no such section; remove it")]
    fn an_unknown_section_is_compared_with_the_known(#[case] name: &str, #[case] sentence: &str) {
        assert_eq!(unknown_section(name), sentence);
    }

    #[test]
    fn a_key_outside_of_any_section_is_told_where_it_belongs() {
        assert_eq!(
            outside("api_secret"),
            "this key stands outside of any section; write it as `api_secret` below `[splynx]`"
        );
    }
}
