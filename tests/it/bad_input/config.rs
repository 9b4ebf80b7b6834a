//! Configurations: what is wrong is said with key and line, and nothing is started.

use crate::support::{Engine, SECRET_KEY, Setup, World, on_both_databases};

on_both_databases! {
    a_wrong_configuration_names_key_and_line_and_starts_nothing,
    a_database_sealed_with_another_key_is_refused,
    a_missing_configuration_is_named,
}

/// What to replace in the good file, by what, and the words that must be said.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("poll_seconds = 1", "poll_secnds = 1", &["worker.poll_secnds", "poll_seconds"]),
    ("poll_seconds = 1", "poll_seconds = \"often\"", &["worker.poll_seconds"]),
    ("poll_seconds = 1", "poll_seconds = -1", &["worker.poll_seconds"]),
    ("poll_seconds = 1", "poll_seconds = 0", &["worker.poll_seconds"]),
    ("[log]", "[lgo]", &["lgo"]),
    ("level = \"info\"", "level = \"loud\"", &["log.level", "loud"]),
    ("[payments]", "[payments]\ncurrency = \"XYZ\"", &["payments.currency", "XYZ"]),
    ("[payments]", "[payments]\nminimum = \"-1\"", &["payments.minimum"]),
    ("[payments]", "[payments]\nminimum = \"0.001\"", &["payments.minimum"]),
    ("[payments]", "[payments]\nmaximum = \"a lot\"", &["payments.maximum"]),
    ("[payments]", "[payments]\nmaximum = \"0.50\"", &["payments.m"]),
    ("[payments]", "[payments]\npayment_method_id = \"five\"", &["payments.payment_method_id"]),
    (
        "service_fee_percent = \"0\"",
        "service_fee_percent = \"-1\"",
        &["payments.service_fee_percent"],
    ),
    ("service_fee_percent = \"0\"", "service_fee_percent = 0.5x", &["line"]),
    ("environment = \"test\"", "environment = \"live\"", &["bitpay.environment"]),
    ("[splynx]", "[splynx]\nsession_cookie = \"a b\"", &["splynx.session_cookie"]),
    (
        "api_domain = \"http://127.0.0.1",
        "api_domain = \"http://isp.example",
        &["splynx.api_domain"],
    ),
    ("splynx_url = \"http://", "splynx_url = \"ftp://", &["splynx.splynx_url"]),
    ("listen = \"127", "listen = \"everywhere", &["server.listen"]),
    ("[worker]", "[worker", &["line"]),
];

async fn a_wrong_configuration_names_key_and_line_and_starts_nothing(engine: Engine) {
    let world = World::stopped(engine, Setup::default()).await;
    let good = world.configuration();
    for (part, wrong, words) in TABLE {
        assert!(good.contains(part), "{part} is not in the file");
        let text = good.replacen(part, wrong, 1);
        world.configure_as(&text);
        let served = world.addon.run(&["serve"]);
        let said = String::from_utf8(served.stderr).unwrap();
        assert_eq!(served.status.code(), Some(1), "{wrong}: {said}");
        for word in *words {
            assert!(said.contains(word), "{wrong}: {word} is not in: {said}");
        }
        let start = if wrong.starts_with('[') && wrong.contains('\n') {
            good.find(part).unwrap() + wrong.find('\n').unwrap() + 1
        } else {
            good.find(part).unwrap()
        };
        let line = text[..start].matches('\n').count() + 1;
        assert!(said.contains(&format!("line {line}")), "{wrong}: not line {line}: {said}");
        world.hides_secrets("the answer", &said);
        let checked = world.addon.run(&["config", "check"]);
        assert_eq!(checked.status.code(), Some(1), "{wrong}");
        assert!(world.addon.ops("/health").await.is_err(), "{wrong}: something was started");
    }
    assert!(!world.database_file().exists(), "no database was made");
    world.configure_as(&good);
    assert!(world.addon.run(&["config", "check"]).status.success());
}

async fn a_database_sealed_with_another_key_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    world.addon.kill();
    let good = world.configuration();
    let other = "f".repeat(64);
    world.configure_as(&good.replace(SECRET_KEY, &other));
    for command in [&["serve"][..], &["doctor"], &["attempts", "list"]] {
        let refused = world.addon.run(command);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&refused.stdout),
            String::from_utf8_lossy(&refused.stderr)
        );
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("another secret key"), "{command:?}: {said}");
        assert!(!said.contains(&other) && !said.contains(SECRET_KEY));
    }
    // No key at all: none is made that would hide the loss.
    let line = format!("secret_key = \"{SECRET_KEY}\"\n");
    assert!(good.contains(&line));
    world.configure_as(&good.replace(&line, ""));
    for command in [&["serve"][..], &["doctor"], &["attempts", "list"]] {
        let refused = world.addon.run(command);
        let said = [refused.stdout, refused.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("secret.key is missing"), "{command:?}: {said}");
        assert!(!world.database_file().with_file_name("secret.key").exists());
    }
    world.configure_as(&good);
    world.addon.start().await;
    world.addon.ready().await;
}

async fn a_missing_configuration_is_named(engine: Engine) {
    let world = World::stopped(engine, Setup::default()).await;
    world.configure_as("");
    let said = world.addon.run(&["serve"]);
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("splynx.api_key"), "{said}");
    world.remove_configuration();
    let said = world.addon.run(&["serve"]);
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("config.toml"), "{said}");
}
