//! From a pairing code to an API token (facts 1.3, 1.4).
//!
//! **Invariant:** after an answer that leaves it open whether the code was used up, this says so; the signed
//! `find_token` then tells.

use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::complaint::Topic;
use super::error::Failure;
use super::key::Key;
use super::site::Site;
use super::transport::{Operation, Request, Transport};
use crate::domain::connection::Environment;
use crate::ports::pairing::{PairingFailure, PairingFailureKind};
use crate::ports::processor::PairingOutcome;

/// What the merchant's dashboard lists the token under.
const LABEL: &str = "splynx-bitpay";

/// Whether a text is a pairing code: seven letters and digits.
#[must_use]
pub fn looks_like_code(text: &str) -> bool {
    text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a text is an API token as the dashboard shows it when "Require Authentication" is off: some 44 characters
/// of base58. A connection made with it has no key and signs nothing.
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    (32..=64).contains(&text.len()) && bs58::decode(text).into_vec().is_ok()
}

/// The body of `POST /tokens`. No `facade`: the code knows it already.
#[derive(Debug, Serialize)]
struct CodeExchange<'a> {
    id: &'a str,
    #[serde(rename = "pairingCode")]
    pairing_code: &'a str,
    label: &'a str,
}

/// Exchanges a pairing code for a token that belongs to `key`.
pub(super) async fn exchange(
    transport: &Transport,
    site: &Site,
    key: &Key,
    code: &str,
) -> PairingOutcome {
    let code = code.trim();
    if !looks_like_code(code) {
        return refused(no_code(code), site, String::new());
    }
    let sin = key.sin();
    let body = CodeExchange { id: &sin, pairing_code: code, label: LABEL };
    let request = Request {
        operation: Operation::ExchangeCode,
        url: site.tokens(),
        body: serde_json::to_vec(&body).ok(),
        key: None,
        secret: None,
    };
    match transport.call(request).await.and_then(|answer| granted(&answer)) {
        Ok(Grant::Usable(token)) => PairingOutcome::Paired { token },
        Ok(Grant::Unapproved) => refused(PairingFailureKind::Unapproved, site, String::new()),
        Err(failure) => refusal(failure, site),
    }
}

enum Grant {
    Usable(SecretString),
    /// Somebody still has to approve it on the dashboard.
    Unapproved,
}

fn granted(answer: &Value) -> Result<Grant, Failure> {
    let grants = answer.get("data").and_then(Value::as_array);
    let grant = grants.and_then(|grants| grants.first());
    let token = grant.and_then(|grant| token_text(grant.get("token")?));
    let token = token.ok_or_else(|| Failure::Unreadable("it has no token".to_owned()))?;
    let policies = grant.and_then(|grant| grant.get("policies")).and_then(Value::as_array);
    let inactive = policies.is_some_and(|policies| {
        policies
            .iter()
            .any(|policy| policy.get("method").is_some_and(|method| method == "inactive"))
    });
    Ok(if inactive { Grant::Unapproved } else { Grant::Usable(token) })
}

/// A token that could not be put into a header or an address is none.
fn token_text(token: &Value) -> Option<SecretString> {
    let token = token.as_str()?;
    let usable =
        !token.is_empty() && token.len() <= 256 && token.bytes().all(|b| b.is_ascii_graphic());
    usable.then(|| SecretString::from(token))
}

fn refusal(failure: Failure, site: &Site) -> PairingOutcome {
    match failure {
        Failure::Refused(complaint) => {
            refused(kind_of(complaint.topic, site), site, complaint.said)
        }
        Failure::NotSent(why) => refused(PairingFailureKind::NotSent, site, why),
        Failure::AskedToWait(why) => refused(PairingFailureKind::AskedToWait, site, why),
        Failure::Unavailable(why) | Failure::Unreadable(why) => PairingOutcome::Unclear { why },
    }
}

fn refused(kind: PairingFailureKind, site: &Site, said: String) -> PairingOutcome {
    PairingOutcome::Refused { failure: PairingFailure { kind, address: site.origin(), said } }
}

fn kind_of(topic: Topic, site: &Site) -> PairingFailureKind {
    match topic {
        Topic::PairingCode if !site.is_bitpay() => PairingFailureKind::WrongCodeElsewhere,
        Topic::PairingCode => match site.environment() {
            Environment::Production => PairingFailureKind::WrongCodeProduction,
            Environment::Test => PairingFailureKind::WrongCodeTest,
        },
        Topic::AccountNotSetUp => PairingFailureKind::AccountNotSetUp,
        Topic::Facade => PairingFailureKind::Facade,
        _ => PairingFailureKind::Refused,
    }
}

fn no_code(text: &str) -> PairingFailureKind {
    if looks_like_token(text) {
        PairingFailureKind::TokenNotCode
    } else {
        PairingFailureKind::NotACode
    }
}

/// Asks which token belongs to `key`. `None`: surely none.
///
/// An answer that the key is not known means the same: a fresh key becomes known by its first token.
pub(super) async fn find_token(
    transport: &Transport,
    site: &Site,
    key: &Key,
) -> Result<Option<SecretString>, Failure> {
    let request = Request {
        operation: Operation::FindToken,
        url: site.tokens(),
        body: None,
        key: Some(key),
        secret: None,
    };
    match transport.call(request).await {
        Ok(answer) => owned(&answer),
        Err(failure) if failure.is_about(Topic::UnknownKey) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// `{"data":[{"merchant":"…"},{"pos":"…"}]}`: the point-of-sale token is enough, and the least.
fn owned(answer: &Value) -> Result<Option<SecretString>, Failure> {
    let list = answer.get("data").and_then(Value::as_array);
    let list = list.ok_or_else(|| Failure::Unreadable("it has no list of tokens".to_owned()))?;
    let of = |facade: &str| list.iter().find_map(|entry| token_text(entry.get(facade)?));
    Ok(of("pos").or_else(|| of("merchant")))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::super::complaint::Complaint;
    use super::*;

    #[rstest]
    #[case("C4Lg7oW", true)]
    #[case("0000000", true)]
    #[case("C4Lg7o", false)]
    #[case("C4Lg7oWx", false)]
    #[case("C4Lg7o!", false)]
    #[case("C4Lg7_W", false)]
    #[case("Ünïcöd", false)]
    #[case("", false)]
    fn a_pairing_code_has_seven_letters_and_digits(#[case] text: &str, #[case] is_code: bool) {
        assert_eq!(looks_like_code(text), is_code);
    }

    #[rstest]
    #[case("G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnjP3", true)]
    #[case("MqA2wX15qHCbG7FBtJZRAxQunrRjAvGBRVJedsiTnZY", true)]
    #[case("C4Lg7oW", false)]
    #[case("G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnj-3", false)]
    #[case("G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnjO0", false)]
    #[case("", false)]
    fn a_token_is_some_44_characters_of_base58(#[case] text: &str, #[case] is_token: bool) {
        assert_eq!(looks_like_token(text), is_token);
        assert!(!(looks_like_code(text) && looks_like_token(text)));
    }

    #[rstest]
    #[case(json!([{"merchant":"M"},{"pos":"P"},{"payout":"O"},{"merchant/invoice":"I"}]), Some("P"))]
    #[case(json!([{"merchant":"M"}]), Some("M"))]
    #[case(json!([{"payout":"O"},{"merchant/invoice":"I"}]), None)]
    #[case(json!([{"pos":""}]), None)]
    #[case(json!([]), None)]
    fn the_least_powerful_token_is_taken(#[case] data: Value, #[case] token: Option<&str>) {
        let found = owned(&json!({ "data": data })).unwrap();
        assert_eq!(found.as_ref().map(ExposeSecret::expose_secret), token);
    }

    #[rstest]
    #[case(json!({"data":[]}))]
    #[case(json!({"data":[{"facade":"pos"}]}))]
    #[case(json!({"data":[{"token":""}]}))]
    #[case(json!({"data":[{"token":"a b"}]}))]
    #[case(json!({"data":[{"token":5}]}))]
    #[case(json!({}))]
    fn a_grant_without_a_token_is_unreadable(#[case] answer: Value) {
        assert!(matches!(granted(&answer), Err(Failure::Unreadable(_))));
    }

    #[rstest]
    #[case("https://bitpay.com/", Environment::Production, "codes of test.bitpay.com work only")]
    #[case("https://test.bitpay.com/", Environment::Test, "codes of bitpay.com work only")]
    #[case("https://pay.example/", Environment::Test, "15 minutes at a BTCPay Server")]
    fn a_refused_code_names_its_likely_causes(
        #[case] base: &str,
        #[case] environment: Environment,
        #[case] cause: &str,
    ) {
        let site = Site::parse(base, environment).unwrap();
        let said = "Unable to create token".to_owned();
        let complaint = Complaint { topic: Topic::PairingCode, said };
        let outcome = refusal(Failure::Refused(complaint), &site);
        let sentence = crate::bitpay::tests::sentence(outcome);
        let origin = site.origin();
        for words in
            [cause, &origin, "mistyped", "works once", "24 hours", "new code", "Unable to create"]
        {
            assert!(sentence.contains(words), "{words} is missing in: {sentence}");
        }
    }

    #[rstest]
    #[case(Topic::AccountNotSetUp, "account-not-set-up")]
    #[case(Topic::Facade, "facade")]
    #[case(Topic::InvalidToken, "refused")]
    #[case(Topic::Other, "refused")]
    fn every_other_no_keeps_its_code_and_the_words(#[case] topic: Topic, #[case] code: &str) {
        let site = Site::parse("https://pay.example/", Environment::Production).unwrap();
        let complaint = Complaint { topic, said: "the very words".to_owned() };
        let outcome = refusal(Failure::Refused(complaint), &site);
        let PairingOutcome::Refused { failure } = &outcome else { panic!("{outcome:?}") };
        assert_eq!((failure.kind.code(), failure.said.as_str()), (code, "the very words"));
        assert!(crate::bitpay::tests::sentence(outcome).contains("the very words"));
    }
}
