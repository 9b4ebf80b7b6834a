//! What the module's settings inside Splynx (Config → Integrations → Modules list) change about payments.
//!
//! **Invariant:** they reach eight keys and no other: not who is believed, not where money goes, not what is
//! reachable. What the environment sets stays, and a setting that cannot be used leaves the file's value in force.

use std::collections::BTreeMap;

use super::{Config, parse};
use crate::domain::money::{Currency, Money};
use crate::domain::rules::PaymentRules;

/// The settings by their names inside Splynx, and the keys they stand for (design 5).
const SETTINGS: [(&str, &str); 8] = [
    ("transaction_speed", "bitpay.transaction_speed"),
    ("currency", "payments.currency"),
    ("payment_method_id", "payments.payment_method_id"),
    ("serviceFee", "payments.service_fee_percent"),
    ("fee_VAT", "payments.fee_vat_percent"),
    ("fee_message", "payments.fee_text"),
    ("transaction_fee_category", "payments.transaction_fee_category"),
    ("bank_statements_group", "payments.bank_statements_group"),
];

/// The key that a setting of the original add-on's stands for.
pub(super) fn key_of(setting: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(name, _)| *name == setting).map(|(_, key)| *key)
}

/// Whether a setting inside Splynx stands for this key.
pub(super) fn reaches(key: &str) -> bool {
    SETTINGS.iter().any(|(_, reached)| *reached == key)
}

/// The rules in force: the environment before Splynx's settings before the file. A setting that is empty counts as
/// not made; one that cannot be used is left out with a warning that names it.
#[must_use]
pub fn overlay(
    config: &Config,
    settings: &BTreeMap<String, String>,
) -> (PaymentRules, Vec<String>) {
    let mut rules = config.rules.clone();
    let mut warnings = Vec::new();
    for (setting, key, value) in applicable(config, settings) {
        if let Err(sentence) = apply(&mut rules, key, value) {
            warnings.push(format!(
                "the module's setting `{setting}` in Splynx is not used, {key} stays as it is: {sentence}"
            ));
        }
    }
    (rules, warnings)
}

/// The keys whose values come from Splynx, with these values: for `config show`.
#[must_use]
pub fn used<'a>(
    config: &Config,
    settings: &'a BTreeMap<String, String>,
) -> BTreeMap<&'static str, &'a str> {
    let mut rules = config.rules.clone();
    let good = applicable(config, settings)
        .filter(|(_, key, value)| apply(&mut rules, key, value).is_ok());
    good.map(|(_, key, value)| (key, value)).collect()
}

/// What these rules are as settings, by their names inside Splynx.
#[must_use]
pub fn of(rules: &PaymentRules) -> Vec<(&'static str, String)> {
    let value = |key: &str| {
        Some(match key {
            "bitpay.transaction_speed" => rules.transaction_speed.code().to_owned(),
            "payments.currency" => rules.currency.code().to_owned(),
            "payments.payment_method_id" => rules.payment_method_id.to_string(),
            "payments.service_fee_percent" => rules.fee.percent.to_string(),
            "payments.fee_vat_percent" => rules.fee.vat_percent.to_string(),
            "payments.fee_text" => rules.fee.text.clone(),
            "payments.transaction_fee_category" => rules.fee.category.to_string(),
            "payments.bank_statements_group" => rules.statements.code().to_owned(),
            _ => return None,
        })
    };
    SETTINGS.into_iter().filter_map(|(setting, key)| Some((setting, value(key)?))).collect()
}

/// The settings that are made and that the environment does not override, as `(setting, key, value)`.
fn applicable<'a>(
    config: &Config,
    settings: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'static str, &'static str, &'a str)> {
    let value = |setting: &str| settings.get(setting).map(|value| value.trim());
    SETTINGS
        .into_iter()
        .filter(|(_, key)| !config.pinned.contains(key))
        .filter_map(move |(setting, key)| Some((setting, key, value(setting)?)))
        .filter(|(_, _, value)| !value.is_empty())
}

fn apply(rules: &mut PaymentRules, key: &str, value: &str) -> Result<(), String> {
    let word = value.to_ascii_lowercase();
    match key {
        "bitpay.transaction_speed" => rules.transaction_speed = parse::transaction_speed(&word)?,
        "payments.currency" => return switch_currency(rules, parse::currency(value)?),
        "payments.payment_method_id" => rules.payment_method_id = parse::row_text(value)?,
        "payments.service_fee_percent" => rules.fee.percent = parse::percent(value)?,
        "payments.fee_vat_percent" => rules.fee.vat_percent = parse::percent(value)?,
        "payments.fee_text" => rules.fee.text = parse::fee_text(value)?,
        "payments.transaction_fee_category" => rules.fee.category = parse::row_text(value)?,
        "payments.bank_statements_group" => rules.statements = parse::statement_group(&word)?,
        other => return Err(format!("{other} is not for the module's settings")),
    }
    Ok(())
}

/// Takes minimum and maximum over into another currency: the same numbers, rounded inwards to its minor unit.
fn switch_currency(rules: &mut PaymentRules, currency: Currency) -> Result<(), String> {
    let minimum = Money::rounded_up(rules.minimum.to_decimal(), currency);
    let maximum = Money::rounded_down(rules.maximum.to_decimal(), currency);
    match (minimum, maximum) {
        (Ok(minimum), Ok(maximum)) if minimum.minor() <= maximum.minor() => {
            rules.minimum = minimum;
            rules.maximum = maximum;
            rules.currency = currency;
            Ok(())
        }
        _ => Err(format!(
            "no amount of {currency} lies between payments.minimum and payments.maximum"
        )),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Variables;
    use super::super::tests::loaded;
    use super::*;
    use crate::domain::rules::{StatementGroup, TransactionSpeed};

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn config() -> Config {
        loaded("", &Variables::default()).config
    }

    #[test]
    fn settings_come_before_the_file() {
        let all = settings(&[
            ("transaction_speed", "High"),
            ("currency", "EUR"),
            ("payment_method_id", "7"),
            ("serviceFee", "1.5"),
            ("fee_VAT", "20"),
            ("fee_message", "Bitcoin fee"),
            ("transaction_fee_category", "9"),
            ("bank_statements_group", "day"),
        ]);
        let (rules, warnings) = overlay(&config(), &all);

        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(rules.transaction_speed, TransactionSpeed::High);
        assert_eq!(rules.currency.code(), "EUR");
        assert_eq!(rules.minimum.to_string(), "1.00 EUR");
        assert_eq!(rules.maximum.to_string(), "10000.00 EUR");
        assert_eq!(rules.payment_method_id, 7);
        assert_eq!(rules.fee.percent.to_string(), "1.5");
        assert_eq!(rules.fee.vat_percent.to_string(), "20");
        assert_eq!(rules.fee.text, "Bitcoin fee");
        assert_eq!(rules.fee.category, 9);
        assert_eq!(rules.statements, StatementGroup::Day);
        assert_eq!(used(&config(), &all).len(), SETTINGS.len());
    }

    #[test]
    fn rules_written_as_settings_are_the_same_rules() {
        let text = "[payments]\ncurrency = \"EUR\"\npayment_method_id = 7\nservice_fee_percent = \"1.5\"\n\
                    fee_vat_percent = \"20\"\nfee_text = \"Bitcoin fee\"\ntransaction_fee_category = 9\n\
                    bank_statements_group = \"day\"\n[bitpay]\ntransaction_speed = \"low\"\n";
        let other = loaded(text, &Variables::default()).config;
        let settings: BTreeMap<String, String> =
            of(&other.rules).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(settings.len(), SETTINGS.len());
        assert_eq!(overlay(&config(), &settings), (other.rules, Vec::new()));
    }

    #[test]
    fn the_environment_comes_before_settings() {
        let variables = Variables::from_iter([("SPLYNX_BITPAY__PAYMENTS__CURRENCY", "GBP")]);
        let config = loaded("", &variables).config;
        let both = settings(&[("currency", "EUR"), ("payment_method_id", "7")]);
        let (rules, _) = overlay(&config, &both);
        assert_eq!(rules.currency.code(), "GBP");
        assert_eq!(rules.payment_method_id, 7);
        assert_eq!(used(&config, &both), BTreeMap::from([("payments.payment_method_id", "7")]));
    }

    #[rstest]
    #[case("transaction_speed", "fast", "bitpay.transaction_speed")]
    #[case("currency", "Dollars", "payments.currency")]
    #[case("payment_method_id", "0", "payments.payment_method_id")]
    #[case("payment_method_id", "5.0", "payments.payment_method_id")]
    #[case("serviceFee", "1,5", "payments.service_fee_percent")]
    #[case("fee_VAT", "200", "payments.fee_vat_percent")]
    #[case("fee_message", "a\nb", "payments.fee_text")]
    #[case("transaction_fee_category", "-1", "payments.transaction_fee_category")]
    #[case("bank_statements_group", "year", "payments.bank_statements_group")]
    fn a_setting_that_cannot_be_used_is_named_and_the_file_holds(
        #[case] setting: &str,
        #[case] value: &str,
        #[case] key: &str,
    ) {
        let config = config();
        let (rules, warnings) = overlay(&config, &settings(&[(setting, value)]));
        assert_eq!(rules, config.rules);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains(setting) && warnings[0].contains(key), "{warnings:?}");
    }

    #[test]
    fn no_other_key_can_be_reached() {
        let config = config();
        let others = settings(&[
            ("api_domain", "https://evil.example/"),
            ("splynx_url", "https://evil.example"),
            ("environment", "test"),
            ("api_url", "https://evil.example/"),
            ("minimum", "0.01"),
            ("currency", "  "),
        ]);
        assert_eq!(overlay(&config, &others), (config.rules.clone(), Vec::new()));
    }

    #[test]
    fn a_currency_without_cents_rounds_the_bounds_inwards() {
        let config =
            loaded("[payments]\nminimum = \"1.50\"\nmaximum = \"99.99\"", &Variables::default())
                .config;
        let (rules, warnings) = overlay(&config, &settings(&[("currency", "JPY")]));
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!((rules.minimum.minor(), rules.maximum.minor()), (2, 99));
    }

    #[test]
    fn a_currency_that_leaves_no_room_between_the_bounds_is_not_used() {
        let config =
            loaded("[payments]\nminimum = \"1.20\"\nmaximum = \"1.40\"", &Variables::default())
                .config;
        let (rules, warnings) = overlay(&config, &settings(&[("currency", "JPY")]));
        assert_eq!(rules, config.rules);
        assert_eq!(warnings.len(), 1);
    }
}
