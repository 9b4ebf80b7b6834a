//! `install-splynx` on a host with a Splynx-like tree: what it calls, what it writes, what it says.

mod nginx;
mod php;
mod site;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rstest::rstest;
use serde_json::json;
use splynx_bitpay::sim::splynx::{Options, Simulator};

use site::{API_SECRET, Site};

/// The calls of a first installation, one per line.
const CALLS: &str = include_str!("../../splynx-tree.calls");

/// Every step, in order.
const STEPS: [&str; 8] = [
    "Splynx",
    "API key",
    "allowed IPs",
    "permissions",
    "module",
    "module settings",
    "nginx",
    "entry points",
];

async fn splynx() -> Simulator {
    Simulator::start(Options::default()).await.unwrap()
}

/// What `config-set` would have done in a real Splynx.
fn take_settings_over(calls: &str, simulator: &Simulator) {
    for call in calls.lines().filter(|call| call.starts_with("config-set ")) {
        let (key, value) = call.split_once(" --key=").unwrap().1.split_once(" --value=").unwrap();
        simulator.edit(|world| world.module_settings().insert(key.to_owned(), json!(value)));
    }
}

#[tokio::test]
async fn a_first_installation_makes_the_agreed_calls_and_writes_the_key() {
    let simulator = splynx().await;
    let site = Site::towards(simulator.url());
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o640)).unwrap();

    let said = site.install(&[]);

    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:#?}");
    assert_eq!(site.take_calls(), CALLS);
    for name in STEPS {
        said.step(name);
    }
    said.says("API key", &["done", "key 17"]);
    said.says("module", &["done", "splynx-addon-base-2"]);
    said.says("entry points", &["all 5"]);
    let config = site.read("config.toml");
    assert!(config.contains("api_key = \"0123456789abcdef0123456789abcdef\"\n"), "{config}");
    assert!(config.contains(&format!("api_secret = \"{API_SECRET}\"\n")), "{config}");
    assert!(config.starts_with("# Ours.\n") && config.contains("  # as customers see it\n"));
    let mode = fs::metadata(site.config()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
    assert_eq!(site.run(&["config", "check"], "").code, Some(0));
}

#[tokio::test]
async fn a_repetition_finds_everything_there_and_changes_nothing() {
    let simulator = splynx().await;
    let site = Site::towards(simulator.url());
    site.install(&[]);
    take_settings_over(&site.take_calls(), &simulator);
    let before = site.files();

    let said = site.install(&[]);

    assert_eq!(said.code, Some(0), "{said:#?}");
    for name in STEPS.iter().filter(|name| **name != "nginx") {
        said.says(name, &["was there"]);
    }
    let calls = site.take_calls();
    assert!(!calls.contains("white-list") && !calls.contains("config-set"), "{calls}");
    assert_eq!(site.files(), before, "not even the base is run again");
}

#[tokio::test]
async fn what_an_admin_set_in_splynx_stays_and_the_rest_is_filled_in() {
    let simulator = Simulator::start(Options { currency: "EUR".to_owned(), ..Options::default() })
        .await
        .unwrap();
    simulator.edit(|world| {
        world.module_settings().insert("serviceFee".to_owned(), json!("2.5"));
        world.module_settings().insert("fee_message".to_owned(), json!(""));
    });
    let site = Site::towards(simulator.url());

    let said = site.install(&[]);

    said.says("module settings", &["done", "currency = EUR", "transaction_speed = medium"]);
    let calls = site.take_calls();
    let set: Vec<&str> = calls.lines().filter(|call| call.starts_with("config-set ")).collect();
    assert_eq!(set.len(), 8 - 2, "{set:?}");
    assert!(set.iter().all(|call| !call.contains("serviceFee") && !call.contains("fee_message")));
}

#[test]
fn without_having_read_the_settings_none_is_written() {
    let site = Site::new();
    let said = site.install(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.says("module settings", &["not possible", "no connection"]);
    said.says("entry points", &["not possible", "api_domain"]);
    assert!(!site.take_calls().contains("config-set"));
}

#[tokio::test]
async fn a_key_that_splynx_does_not_accept_gets_its_addresses_again() {
    let simulator = splynx().await;
    let site = Site::towards(simulator.url());
    site.install(&[]);
    site.take_calls();
    simulator.edit(|world| "other".clone_into(&mut world.access.secret));

    let said = site.install(&[]);

    said.says("allowed IPs", &["done: 127.0.0.1"]);
    assert!(site.take_calls().contains("api-key-white-list --id=17 --list=127.0.0.1\n"));
}

#[test]
fn another_key_in_splynx_replaces_the_one_in_the_configuration() {
    let site = Site::new();
    site.install(&[]);
    fs::write(site.splynx().join("api-key"), "new,pair\n").unwrap();
    site.install(&[]).says("API key", &["done"]);
    let config = site.read("config.toml");
    assert!(config.contains("api_key = \"new\"") && config.contains("api_secret = \"pair\""));
}

#[rstest]
#[case("add-or-get-api-key", 1, "API key", &["FAILED", "Not this one", "Administration > API keys > Add"])]
#[case("get-api-key-and-secret", 1, "API key", &["FAILED"])]
#[case("api-key-white-list", 1, "allowed IPs", &["FAILED", "write 127.0.0.1 into its allowed IPs"])]
#[case(
    r"finance\Payments --action=add",
    1,
    "permissions",
    &["FAILED", "1 of ", r"-> allow api\admin\finance\Payments [add]"]
)]
#[case(r"finance\Invoices --action=update", 1, "permissions", &["FAILED", r"Invoices [update]"])]
#[case(
    r"finance\Requests --action=view",
    0,
    "permissions",
    &["not possible", r"-> allow api\admin\finance\Requests [view]"]
)]
#[case(r"config\Mail", 0, "permissions", &["not possible", "Mail [index]", "Mail [add]"])]
#[case("config-set", 0, "module settings", &["not possible", "Not this one"])]
#[tokio::test]
async fn a_call_that_fails_is_named_and_a_repetition_mends_it(
    #[case] call: &str,
    #[case] code: i32,
    #[case] step: &str,
    #[case] words: &[&str],
) {
    let simulator = splynx().await;
    let site = Site::towards(simulator.url());
    site.let_fail(&format!("{call}\n"));

    let said = site.install(&[]);

    assert_eq!(said.code, Some(code), "{said:#?}");
    said.says(step, words);
    // The other steps went on.
    said.says("entry points", &[]);
    site.let_fail("");
    let said = site.install(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(!said.out.contains("FAILED"), "{said:#?}");
    assert!(site.read("config.toml").contains("api_key = \"0123"));
}

#[test]
fn a_splynx_that_answers_nonsense_gets_no_further() {
    let site = Site::new();
    fs::write(site.splynx().join("api-key"), "Sorry, no such key\n").unwrap();
    let said = site.install(&[]);
    assert_eq!(said.code, Some(1));
    said.says("API key", &["FAILED", "something else than key and secret"]);
    assert!(!site.take_calls().contains("set-api-key-permission"));
}

#[test]
fn without_a_splynx_on_the_host_everything_to_click_is_said_and_nothing_failed() {
    let site = Site::new();
    fs::remove_dir_all(site.splynx()).unwrap();
    let said = site.install(&[]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:#?}");
    said.says(
        "Splynx",
        &[
            "not possible",
            r"allow api\admin\finance\Payments [index, view, add]",
            "config set",
            "--export",
        ],
    );
    said.says("nginx", &["not possible", "127.0.0.1:8330"]);
    said.says("entry points", &["not possible"]);
    assert!(!site.splynx().exists());
}

#[test]
fn without_the_add_on_base_the_module_is_explained_and_nothing_failed() {
    let site = Site::new();
    fs::remove_dir_all(site.splynx().join("addons/splynx-addon-base-2")).unwrap();
    let said = site.install(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.says(
        "module",
        &["not possible", "splynx-addon-base-2", "name: bitpay_log", "dashboard-pay.twig"],
    );
    assert!(site.addon().join("entry-points/dashboard-pay.twig").exists());
    assert_eq!(site.read("splynx/registered.json"), "");
}

#[test]
fn the_older_add_on_base_does_as_well() {
    let site = Site::new();
    let addons = site.splynx().join("addons");
    fs::rename(addons.join("splynx-addon-base-2"), addons.join("splynx-addon-base")).unwrap();
    site.install(&[]).says("module", &["done", "by splynx-addon-base"]);
    assert_eq!(site.read("splynx/registered.json").lines().count(), 1);
}

#[test]
fn a_base_that_fails_is_a_failure_in_its_own_words() {
    let site = Site::new();
    let autoload = site.splynx().join("addons/splynx-addon-base-2/vendor/autoload.php");
    let good = fs::read(&autoload).unwrap();
    fs::write(&autoload, "<?php fwrite(STDERR, 'no database today'); exit(3);").unwrap();
    let said = site.install(&[]);
    assert_eq!(said.code, Some(1));
    said.says("module", &["FAILED", "no database today", "name: bitpay_log"]);

    fs::write(&autoload, good).unwrap();
    let said = site.install(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.says("module", &["done"]);
}

#[tokio::test]
async fn entry_points_that_somebody_deleted_are_registered_again() {
    let simulator = splynx().await;
    let site = Site::towards(simulator.url());
    site.install(&[]);
    simulator.edit(|world| world.entry_points.retain(|point| point.name != "bitpay_log"));
    let said = site.install(&[]);
    said.says("module", &["done"]);
    said.says("entry points", &["not possible", "bitpay_log"]);
    assert_eq!(site.read("splynx/registered.json").lines().count(), 2);
}

#[test]
fn a_dry_run_says_what_it_would_run_and_touches_nothing() {
    let site = Site::new();
    let before = site.files();
    let said = site.install(&["--dry-run"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(site.files(), before);
    let script = site.splynx().join("system/script/addon");
    let call = format!(
        "would run: {} add-or-get-api-key '--title=Splynx BitPay add-on'",
        script.display()
    );
    said.says("API key", &["would be done", &call]);
    said.says("permissions", &["would be done", "--rule=allow"]);
    said.says("module", &["would be done", "php yii install/index"]);
}

#[test]
fn for_a_splynx_elsewhere_everything_is_written_into_a_folder() {
    let site = Site::new();
    let folder = site.home().join("export");
    let said = site.run(&["install-splynx", "--export", folder.to_str().unwrap()], "");
    assert_eq!(said.code, Some(0), "{said:#?}");
    let text = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    assert!(text("nginx/splynx-bitpay.addons").contains("proxy_pass http://127.0.0.1:8330;"));
    assert!(text("apache/splynx-bitpay.conf").contains("ProxyPass"));
    assert!(text("splynx-bitpay/yii").contains("ConsoleApplication"));
    assert!(text("splynx-bitpay/entry-points/dashboard-pay.twig").contains("autoescape"));
    let readme = text("README.txt");
    for words in ["[index, view, add]", "bitpay_pay_invoice_point", "trusted_proxies"] {
        assert!(readme.contains(words), "{words}: {readme}");
    }
    assert_eq!(site.take_calls(), "");
}

#[test]
fn without_a_configuration_nothing_is_begun() {
    let site = Site::new();
    fs::remove_file(site.config()).unwrap();
    let said = site.install(&[]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("there is no such file"), "{said:#?}");
    assert_eq!(site.take_calls(), "");
}

#[test]
fn a_secret_is_set_by_standard_input_and_by_nothing_else() {
    let site = Site::new();
    let said = site.run(&["config", "set", "splynx.api_secret", "hunter2"], "");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("config set splynx.api_secret -"), "{said:#?}");
    assert!(!site.read("config.toml").contains("hunter2"));

    let said = site.run(&["config", "set", "splynx.api_secret", "-"], "hunter2\n");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:#?}");
    assert!(!said.out.contains("hunter2"), "{said:#?}");
    assert!(site.read("config.toml").contains("api_secret = \"hunter2\"\n"));

    let said = site.run(&["config", "get", "splynx.api_secret"], "");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(!said.err.contains("hunter2"), "{said:#?}");
}

#[test]
fn a_value_is_set_and_read_again() {
    let site = Site::new();
    let said = site.run(&["config", "set", "splynx.splynx_url", "https://isp.test"], "");
    assert_eq!(said.code, Some(0), "{said:#?}");
    let said = site.run(&["config", "get", "splynx.splynx_url"], "");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "https://isp.test\n"));
    let before = site.read("config.toml");
    let said = site.run(&["config", "set", "splynx.splynx_url", "isp.test"], "");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert_eq!(site.read("config.toml"), before);
}

/// The files that a person copies or reads are those in the repository.
fn deploy(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)).unwrap()
}
