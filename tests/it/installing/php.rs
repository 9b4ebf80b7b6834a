//! The PHP installer under real PHP, on a stand-in of Splynx's add-on base.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use splynx_bitpay::config;
use splynx_bitpay::splynx::GRANTS;

use super::site::Site;
use super::{deploy, splynx};

/// What the base was told to register.
fn registered(site: &Site) -> Value {
    serde_json::from_str(site.read("splynx/registered.json").lines().next().unwrap()).unwrap()
}

#[tokio::test]
async fn the_base_registers_the_same_permissions_and_entry_points_as_everything_else_says() {
    let simulator = splynx().await;
    let site = Site::towards(simulator.url());
    site.install(&[]);
    let registered = registered(&site);

    assert_eq!(registered["title"], "Splynx BitPay add-on");
    assert_eq!(registered["module"], "splynx_bitpay_addon");
    assert_eq!(registered["status"], "enabled");
    let granted = GRANTS
        .iter()
        .map(|grant| json!({ "controller": grant.controller, "actions": grant.actions }))
        .collect::<Value>();
    assert_eq!(registered["permissions"], granted);

    let mut points: Vec<Value> = serde_json::from_str(&deploy("entry-points.json")).unwrap();
    for point in &mut points {
        let point = point.as_object_mut().unwrap();
        assert_eq!(point.remove("module").unwrap(), registered["module"]);
        if let Some(file) = point.remove("code_file") {
            let code = deploy(&format!("entry-points/{}", file.as_str().unwrap()));
            point.insert("code".to_owned(), json!(code));
        }
    }
    assert_eq!(registered["entry_points"], json!(points));
}

#[test]
fn the_settings_in_splynx_are_those_that_the_add_on_reads() {
    let site = Site::new();
    site.install(&[]);
    let schema = &registered(&site)["settings"];
    assert_eq!(schema["path"], "splynx_bitpay_addon");
    let blocks = schema["blocks"].as_object().unwrap().values();
    let mut offered: Vec<&str> = blocks
        .flat_map(|block| block["items"].as_object().unwrap().keys().map(String::as_str))
        .collect();
    let loaded = config::load(&site.config()).unwrap().config;
    let mut read: Vec<&str> =
        config::module_settings::of(&loaded.rules).into_iter().map(|(name, _)| name).collect();
    offered.sort_unstable();
    read.sort_unstable();
    assert_eq!(offered, read);
    // What nobody chose must not stand before the configuration file.
    for block in schema["blocks"].as_object().unwrap().values() {
        for item in block["items"].as_object().unwrap().values() {
            assert_eq!(item["default"], "", "{item}");
        }
    }
}

#[test]
fn every_php_file_is_php() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/splynx-addon");
    for file in ["yii", "commands/InstallController.php", "config/console.php", "config/params.php"]
    {
        let output = Command::new("php").arg("-l").arg(root.join(file)).output().unwrap();
        assert!(output.status.success(), "{file}: {output:?}");
    }
}

#[test]
fn without_a_base_the_console_says_what_to_install() {
    let yii = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/splynx-addon/yii");
    let output = Command::new("php").arg(yii).arg("install/index").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("splynx-addon-base-2"));
}
