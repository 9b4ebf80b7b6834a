//! Good and bad configuration files, and what is said about them.

use std::path::Path;

use rstest::rstest;
use secrecy::ExposeSecret as _;

use super::*;

/// Reads `text` as a file.
pub(super) fn load_text(text: &str, variables: &Variables) -> Result<Loaded, ConfigErrors> {
    parse_text(text, &Context { path: Path::new("/etc/splynx-bitpay/config.toml"), variables })
}

/// Reads `text` as a file that is good.
pub(super) fn loaded(text: &str, variables: &Variables) -> Loaded {
    load_text(text, variables).unwrap()
}

fn good(text: &str) -> Loaded {
    loaded(text, &Variables::default())
}

fn errors(text: &str, variables: &Variables) -> Vec<String> {
    load_text(text, variables).unwrap_err().findings().iter().map(ToString::to_string).collect()
}

fn value(loaded: &Loaded, path: &str) -> String {
    let entry = loaded.entries.iter().find(|entry| entry.key.path == path).unwrap();
    format!("{} # {}", entry.value, entry.place)
}

#[test]
fn an_empty_file_is_the_defaults_of_the_design() {
    let config = good("").config;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8330");
    assert_eq!(config.server.ops_listen.to_string(), "127.0.0.1:8331");
    assert_eq!(config.server.trusted_proxies, ["127.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
    assert!(matches!(config.database, Database::Sqlite(path)
        if path.as_os_str() == "/var/lib/splynx-bitpay/splynx-bitpay.db"));
    assert_eq!(config.splynx.api_domain.with_slash(), "https://isp.example/");
    assert_eq!(config.splynx.splynx_url.without_slash(), "https://isp.example");
    assert_eq!(config.splynx.session_cookie, "PHPSESSID");
    assert_eq!(config.bitpay.api_url.with_slash(), "https://bitpay.com/");
    assert_eq!(config.bitpay.environment.code(), "production");
    assert_eq!(config.rules.transaction_speed.code(), "medium");
    assert_eq!(config.rules.minimum.to_string(), "1.00 USD");
    assert_eq!(config.rules.maximum.to_string(), "10000.00 USD");
    assert_eq!(config.rules.payment_method_id, 5);
    assert_eq!(config.rules.fee.percent.to_string(), "0");
    assert_eq!(config.rules.fee.text, "Bitpay fee");
    assert_eq!(config.rules.fee.category, 5);
    assert_eq!(config.rules.statements.code(), "month");
    assert_eq!(config.worker.poll.num_seconds(), 30);
    assert_eq!(config.worker.monitor.num_days(), 30);
    assert_eq!(config.worker.timing.quiescence.num_seconds(), 600);
    assert_eq!(config.worker.reconcile.num_seconds(), 3600);
    assert_eq!(config.worker.splynx_rate.get(), 20);
    assert_eq!(config.worker.processor_rate.get(), 5);
    assert_eq!(config.alerts.repeat.num_hours(), 24);
    assert!(!config.alerts.reach_somebody());
    assert_eq!(config.log.format, LogFormat::Text);
}

#[test]
fn the_default_file_says_the_defaults_and_nothing_else() {
    let written = good(&reference::default_file());
    let nothing = good("");
    for (written, nothing) in written.entries.iter().zip(&nothing.entries) {
        assert_eq!((written.key, &written.value), (nothing.key, &nothing.value));
        assert!(matches!(written.place, Place::File { .. }), "{} stands in it", written.key.path);
    }
}

#[test]
fn without_credentials_a_file_can_be_read_but_not_served() {
    let loaded = good("");
    assert_eq!(loaded.warnings.len(), 1);
    let error = loaded.config.require_api().unwrap_err().to_string();
    assert!(error.contains("splynx.api_key: this is empty"), "{error}");
}

#[rstest]
#[case::malformed("[server]\nlisten = = 1", "line 2, column 10: this is not TOML: ")]
#[case::unclosed("\n[server\n", "line 2, column 8: this is not TOML: ")]
#[case::twice(
    "[log]\nlevel = \"info\"\nlevel = \"warn\"",
    "line 3, column 1: this is not TOML: duplicate key"
)]
#[case::unknown_key(
    "[splynx]\n\napi_domian = \"https://isp.example/\"",
    "line 3: splynx.api_domian: there is no such key; did you mean `api_domain`?"
)]
#[case::wrong_section(
    "[splynx]\ntransaction_speed = \"low\"",
    "line 2: splynx.transaction_speed: there is no such key; did you mean `bitpay.transaction_speed`?"
)]
#[case::unknown_section(
    "\n[sever]\nlisten = \"x\"",
    "line 2: sever: there is no such section; did you mean `[server]`?"
)]
#[case::no_section(
    "listen = \"127.0.0.1:1\"",
    "line 1: listen: this key stands outside of any section; write it as `listen` below `[server]`"
)]
#[case::section_as_value("server = 1", "line 1: server: this is a section; write `[server]`")]
#[case::text_as_number(
    "[worker]\npoll_seconds = \"30\"",
    "line 2: worker.poll_seconds: this is text; expected a whole number"
)]
#[case::number_as_text(
    "[bitpay]\nenvironment = 1",
    "line 2: bitpay.environment: this is a number; expected text in quotes"
)]
#[case::bool_as_text(
    "[log]\nlevel = true",
    "line 2: log.level: this is true or false; expected text in quotes"
)]
#[case::text_as_list(
    "[server]\ntrusted_proxies = \"127.0.0.1\"",
    "line 2: server.trusted_proxies: this is text; expected a list"
)]
#[case::list_of_numbers(
    "[server]\ntrusted_proxies = [1]",
    "line 2: server.trusted_proxies: this is a list; expected a list of texts"
)]
#[case::float_money(
    "[payments]\nminimum = 1.50",
    "line 2: payments.minimum: write it as a string, \"1.50\""
)]
#[case::float_percent(
    "[payments]\nservice_fee_percent = 2.5",
    "line 2: payments.service_fee_percent: write it as a string, \"2.5\""
)]
#[case::huge(
    "[worker]\npoll_seconds = 99999999999999999999",
    "line 2: worker.poll_seconds: this number is too large"
)]
#[case::listen(
    "[server]\nlisten = \"8330\"",
    "line 2: server.listen: `8330` is not an address with a port"
)]
#[case::ops_outside(
    "[server]\nops_listen = \"0.0.0.0:8331\"",
    "line 2: server.ops_listen: `0.0.0.0:8331` can be reached from outside"
)]
#[case::ops_same(
    "[server]\nops_listen = \"127.0.0.1:8330\"",
    "line 2: server.ops_listen: this is server.listen already"
)]
#[case::proxy(
    "[server]\ntrusted_proxies = [\"nginx\"]",
    "line 2: server.trusted_proxies: `nginx` is not an IP address"
)]
#[case::secret_key(
    "[server]\nsecret_key = \"abc\"",
    "line 2: server.secret_key: this is not a key: 64 hex"
)]
#[case::database(
    "[database]\nurl = \"mysql://h/d\"",
    "line 2: database.url: this names no database"
)]
#[case::http(
    "[splynx]\napi_domain = \"http://isp.example/\"",
    "line 2: splynx.api_domain: http:// is allowed on this machine only"
)]
#[case::http_public(
    "[splynx]\nsplynx_url = \"http://isp.example\"",
    "line 2: splynx.splynx_url: http:// is allowed on this machine only"
)]
#[case::page_of_the_portal(
    "[splynx]\nsplynx_url = \"https://isp.test/portal/\"",
    "line 2: splynx.splynx_url: write it without what stands behind the host: \"https://isp.test\""
)]
#[case::http_processor(
    "[bitpay]\napi_url = \"http://pay.example\"",
    "line 2: bitpay.api_url: http:// is allowed on this machine only"
)]
#[case::cookie(
    "[splynx]\nsession_cookie = \"a=b\"",
    "line 2: splynx.session_cookie: `a=b` is not the name of a cookie"
)]
#[case::key_alone("[splynx]\napi_key = \"abc\"", "splynx.api_secret: this is empty")]
#[case::secret_alone("[splynx]\napi_secret = \"abc\"", "splynx.api_key: this is empty")]
#[case::environment(
    "[bitpay]\nenvironment = \"sandbox\"",
    "line 2: bitpay.environment: `sandbox` is none of \"production\", \"test\""
)]
#[case::speed(
    "[bitpay]\ntransaction_speed = \"fast\"",
    "line 2: bitpay.transaction_speed: `fast` is none of"
)]
#[case::currency(
    "[payments]\ncurrency = \"DOLLAR\"",
    "line 2: payments.currency: `DOLLAR` is not an ISO 4217 currency"
)]
#[case::too_precise(
    "[payments]\nminimum = \"1.005\"",
    "line 2: payments.minimum: `1.005`: this amount has more than 2 decimal places"
)]
#[case::nothing("[payments]\nminimum = \"0\"", "line 2: payments.minimum: `0` is not above zero")]
#[case::crossed(
    "[payments]\nminimum = \"20\"\nmaximum = \"10\"",
    "line 2: payments.minimum: 20.00 USD is more than payments.maximum, 10.00 USD"
)]
#[case::maximum_below_the_default(
    "[payments]\nmaximum = \"0.50\"\n",
    "line 2: payments.maximum: 0.50 USD is less than payments.minimum, 1.00 USD"
)]
#[case::percent(
    "[payments]\nservice_fee_percent = \"101\"",
    "line 2: payments.service_fee_percent: `101` is not a percentage"
)]
#[case::vat(
    "[payments]\nfee_vat_percent = \"1.23456\"",
    "line 2: payments.fee_vat_percent: `1.23456` is not a percentage"
)]
#[case::fee_text(
    "[payments]\nfee_text = \"a\\nb\"",
    "line 2: payments.fee_text: this text has a line break"
)]
#[case::method(
    "[payments]\npayment_method_id = 0",
    "line 2: payments.payment_method_id: 0 is not a number of Splynx's"
)]
#[case::category(
    "[payments]\ntransaction_fee_category = -1",
    "line 2: payments.transaction_fee_category: -1 is not a number"
)]
#[case::group(
    "[payments]\nbank_statements_group = \"year\"",
    "line 2: payments.bank_statements_group: `year` is none of \"month\", \"day\""
)]
#[case::poll("[worker]\npoll_seconds = 0", "line 2: worker.poll_seconds: 0 is not from 1 to")]
#[case::days("[worker]\nmonitor_days = -1", "line 2: worker.monitor_days: -1 is not from 1 to")]
#[case::quiescence(
    "[worker]\nquiescence_seconds = 0",
    "line 2: worker.quiescence_seconds: 0 is not from 1 to"
)]
#[case::rate(
    "[worker]\nsplynx_requests_per_second = 0",
    "line 2: worker.splynx_requests_per_second: 0 is not from 1 to"
)]
#[case::mail(
    "[alerts]\nmail_to = \"nobody\"",
    "line 2: alerts.mail_to: this is not one e-mail address"
)]
#[case::webhook(
    "[alerts]\nwebhook_url = \"http://hooks.example/\"",
    "line 2: alerts.webhook_url: http:// is allowed on this machine only"
)]
#[case::repeat(
    "[alerts]\nrepeat_hours = 0",
    "line 2: alerts.repeat_hours: 0 is not from 1 to 8760"
)]
#[case::level("[log]\nlevel = \"verbose\"", "line 2: log.level: `verbose` is none of")]
#[case::format(
    "[log]\nformat = \"xml\"",
    "line 2: log.format: `xml` is none of \"text\", \"json\""
)]
fn a_bad_file_is_told_by_line_and_key(#[case] text: &str, #[case] sentence: &str) {
    let errors = errors(text, &Variables::default());
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].starts_with(sentence), "{errors:#?}");
}

#[test]
fn every_broken_line_is_told_and_nothing_is_said_about_the_rest() {
    let text = "[splynx]\napi_key = abc\n[log\nlevel = \"loud\"\n[server]\nlisten = = 1";
    let variables = Variables::from_iter([("SPLYNX_BITPAY__SPLYNX__API_SECRET", "x")]);
    let errors = errors(text, &variables);
    let lines: Vec<&str> = errors.iter().filter_map(|error| error.split(',').next()).collect();
    assert_eq!(lines, ["line 2", "line 3", "line 6"], "{errors:#?}");
}

#[test]
fn a_value_of_the_wrong_shape_is_told_once() {
    let text = "[splynx]\napi_key = \"abc\"\napi_secret = 5";
    let errors = errors(text, &Variables::default());
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].starts_with("line 3: splynx.api_secret: this is a number"), "{errors:#?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "[server]\nlisten = 1\nport = 80\n[payments]\ncurrency = \"???\"\nminimum = 0.5\n[mail]\n[log]\nlevel = \"loud\"";
    let variables = Variables::from_iter([("SPLYNX_BITPAY__LOG__FORMAT", "xml")]);
    let lines: Vec<String> = errors(text, &variables)
        .iter()
        .map(|error| error.split(": ").take(2).collect::<Vec<_>>().join(": "))
        .collect();
    assert_eq!(
        lines,
        [
            "line 2: server.listen",
            "line 3: server.port",
            "line 5: payments.currency",
            "line 6: payments.minimum",
            "line 7: mail",
            "line 9: log.level",
            "environment variable SPLYNX_BITPAY__LOG__FORMAT: log.format",
        ]
    );
}

#[test]
fn the_environment_comes_before_the_file() {
    let variables = Variables::from_iter([
        ("SPLYNX_BITPAY__PAYMENTS__MINIMUM", "2.50"),
        ("SPLYNX_BITPAY__WORKER__POLL_SECONDS", "5"),
        ("SPLYNX_BITPAY__SERVER__TRUSTED_PROXIES", "10.0.0.1, ::1"),
        ("PATH", "/bin"),
    ]);
    let loaded = loaded("[payments]\nminimum = \"3.00\"\nmaximum = \"100\"", &variables);
    assert_eq!(loaded.config.rules.minimum.to_string(), "2.50 USD");
    assert_eq!(loaded.config.worker.poll.num_seconds(), 5);
    assert_eq!(loaded.config.server.trusted_proxies.len(), 2);
    assert_eq!(
        value(&loaded, "payments.minimum"),
        "\"2.50\" # environment variable SPLYNX_BITPAY__PAYMENTS__MINIMUM"
    );
    assert_eq!(value(&loaded, "payments.maximum"), "\"100\" # line 3");
    assert_eq!(value(&loaded, "log.level"), "\"info\" # default");
    assert_eq!(
        value(&loaded, "server.trusted_proxies"),
        "[\"10.0.0.1\", \"::1\"] # environment variable SPLYNX_BITPAY__SERVER__TRUSTED_PROXIES"
    );
}

#[rstest]
#[case(
    "SPLYNX_BITPAY__SPLYNX__API_SECRT",
    "x",
    "splynx.api_secrt: there is no such key; did you mean `api_secret`?"
)]
#[case(
    "SPLYNX_BITPAY__WORKER__POLL_SECONDS",
    "often",
    "worker.poll_seconds: expected a whole number"
)]
#[case(
    "SPLYNX_BITPAY__PAYMENTS__CURRENCY",
    "DOLLAR",
    "payments.currency: `DOLLAR` is not an ISO 4217 currency"
)]
#[case("SPLYNX_BITPAY__", "x", "there is no such key; remove it")]
fn a_bad_variable_is_told_by_its_name(
    #[case] variable: &str,
    #[case] value: &str,
    #[case] sentence: &str,
) {
    let errors = errors("", &Variables::from_iter([(variable, value)]));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let expected = format!("environment variable {variable}: {sentence}");
    assert!(errors[0].starts_with(&expected), "{errors:#?}");
}

#[test]
fn secrets_are_references_or_texts_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "postgres://isp:hunter2@db.example/pay\n").unwrap();
    let text = format!(
        "[database]\nurl = \"file:{}\"\n[splynx]\napi_key = \"abc\"\napi_secret = \"env:SECRET\"\n\
         [server]\nsecret_key = \"{}\"",
        file.display(),
        "ab".repeat(32)
    );
    let loaded = loaded(&text, &Variables::from_iter([("SECRET", "hunter3")]));

    let api = loaded.config.require_api().unwrap();
    assert_eq!((api.key.as_str(), api.secret.expose_secret()), ("abc", "hunter3"));
    assert!(matches!(&loaded.config.database, Database::Postgres(url)
        if url.expose_secret() == "postgres://isp:hunter2@db.example/pay"));
    assert_eq!(value(&loaded, "splynx.api_secret"), "\"env:SECRET\" # line 5");
    assert_eq!(value(&loaded, "server.secret_key"), "\"********\" # line 7");
    assert_eq!(value(&loaded, "database.url"), format!("\"file:{}\" # line 2", file.display()));
    let debugged = format!("{loaded:?}");
    for secret in ["hunter2", "hunter3", "abab"] {
        assert!(!debugged.contains(secret), "{secret} is in {debugged}");
    }
}

#[test]
fn a_secret_that_cannot_be_had_is_told_by_its_key() {
    let text = "[splynx]\napi_key = \"abc\"\napi_secret = \"env:NOWHERE\"";
    assert_eq!(
        errors(text, &Variables::default()),
        ["line 3: splynx.api_secret: the environment variable NOWHERE is not set"]
    );
}

#[test]
fn a_small_quiescence_is_accepted_with_a_warning() {
    let loaded =
        good("[splynx]\napi_key = \"a\"\napi_secret = \"b\"\n[worker]\nquiescence_seconds = 10");
    assert_eq!(loaded.config.worker.timing.request_timeout.num_milliseconds(), 4000);
    assert_eq!(loaded.warnings.len(), 1);
    let warning = loaded.warnings[0].to_string();
    assert!(warning.starts_with("line 5: worker.quiescence_seconds: after 10 s"), "{warning}");
}

#[test]
fn addresses_get_and_lose_their_last_slash() {
    let splynx = good(
        "[splynx]\napi_domain = \"https://isp.example\"\nsplynx_url = \"https://isp.example/\"",
    )
    .config
    .splynx;
    assert_eq!(splynx.api_domain.with_slash(), "https://isp.example/");
    assert_eq!(splynx.splynx_url.without_slash(), "https://isp.example");
}

#[test]
fn the_test_environment_is_bitpays_test_site_unless_an_address_is_given() {
    let test = good("[bitpay]\nenvironment = \"test\"").config.bitpay;
    assert_eq!(test.api_url.with_slash(), "https://test.bitpay.com/");
    let simulator =
        good("[bitpay]\nenvironment = \"test\"\napi_url = \"http://127.0.0.1:9000\"").config.bitpay;
    assert_eq!(simulator.api_url.with_slash(), "http://127.0.0.1:9000/");
}

#[test]
fn whole_numbers_are_amounts_too() {
    let rules = good("[payments]\nminimum = 2\nservice_fee_percent = 1").config.rules;
    assert_eq!(rules.minimum.to_string(), "2.00 USD");
    assert_eq!(rules.fee.percent.to_string(), "1");
}

#[test]
fn a_file_that_is_not_there_is_told_with_what_to_do() {
    let error =
        load_with(Path::new("/nonexistent/config.toml"), &Variables::default()).unwrap_err();
    assert!(error.to_string().contains("splynx-bitpay config default"), "{error}");
}

#[test]
fn a_file_that_is_not_text_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let error = load_with(&path, &Variables::default()).unwrap_err();
    assert!(error.to_string().contains("not UTF-8"), "{error}");
}

#[test]
fn what_is_in_force_is_shown_with_its_origin() {
    let variables = Variables::from_iter([("SPLYNX_BITPAY__LOG__LEVEL", "debug")]);
    let loaded = loaded(
        "[splynx]\napi_key = \"abc\"\napi_secret = \"hunter2\"\n[database]\nurl = \"postgres://isp:hunter3@db/pay\"\n[alerts]\nwebhook_url = \"https://hooks.example/hunter4\"",
        &variables,
    );
    let settings = BTreeMap::from([("serviceFee".to_owned(), "1.5".to_owned())]);
    let shown = show::text(&loaded.entries, &module_settings::used(&loaded.config, &settings));
    insta::assert_snapshot!(shown);
}
