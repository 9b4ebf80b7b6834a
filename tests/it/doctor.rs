//! What `doctor` finds, and what it says to do about it.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};

use crate::support::{Engine, PATIENCE, Setup, World, eventually, on_both_databases};

on_both_databases! {
    all_is_well,
    a_token_that_was_switched_off_is_bad_and_a_bitpay_that_is_down_is_waited_for,
    another_currency_than_splynx_is_bad_and_serve_says_so_too,
    missing_permissions_are_named_and_only_payments_and_invoices_are_fatal,
    a_fee_category_that_splynx_does_not_know_is_bad,
    entry_points_that_are_missing_are_named,
    what_to_do_depends_on_what_is_wrong,
}

/// What `doctor` said.
#[derive(Debug)]
struct Diagnosis {
    code: Option<i32>,
    checks: Vec<Value>,
}

impl Diagnosis {
    fn of(world: &World) -> Self {
        let output = world.addon.run(&["doctor", "--json"]);
        let said = String::from_utf8(output.stdout).unwrap();
        world.hides_secrets("the diagnosis", &said);
        let checks = serde_json::from_str(&said).unwrap_or_else(|error| {
            panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr))
        });
        Self { code: output.status.code(), checks }
    }

    /// Everything said under one name with this verdict, remedies too.
    fn said(&self, name: &str, verdict: &str) -> String {
        let of = |check: &&Value| check["name"] == name && check["verdict"] == verdict;
        let texts = |check: &Value| format!("{}\n{}\n", check["found"], check["remedy"]);
        self.checks.iter().filter(of).map(texts).collect()
    }

    /// Fails unless all these words were said under one name with this verdict.
    fn says(&self, name: &str, verdict: &str, words: &[&str]) {
        let said = self.said(name, verdict);
        for word in words {
            assert!(said.contains(word), "{name} {verdict}: {word} is not in {:#?}", self.checks);
        }
    }
}

async fn all_is_well(engine: Engine) {
    let setup = Setup { alerts: "mail_to = \"noc@isp.example\"".to_owned(), ..Setup::default() };
    let world = World::with(engine, setup).await;
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(0), "{diagnosis:#?}");
    // Stories wait for seconds instead of minutes, which the configuration warns of.
    let good = |check: &Value| check["verdict"] == "good" || check["name"] == "configuration";
    assert!(diagnosis.checks.iter().all(good), "{diagnosis:#?}");
    diagnosis.says("pairing", "good", &["knows our token"]);
    diagnosis.says("currency", "good", &["USD"]);
}

async fn a_token_that_was_switched_off_is_bad_and_a_bitpay_that_is_down_is_waited_for(
    engine: Engine,
) {
    let world = World::new(engine).await;
    let down = Kind::Status(Answer::bare(StatusCode::SERVICE_UNAVAILABLE));
    world.bitpay.arm(Fault::on(Method::GET, "tokens", down));
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(1));
    diagnosis.says("pairing", "bad", &["503", "wait"]);
    world.bitpay.disarm();
    for token in world.bitpay.tokens() {
        assert!(world.bitpay.disable_token(&token.value));
    }
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(1));
    diagnosis.says("pairing", "bad", &["refused", "splynx-bitpay pair CODE"]);
}

async fn another_currency_than_splynx_is_bad_and_serve_says_so_too(engine: Engine) {
    let world = World::stopped(engine, Setup { paired: false, ..Setup::default() }).await;
    world.splynx.edit(|world| {
        let localization = ("main".to_owned(), "localization".to_owned(), 0);
        world.settings.get_mut(&localization).unwrap().insert("currency".to_owned(), json!("EUR"));
    });
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(1));
    diagnosis.says(
        "currency",
        "bad",
        &["in USD", "says EUR", "[payments] currency", "Localization"],
    );
    world.addon.start().await;
    eventually("serve tells of the currencies", PATIENCE, async || {
        let log = world.addon.log();
        let told = log.lines().any(|line| {
            line.contains("ERROR") && line.contains("USD") && line.contains("says EUR")
        });
        if told { Ok(()) } else { Err(log) }
    })
    .await;
}

async fn missing_permissions_are_named_and_only_payments_and_invoices_are_fatal(engine: Engine) {
    let world = World::new(engine).await;
    let customers = r"api\admin\customers\Customer";
    world.splynx.edit(|world| world.access.set_permission(customers, "view", false));
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(0), "{diagnosis:#?}");
    diagnosis.says("Splynx permissions", "warning", &[r"customers\\Customer [view]"]);
    assert_eq!(diagnosis.said("Splynx permissions", "good"), "", "{diagnosis:#?}");
    for (controller, action) in [("Payments", "index"), ("Invoices", "view")] {
        let name = format!(r"api\admin\finance\{controller}");
        world.splynx.edit(|world| world.access.set_permission(&name, action, false));
        let diagnosis = Diagnosis::of(&world);
        assert_eq!(diagnosis.code, Some(1), "{diagnosis:#?}");
        let missing = format!(r"finance\\{controller} [{action}]");
        diagnosis.says("Splynx permissions", "bad", &[&missing, "Administration > API keys"]);
        world.splynx.edit(|world| world.access.set_permission(&name, action, true));
    }
}

async fn a_fee_category_that_splynx_does_not_know_is_bad(engine: Engine) {
    let setup = Setup { fee_percent: "1", ..Setup::default() };
    let world = World::with(engine, setup).await;
    Diagnosis::of(&world).says("fee category", "good", &["5 Correction"]);
    let good = world.configuration();
    world.configure_as(&good.replace("[payments]", "[payments]\ntransaction_fee_category = 77"));
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(1));
    diagnosis.says(
        "fee category",
        "bad",
        &["no transaction category 77", "1 Service", "5 Correction"],
    );
}

async fn entry_points_that_are_missing_are_named(engine: Engine) {
    let world = World::new(engine).await;
    world.splynx.edit(|world| {
        world.entry_points.retain(|point| point.name != "bitpay_pay_invoice_point");
    });
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(0), "{diagnosis:#?}");
    diagnosis.says("entry points", "warning", &["bitpay_pay_invoice_point", "Modules list"]);
    assert!(!diagnosis.said("entry points", "warning").contains("request"), "{diagnosis:#?}");
    assert!(!diagnosis.said("entry points", "warning").contains("module"), "{diagnosis:#?}");
    world.splynx.edit(|world| world.entry_points.clear());
    Diagnosis::of(&world).says(
        "entry points",
        "warning",
        &["none is there, probably not even the module splynx_bitpay_addon", "install-splynx"],
    );
}

async fn what_to_do_depends_on_what_is_wrong(engine: Engine) {
    let world = World::stopped(engine, Setup { paired: false, ..Setup::default() }).await;
    let good = world.configuration();
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(1));
    diagnosis.says("public address", "bad", &["/bitpay/result/", "[server] listen"]);

    world.configure_as(&good.replace("api_secret = \"", "api_secret = \"not"));
    Diagnosis::of(&world).says("Splynx API", "bad", &["allowed IPs"]);
    world.configure_as(&good);

    let broken = Kind::Status(Answer::bare(StatusCode::BAD_GATEWAY));
    world.splynx.arm(Fault::on_any("", broken));
    Diagnosis::of(&world).says("Splynx API", "bad", &["502", "Splynx itself"]);
    world.splynx.disarm();

    world.remove_configuration();
    let diagnosis = Diagnosis::of(&world);
    assert_eq!(diagnosis.code, Some(1));
    diagnosis.says("configuration", "bad", &["no such file", "config default"]);
}
