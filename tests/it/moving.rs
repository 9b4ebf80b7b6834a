//! An ISP that has grown: everything goes from one database to another, and the money goes on there.

use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use serde_json::json;
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use splynx_bitpay::sim::splynx::Status;

use crate::support::{
    Checkout, Database, Engine, PATIENCE, Setup, World, eventually, on_both_databases,
};

on_both_databases! {
    a_ledger_at_work_goes_on_in_the_other_database,
    a_move_that_is_killed_leaves_one_ledger_and_is_done_again,
    a_served_database_is_not_moved,
}

const MANUAL: &str = include_str!("../../docs/OPERATIONS.md");
const WHOLE: &str = "The journal is whole.";

/// An empty database of the other kind, and its address in a file that the configuration can name.
fn other(world: &World, engine: Engine) -> (Database, String) {
    let folder = world.database_file().parent().unwrap().join("new");
    fs::create_dir(&folder).unwrap();
    let other = match engine {
        Engine::Sqlite => Engine::Postgresql,
        Engine::Postgresql => Engine::Sqlite,
    };
    let database = Database::fresh(other, &folder);
    let file = folder.join("database-url");
    fs::write(&file, format!("{}\n", database.url())).unwrap();
    (database, format!("file:{}", file.display()))
}

fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A paid invoice whose payment Splynx refuses; a person was told.
async fn refused(world: &World, amount: &str) -> Checkout {
    let customer = world.customer().await;
    let checkout = customer.check_out(&world.invoice(&customer, amount)).await;
    world.pay(&checkout);
    eventually("a person is told", PATIENCE, async || {
        let story = world.story_of(&checkout.invoice);
        if story.contains("OPEN refused") { Ok(()) } else { Err(story) }
    })
    .await;
    checkout
}

fn settle(world: &World, checkout: &Checkout) {
    let id = world.attempt_of(&checkout.invoice).id;
    world.command(&["attempts", "settle", &id, "--to", "balance", "--note", "As agreed."]);
}

/// Splynx does not take payments of documents.
fn refuse_documents(world: &World) {
    let body = json!([{ "field": "invoice_id", "message": "Invoice is locked." }]);
    let answer =
        Answer { code: StatusCode::UNPROCESSABLE_ENTITY, body: Some(body), retry_after: None };
    let fault = Fault::on(Method::POST, "admin/finance/payments", Kind::Status(answer));
    world.splynx.arm(fault.containing("invoice_id"));
}

fn stories(world: &World) -> Vec<String> {
    let stories = world.attempts().into_iter();
    stories.map(|attempt| world.command(&["attempts", "show", &attempt.id])).collect()
}

async fn a_ledger_at_work_goes_on_in_the_other_database(engine: Engine) {
    let mut setup = Setup::default();
    setup.splynx.auto_allocate = false;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let paid = customer.check_out(&world.invoice(&customer, "10.00")).await;
    world.pay(&paid);
    world.results(&paid).says("paid").await;
    refuse_documents(&world);
    settle(&world, &refused(&world, "20.00").await);
    world.payments_become(2, PATIENCE).await;
    let waits_for_a_person = refused(&world, "30.00").await;
    let invoice = world.invoice(&customer, "40.00");
    let unpaid = customer.check_out(&invoice).await;
    let queued = customer.refill("50.00").await;
    world.splynx.arm(Fault::on_any("", Kind::Down));
    world.pay(&queued);
    world.results(&queued).says("settled").await;
    world.addon.stop().await;
    let (before, verified) = (stories(&world), world.command(&["audit", "verify"]));
    let head = verified.lines().find_map(|line| line.strip_prefix("head:  ")).unwrap();

    let (_database, to) = other(&world, engine);
    let said = world.command(&["move-database", "--to", &to]);
    assert!(said.contains("attempts                5\n"), "{said}");
    assert!(said.contains(&format!("goes on behind {head}.")), "{said}");
    world.hides_secrets("the answer", &said);
    for words in [&["serve"][..], &["doctor"], &["attempts", "list"], &["reconcile"]] {
        let output = world.addon.run(words);
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("the database was moved to "), "{words:?}: {told}");
    }
    assert!(said.contains(&format!("splynx-bitpay config set database.url {to}\n")), "{said}");
    world.command(&["config", "set", "database.url", &to]);
    assert_eq!(stories(&world), before);

    world.splynx.disarm();
    world.addon.start().await;
    let payments = world.payments_become(3, PATIENCE).await;
    assert_eq!(payments[2].receipt_number, queued.key(1));
    world.results(&queued).says("paid").await;
    world.pay(&unpaid);
    world.results(&unpaid).says("paid").await;
    assert_eq!(world.look(&invoice).status, Status::Paid);
    world.story_of(&waits_for_a_person.invoice).find("OPEN refused").unwrap();
    settle(&world, &waits_for_a_person);
    world.results(&waits_for_a_person).says("paid").await;
    world.payments_become(5, PATIENCE).await;
    world.nobody_is_called();
    world.books_agree();
    world.addon.ready().await;
    assert!(world.command(&["audit", "verify", "--head", head]).contains(WHOLE));
    assert!(world.command(&["audit", "show"]).contains("  moved  "));
}

async fn a_move_that_is_killed_leaves_one_ledger_and_is_done_again(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.addon.stop().await;
    // Enough to be in the middle of it for a while.
    world.database.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
         INSERT INTO nonces SELECT 'k' || i, i FROM n",
    );
    let (_database, to) = other(&world, engine);
    let (old, new) = (format!("url = \"{}\"", world.database.url()), format!("url = \"{to}\""));
    let served = world.configuration();
    let opens = |configuration: &str| {
        world.configure_as(configuration);
        let output = world.addon.run(&["attempts", "list"]);
        output.status.success() && !output.stdout.starts_with(b"No payment")
    };
    for moment in [20, 60, 120, 250, 500, 1000, 2000] {
        world.configure_as(&served);
        let after = Duration::from_millis(moment);
        world.addon.run_and_kill(&["move-database", "--to", &to], after).await;
        let both = (opens(&served), opens(&served.replace(&old, &new)));
        assert!(both == (true, false) || both == (false, true), "{moment} ms: {both:?}");
    }
    world.configure_as(&served);
    world.command(&["move-database", "--to", &to]);
    let again = world.command(&["move-database", "--to", &to]);
    assert!(again.starts_with("Everything was moved "), "{again}");
    assert!(again.contains("splynx-bitpay config set database.url "), "{again}");
    world.command(&["config", "set", "database.url", &to]);
    world.addon.start().await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    assert!(world.command(&["audit", "verify"]).contains(WHOLE));
}

async fn a_served_database_is_not_moved(engine: Engine) {
    let world = World::new(engine).await;
    let (database, to) = other(&world, engine);
    let said = error_of(&world.addon.run(&["move-database", "--to", &to]));
    assert!(said.contains("stop the service"), "{said}");
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    world.addon.stop().await;

    let wrong = world.configuration().replace("0badc0de", "0badc0df");
    world.configure_as(&wrong);
    let said = error_of(&world.addon.run(&["move-database", "--to", &to]));
    assert!(said.contains("sealed with another secret key"), "{said}");
    world.configure_as(&world.configuration());

    let with_password = "postgres://somebody:hunter2@127.0.0.1/bitpay";
    let said = error_of(&world.addon.run(&["move-database", "--to", with_password]));
    assert!(said.contains("--to file:/path") && !said.contains("hunter2"), "{said}");

    let by_hand = format!("{}\n", database.url());
    let done = world.addon.run_saying(&["move-database", "--to", "-"], &by_hand);
    assert!(done.status.success(), "{done:?}");
    let said = error_of(&world.addon.run(&["move-database", "--to", "sqlite:///nonexistent/x.db"]));
    assert!(said.contains("was moved to"), "{said}");
    world.command(&["config", "set", "database.url", &to]);
    assert_eq!(world.attempts().len(), 1);
}

/// The commands of the manual's chapter, as they stand there.
fn chapter() -> Vec<String> {
    let (_, rest) = MANUAL.split_once("## Moving to PostgreSQL\n").unwrap();
    let (chapter, _) = rest.split_once("\n## ").unwrap();
    let blocks = chapter.split("```\n").skip(1).step_by(2);
    blocks.map(str::to_owned).collect()
}

/// Does what the manual says, with this world's folder, group and server in place of the package's.
#[tokio::test]
async fn an_admin_moves_as_the_manual_says() {
    let world = World::new(Engine::Sqlite).await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    world.results(&checkout).says("paid").await;
    let server = Database::fresh(Engine::Postgresql, &std::path::PathBuf::new());
    let (login, name) =
        server.url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let host = login.rsplit_once('@').unwrap().1.to_owned();
    let home = world.database_file().parent().unwrap().to_str().unwrap().to_owned();
    let blocks = chapter();
    let [first, then, last] = blocks.as_slice() else { panic!("{blocks:?}") };
    let psql = format!("psql -q -v ON_ERROR_STOP=1 {login}/postgres");
    let here = |text: &str| {
        text.replace("127.0.0.1", &host)
            .replace("sudo -u postgres psql", &psql)
            .replace("-g splynx-bitpay", "")
            .replace("/etc/splynx-bitpay", &home)
            .replace("splynx_bitpay", &format!("of_{name}"))
    };
    let made = Command::new("sh").args(["-ec", &here(first)]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    for command in [then, last].into_iter().flat_map(|block| block.lines()) {
        let command = here(command.split("  #").next().unwrap());
        if let Some(words) = command.strip_prefix("splynx-bitpay ") {
            let output = world.addon.run(&words.split_whitespace().collect::<Vec<_>>());
            assert!(output.status.success(), "{command}: {output:?}");
        } else if command.starts_with("systemctl stop ") {
            world.addon.stop().await;
        } else if command.starts_with("systemctl start ") {
            world.addon.start().await;
        } else {
            panic!("what is this? {command}");
        }
    }
    world.addon.ready().await;
    assert_eq!(world.payments().len(), 1);
    world.books_agree();
    let said = world.command(&["backup"]);
    assert!(said.contains("pg_dump"), "{said}");
}
