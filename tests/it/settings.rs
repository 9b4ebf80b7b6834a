//! The module's settings inside Splynx: followed, shown as the source of a value, and named when they are no good.

use serde_json::json;

use crate::support::{Engine, PATIENCE, Setup, World, eventually, on_both_databases};

on_both_databases! {
    settings_in_splynx_are_shown_as_the_source_and_a_bad_one_is_named,
}

async fn settings_in_splynx_are_shown_as_the_source_and_a_bad_one_is_named(engine: Engine) {
    let world = World::stopped(engine, Setup { paired: false, ..Setup::default() }).await;
    world.splynx.edit(|world| {
        let settings = world.module_settings();
        settings.insert("bank_statements_group".to_owned(), json!("day"));
        settings.insert("fee_message".to_owned(), json!("Bitpay fee"));
        settings.insert("serviceFee".to_owned(), json!("1,5"));
    });
    let show = || {
        let shown = world.addon.run(&["config", "show"]);
        assert!(shown.status.success());
        String::from_utf8(shown.stdout).unwrap()
    };
    let line = |name: &str| {
        let shown = show();
        shown.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    assert!(line("bank_statements_group").ends_with("# default"));
    world.addon.start().await;
    eventually("the source is shown", PATIENCE, async || {
        let line = line("bank_statements_group");
        let shown = line.contains("\"day\"") && line.ends_with("# Splynx module settings");
        if shown { Ok(()) } else { Err(line) }
    })
    .await;
    assert!(
        line("fee_text").ends_with("# Splynx module settings"),
        "the same value as the default"
    );
    assert!(
        line("service_fee_percent").contains("# line "),
        "what cannot be used is not the source"
    );
    let diagnosis = world.addon.run(&["doctor"]);
    assert_eq!(diagnosis.status.code(), Some(1));
    let said = String::from_utf8(diagnosis.stdout).unwrap();
    let bad = said.lines().find(|line| line.starts_with("BAD  module settings")).unwrap();
    assert!(bad.contains("serviceFee") && bad.contains("payments.service_fee_percent"), "{bad}");
    world.addon.kill();
    assert!(line("bank_statements_group").contains("\"day\""), "Splynx is not asked");
}
