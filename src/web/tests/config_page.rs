//! The admin's page: pairing and unpairing.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use rstest::rstest;

use super::world::{Answer, Fault, House, lock, own_form};
use crate::domain::connection::{ConnectionStatus, Environment};
use crate::ports::pairing::PairingFailureKind;
use crate::views::texts::languages;

const PATH: &str = "/bitpay/config";

/// The token in the forms of the page that this admin sees.
async fn form_token(house: &House, cookie: &str) -> String {
    let page = house.get(cookie, PATH).await;
    let field = page.body.split("name=\"form_token\" value=\"").nth(1).unwrap();
    field.split('"').next().unwrap().to_owned()
}

async fn submit(house: &House, fields: &str) -> Answer {
    let token = form_token(house, "admin-1").await;
    house.post("admin-1", PATH, format!("form_token={token}&{fields}")).await
}

fn active(house: &House) -> usize {
    let rows = lock(&house.world.rows);
    rows.connections.iter().filter(|known| known.status == ConnectionStatus::Active).count()
}

#[rstest]
#[case(Environment::Test, "Access token is not set for test environment.")]
#[case(Environment::Production, "Access token is not set for production environment.")]
#[tokio::test]
async fn without_a_pairing_the_page_tells_how_to_pair(
    #[case] environment: Environment,
    #[case] words: &str,
) {
    let house = House::with(environment, "https://isp.example/bitpay", "0");
    let page = house.get("admin-1", PATH).await;
    assert_eq!(page.status, 200);
    for part in [words, "Paste Pairing Code here...", "Pairing code looks like: u7m0VSR", ">Pair<"]
    {
        assert!(page.body.contains(part), "{part}");
    }
    assert_eq!(page.body.matches("<li>").count(), 5);
}

#[tokio::test]
async fn pairing_and_unpairing_say_what_they_did() {
    let house = House::unpaired();
    let paired = submit(&house, "action=pair&pairing_code=u7m0VSR").await;
    assert_eq!((paired.status, paired.header("location")), (303, "/bitpay/config?done=paired"));
    let page = house.get("admin-1", "/bitpay/config?done=paired").await;
    assert!(page.body.contains("Access token has been successfully generated."));
    assert!(page.body.contains("012…def") && !page.body.contains("0123456789abcdef\""));
    assert!(!page.body.contains("0123456789abcdef<"));

    let unpaired = submit(&house, "action=unpair").await;
    assert_eq!(unpaired.header("location"), "/bitpay/config?done=unpaired");
    let page = house.get("admin-1", "/bitpay/config?done=unpaired").await;
    assert!(page.body.contains("BitPay data has been successfully reset."));
    assert_eq!(active(&house), 0);
}

#[tokio::test]
async fn good_news_that_is_no_longer_true_is_not_shown() {
    let house = House::unpaired();
    let page = house.get("admin-1", "/bitpay/config?done=paired").await;
    assert!(!page.body.contains("successfully"));
}

#[rstest]
#[case("wrong", 422, "BitPay says &lt;no&gt;.")]
#[case("", 422, "BitPay says &lt;no&gt;.")]
#[case("silence", 503, "https://bitpay.com did not answer clearly (no answer in time)")]
#[tokio::test]
async fn a_code_that_does_not_work_says_why_and_stays_in_the_field(
    #[case] code: &str,
    #[case] status: u16,
    #[case] words: &str,
) {
    let house = House::unpaired();
    let answer = submit(&house, &format!("action=pair&pairing_code={code}")).await;
    assert_eq!(answer.status, status);
    assert!(answer.body.contains(words), "{}", answer.body);
    assert!(answer.body.contains(&format!("value=\"{code}\"")));
    assert_eq!(active(&house), 0);
}

/// Every kind of failure in every language: a missing text would be the English one or no page at all.
#[tokio::test]
async fn every_failure_of_pairing_is_told_in_the_admins_language() {
    let house = House::unpaired();
    let arguments = [("address", "https://bitpay.com"), ("said", "BitPay says <no>.")];
    for kind in PairingFailureKind::ALL {
        let mut told = BTreeSet::new();
        for language in languages() {
            let key = format!("pairing-failed-{}", kind.code());
            let sentence = language.text_with(&key, &arguments);
            let sentence = sentence.unwrap_or_else(|| panic!("{language} lacks {key}"));
            let token = form_token(&house, "admin-1").await;
            let form = format!("form_token={token}&action=pair&pairing_code={}", kind.code());
            let request = own_form("admin-1", PATH, form);
            let request = request.insert_header(("accept-language", language.to_string()));
            let page = house.send(request).await;
            assert_eq!(page.status, 422, "{language} {kind:?}");
            let shown = page.body.split("id=\"pairing-error\">").nth(1).unwrap();
            let shown = shown.split("</span>").next().unwrap();
            assert_eq!(unescaped(shown), sentence, "{language}");
            told.insert(sentence);
        }
        assert_eq!(told.len(), languages().len(), "two languages share the words of {kind:?}");
    }
}

fn unescaped(html: &str) -> String {
    let mut text = html.to_owned();
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2F;", "/"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

#[tokio::test]
async fn an_admins_form_needs_the_token_of_their_own_session() {
    let house = House::paired().await;
    let own = form_token(&house, "admin-1").await;
    let another_admins = form_token(&house, "admin-2").await;
    let an_old_sessions = form_token(&house, "admin-1.yesterday").await;
    let damaged = format!("{own}00");
    for token in ["", "00", &another_admins, &an_old_sessions, &own[1..], &damaged] {
        for action in ["unpair", "pair&pairing_code=u7m0VSR"] {
            let form = format!("form_token={token}&action={action}");
            let answer = house.post("admin-1", PATH, form).await;
            assert_eq!(answer.status, 403, "{token}");
            assert!(answer.body.contains("out of date"), "{token}");
            assert!(answer.body.contains("href=\"/bitpay/config\""), "{token}");
        }
    }
    assert_eq!(house.post("admin-1", PATH, "action=unpair").await.status, 403);
    assert_eq!((active(&house), lock(&house.world.rows).connections.len()), (1, 1));
    let form = format!("form_token={own}&action=unpair");
    assert_eq!(house.post("admin-1", PATH, form).await.status, 303);
    assert_eq!(active(&house), 0);
}

/// The token alone is worth nothing: the form must come from our own page as well.
#[tokio::test]
async fn a_stolen_token_opens_nothing_from_elsewhere() {
    let house = House::paired().await;
    let token = form_token(&house, "admin-1").await;
    let request = TestRequest::post()
        .uri(PATH)
        .insert_header(("cookie", "PHPSESSID=admin-1"))
        .insert_header(("origin", "https://evil.example"))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(format!("form_token={token}&action=unpair"));
    let answer = house.send(request).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("not sent from our pages"));
    assert_eq!(active(&house), 1);
}

#[tokio::test]
async fn a_token_in_the_address_is_no_token() {
    let house = House::paired().await;
    let token = form_token(&house, "admin-1").await;
    let path = format!("{PATH}?form_token={token}&action=unpair");
    assert_eq!(house.get("admin-1", &path).await.status, 200);
    assert_eq!(house.post("admin-1", &path, "action=unpair").await.status, 403);
    assert_eq!(active(&house), 1);
}

#[tokio::test]
async fn an_action_nobody_knows_is_refused() {
    let house = House::paired().await;
    assert_eq!(submit(&house, "action=erase").await.status, 400);
    assert_eq!(active(&house), 1);
}

#[tokio::test]
async fn a_database_that_is_down_is_told() {
    let house = House::paired().await;
    house.world.breaks(Fault::StoreDown);
    assert_eq!(house.get("admin-1", PATH).await.status, 503);
}
