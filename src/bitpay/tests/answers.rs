//! What the adapter makes of answers, the worst ones above all.

use super::*;

#[tokio::test]
async fn a_pairing_code_is_exchanged_without_a_facade_and_unsigned() {
    let peer = Peer::saying(
        200,
        &json!({"data": [{"policies": [{"policy": "id", "method": "require", "params": [SIN]}],
            "resource": "r", "token": TOKEN, "facade": "pos", "dateCreated": 1_621_340_364_865_i64}]}),
    );
    let outcome = accounts().exchange(&peer.connection(), " C4Lg7oW\n").await;
    let PairingOutcome::Paired { token } = outcome else { panic!("{outcome:?}") };
    assert_eq!(token.expose_secret(), TOKEN);
    let [request] = <[Received; 1]>::try_from(peer.received()).unwrap();
    assert_eq!(request.line, "POST /tokens HTTP/1.1");
    assert_eq!(
        request.body,
        format!(r#"{{"id":"{SIN}","pairingCode":"C4Lg7oW","label":"splynx-bitpay"}}"#)
    );
    assert_eq!(request.header("x-accept-version"), Some("2.0.0"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-signature"), None);
}

#[rstest]
#[case("C4Lg7o", "exactly 7 letters and digits")]
#[case(TOKEN, "an API token, not a pairing code")]
#[tokio::test]
async fn a_text_that_is_no_code_is_not_sent(#[case] code: &str, #[case] words: &str) {
    let peer = Peer::at(|_| vec![]);
    let outcome = accounts().exchange(&peer.connection(), code).await;
    let sentence = sentence(outcome);
    assert!(sentence.contains(words));
    assert_eq!(peer.received(), vec![]);
}

#[rstest]
#[case::bad_code(500, json!({"error": "Unable to create token"}), "works once")]
#[case::too_many(
    500,
    json!({"error": "Unable to create token because of too many requests."}),
    "did not look at the pairing code: it asks to wait 7 s"
)]
#[case::not_set_up(500, json!({"error": "Account not setup completely yet."}), "finish its set-up")]
#[case::unapproved(
    200,
    json!({"data": [{"policies": [{"method": "inactive"}], "token": TOKEN, "pairingCode": "C4Lg7oW"}]}),
    "nobody has approved yet"
)]
#[tokio::test]
async fn a_definite_no_to_a_code_is_told_in_words(
    #[case] status: u16,
    #[case] body: Value,
    #[case] words: &str,
) {
    let peer = Peer::saying(status, &body);
    let outcome = accounts().exchange(&peer.connection(), "C4Lg7oW").await;
    let sentence = sentence(outcome);
    assert!(sentence.contains(words), "{sentence}");
}

#[rstest]
#[case::page(Reply::Says(502, "<html>".to_owned()))]
#[case::empty(Reply::Says(500, String::new()))]
#[case::server_error(Reply::Says(500, r#"{"error":"Generic server error"}"#.to_owned()))]
#[case::no_token(Reply::Says(200, r#"{"data":[]}"#.to_owned()))]
#[case::breaks_off(Reply::BreaksOff)]
#[case::closes(Reply::Closes)]
#[case::hangs(Reply::Hangs)]
#[tokio::test]
async fn any_other_answer_leaves_the_code_unclear(#[case] reply: Reply) {
    let peer = Peer::giving(reply);
    let outcome = accounts().exchange(&peer.connection(), "C4Lg7oW").await;
    assert!(matches!(outcome, PairingOutcome::Unclear { .. }), "{outcome:?}");
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_code_that_never_left_can_be_used_again() {
    let outcome = accounts().exchange(&connection(&nobody()), "C4Lg7oW").await;
    let sentence = sentence(outcome);
    assert!(sentence.contains("was not used; try again with it"), "{sentence}");
}

#[tokio::test]
async fn the_token_of_our_key_is_asked_for_with_a_signature() {
    let peer = Peer::saying(200, &json!({"data": [{"merchant": "M"}, {"pos": TOKEN}]}));
    let token = accounts().find_token(&peer.connection()).await.unwrap().unwrap();
    assert_eq!(token.expose_secret(), TOKEN);
    let [request] = <[Received; 1]>::try_from(peer.received()).unwrap();
    assert_eq!(request.line, "GET /tokens HTTP/1.1");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(is_signed(&request, &peer.base));
}

#[rstest]
#[case(200, json!({"data": []}))]
#[case(500, json!({"error": "Unauthorized sin"}))]
#[case(401, json!({"errors": [{"error": "BitId authentication failed"}], "error": "BitId authentication failed"}))]
#[tokio::test]
async fn a_key_that_is_not_known_has_surely_no_token(#[case] status: u16, #[case] body: Value) {
    let peer = Peer::saying(status, &body);
    assert!(accounts().find_token(&peer.connection()).await.unwrap().is_none());
}

#[tokio::test]
async fn while_nobody_answers_whether_there_is_a_token_stays_open() {
    let error = accounts().find_token(&connection(&nobody())).await.unwrap_err();
    assert!(error.is_unavailable());
}

#[tokio::test]
async fn repeating_a_wish_repeats_every_byte_and_the_signature() {
    let peer = Peer::at(|base| {
        let body = invoice_at(base, "new").to_string();
        vec![Reply::Closes, Reply::Says(200, body)]
    });
    let client = peer.client();
    assert!(client.open_invoice(&wish()).await.unwrap_err().is_unavailable());
    let opened = client.open_invoice(&wish()).await.unwrap();
    assert_eq!(opened.invoice.as_str(), INVOICE);
    assert_eq!(opened.checkout_url, format!("{}invoice?id={INVOICE}", peer.base));
    assert_eq!(opened.price, wish().price);
    let [first, second] = <[Received; 2]>::try_from(peer.received()).unwrap();
    assert_eq!(first, second);
    assert_eq!(first.line, "POST /invoices HTTP/1.1");
    assert!(is_signed(&first, &peer.base));
}

#[tokio::test]
async fn an_invoice_that_exists_already_is_found_by_its_guid() {
    let peer = Peer::at(|base| {
        let exists = json!({"error": "Invoice with this guid already exists"});
        let body = invoice_at(base, "paid").to_string();
        vec![Reply::Says(500, exists.to_string()), Reply::Says(200, body)]
    });
    let opened = peer.client().open_invoice(&wish()).await.unwrap();
    assert_eq!(opened.invoice.as_str(), INVOICE);
    let [_, second] = <[Received; 2]>::try_from(peer.received()).unwrap();
    let attempt = wish().attempt;
    assert_eq!(second.line, format!("GET /invoices/guid/{attempt}?token={TOKEN} HTTP/1.1"));
    assert!(is_signed(&second, &peer.base));
}

#[tokio::test]
async fn an_invoice_that_exists_but_is_not_shown_may_exist() {
    let peer = Peer::at(|_| {
        let exists = json!({"error": "Invoice with this guid already exists"}).to_string();
        let hidden = json!({"error": "Object not found"}).to_string();
        vec![Reply::Says(500, exists), Reply::Says(404, hidden)]
    });
    assert!(peer.client().open_invoice(&wish()).await.unwrap_err().is_unavailable());
}

#[rstest]
#[case(500, json!({"error": "Invalid token"}), "pair again")]
#[case(400, json!({"status": "error", "code": "010110", "data": null, "error": "Invoice price is below minimum threshold"}), "Raise payments.minimum")]
#[case(400, json!({"errors": [{"error": "Missing required parameter.", "param": "price"}]}), "(price)")]
#[case(403, json!({"error": {"type": "limitExceeded", "message": "tier 1"}}), "limitExceeded: tier 1")]
#[tokio::test]
async fn a_definite_no_to_a_wish_is_a_refusal(
    #[case] status: u16,
    #[case] body: Value,
    #[case] words: &str,
) {
    let error = Peer::saying(status, &body).client().open_invoice(&wish()).await.unwrap_err();
    let PeerError::Refused { sentence, .. } = error else { panic!("{error:?}") };
    assert!(sentence.contains(words), "{sentence}");
}

#[rstest]
#[case("new", ProcessorStatus::Unpaid)]
#[case("paid", ProcessorStatus::Seen)]
#[case("confirmed", ProcessorStatus::Settled)]
#[tokio::test]
async fn an_observation_is_a_signed_question(#[case] word: &str, #[case] status: ProcessorStatus) {
    let peer = Peer::at(|base| vec![Reply::Says(200, invoice_at(base, word).to_string())]);
    let id = ProcessorInvoiceId::parse(INVOICE).unwrap();
    let observation = peer.client().observe(&id).await.unwrap();
    assert_eq!(
        observation,
        Observation {
            invoice: id,
            order_id: Some(wish().attempt.to_string()),
            price: wish().price,
            status,
            exception: Exception::None,
            paid: None,
        }
    );
    let [request] = <[Received; 1]>::try_from(peer.received()).unwrap();
    assert_eq!(request.line, format!("GET /invoices/{INVOICE}?token={TOKEN} HTTP/1.1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(is_signed(&request, &peer.base));
}

#[tokio::test]
async fn a_raw_token_works_unsigned() {
    let peer = Peer::at(|base| {
        let body = invoice_at(base, "new").to_string();
        vec![Reply::Says(200, body.clone()), Reply::Says(200, body)]
    });
    let mut connection = peer.connection();
    connection.secrets.private_key = None;
    let client = accounts().of(&connection).unwrap();
    client.open_invoice(&wish()).await.unwrap();
    client.observe(&ProcessorInvoiceId::parse(INVOICE).unwrap()).await.unwrap();
    for request in peer.received() {
        assert_eq!(request.header("x-signature"), None);
        assert!(request.line.contains(TOKEN) || request.body.contains(TOKEN));
    }
}

#[rstest]
#[case::quoted_back(Reply::Says(500, format!(r#"{{"error":"Invalid token {TOKEN}"}}"#)))]
#[case::server_error(Reply::Says(500, format!(r#"{{"error":"Server error at {TOKEN}"}}"#)))]
#[case::redirect(Reply::Says(302, String::new()))]
#[case::page(Reply::Says(403, format!("<html>{TOKEN}")))]
#[case::breaks_off(Reply::BreaksOff)]
#[case::closes(Reply::Closes)]
#[case::hangs(Reply::Hangs)]
#[tokio::test]
async fn an_error_never_shows_the_token_or_its_address(#[case] reply: Reply) {
    let peer = Peer::giving(reply);
    let id = ProcessorInvoiceId::parse(INVOICE).unwrap();
    let error = peer.client().observe(&id).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(TOKEN) && !shown.contains("token="), "{shown}");
    assert_eq!(peer.received().len(), 1);
}

#[test]
fn an_account_shows_no_secret() {
    let connection = connection("https://test.bitpay.com/");
    let client = Client {
        transport: Arc::clone(&accounts().transport),
        site: site_of(&connection).unwrap(),
        key: Some(key_of(&connection).unwrap()),
        token: connection.secrets.token.clone().unwrap(),
    };
    let shown = format!("{client:?} {connection:?} {:?}", accounts());
    assert!(!shown.contains(TOKEN) && !shown.contains(PRIVATE));
}

#[rstest]
#[case::no_token(|connection: &mut Connection| connection.secrets.token = None)]
#[case::bad_key(|connection: &mut Connection| {
    connection.secrets.private_key = Some(SecretString::from("00"));
})]
#[case::plain_http(|connection: &mut Connection| {
    connection.base_url = "http://bitpay.com/".to_owned();
})]
fn a_connection_that_cannot_work_is_refused(#[case] spoil: fn(&mut Connection)) {
    let mut connection = connection("https://test.bitpay.com/");
    spoil(&mut connection);
    assert!(matches!(accounts().of(&connection).err(), Some(PeerError::Refused { .. })));
}

#[test]
fn every_pairing_gets_a_key_of_its_own() {
    let accounts = accounts();
    let ((first, first_sin), (second, second_sin)) = (accounts.new_key(), accounts.new_key());
    assert_ne!(first_sin, second_sin);
    for (secrets, sin) in [(first, first_sin), (second, second_sin)] {
        assert!(secrets.token.is_none());
        let key = Key::from_secret(&secrets.private_key.unwrap()).unwrap();
        assert_eq!(key.sin(), sin);
        assert_eq!(key::check_sin(&sin), Ok(()));
    }
}

#[tokio::test]
async fn requests_are_paced_for_the_whole_process() {
    let peer = Peer::at(|base| {
        let body = invoice_at(base, "new").to_string();
        (0..13).map(|_| Reply::Says(200, body.clone())).collect()
    });
    let accounts = accounts_with(Limits { requests_per_second: 10, ..Limits::default() });
    let clock = SystemClock::default();
    for _ in 0..13 {
        let client = accounts.of(&peer.connection()).unwrap();
        client.observe(&ProcessorInvoiceId::parse(INVOICE).unwrap()).await.unwrap();
    }
    assert!(clock.monotonic() >= Duration::from_millis(250), "{:?}", clock.monotonic());
}

#[tokio::test]
async fn a_request_does_not_wait_longer_for_its_turn_than_it_may_take() {
    let peer = Peer::at(|base| vec![Reply::Says(200, invoice_at(base, "new").to_string())]);
    let limits = Limits { requests_per_second: 1, timeout: Duration::from_millis(300) };
    let client = accounts_with(limits).of(&peer.connection()).unwrap();
    let id = ProcessorInvoiceId::parse(INVOICE).unwrap();
    client.observe(&id).await.unwrap();
    let error = client.observe(&id).await.unwrap_err();
    assert!(error.to_string().contains("too many of our own requests"), "{error}");
    assert_eq!(peer.received().len(), 1);
}

#[tokio::test]
async fn every_request_is_timed_and_every_failure_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let shown = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let peer = Peer::saying(500, &json!({"error": format!("Invalid token {TOKEN}")}));
    peer.client().observe(&ProcessorInvoiceId::parse(INVOICE).unwrap()).await.unwrap_err();
    let shown = shown.render();
    let labels = r#"peer="bitpay",operation="observe_invoice""#;
    let failure = format!("splynx_bitpay_peer_errors_total{{{labels},kind=\"refused\"}} 1");
    assert!(shown.contains(&failure), "{shown}");
    assert!(shown.contains(&format!("splynx_bitpay_peer_seconds_count{{{labels}}} 1")), "{shown}");
}
