//! API tokens and the two ways to get one: a pairing code from the dashboard, or a request the merchant approves.
//!
//! **Invariant:** a pairing code works once, in its own environment and time, and only for a well-formed SIN;
//! a token works only while it is approved and enabled.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Environment;
use super::clock::Moment;
use super::random;
use super::reply::{ApiError, Reply};
use super::signature::is_sin;
use super::world::World;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Facade {
    /// Create and read invoices.
    Pos,
    /// All of it.
    Merchant,
    /// Pay recipients; no use here.
    Payout,
}

impl Facade {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pos => "pos",
            Self::Merchant => "merchant",
            Self::Payout => "payout",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Pos, Self::Merchant, Self::Payout].into_iter().find(|facade| facade.name() == name)
    }
}

/// Whether a token can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Requested by a client, not yet approved by the merchant.
    Pending {
        /// What the merchant approves.
        code: String,
        /// Until when.
        expires: Moment,
    },
    /// In use.
    Active,
    /// Switched off by the merchant.
    Disabled,
}

/// One API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// The token itself.
    pub value: String,
    /// What it may do.
    pub facade: Facade,
    /// The merchant's resource id.
    pub merchant: String,
    /// The only identity that may use it; a token without needs no signature.
    pub sin: Option<String>,
    /// Whether it can be used.
    pub standing: Standing,
    /// What the merchant sees it by.
    pub label: Option<String>,
    /// When it was made.
    pub created: Moment,
}

/// A code from the dashboard, to be exchanged for a pos token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairingCode {
    /// Where it works.
    pub environment: Environment,
    /// Whose dashboard it came from.
    pub merchant: String,
    /// What the dashboard named it.
    pub label: Option<String>,
    /// Until when it can be used.
    pub expires: Moment,
    /// Whether it was.
    pub used: bool,
}

impl World {
    /// Puts a pairing code into a merchant's dashboard.
    pub(super) fn add_pairing_code(
        &mut self,
        code: &str,
        environment: Environment,
        merchant: String,
        now: Moment,
    ) {
        let expires = now.plus_ms(self.settings.pairing_code_ms);
        let pairing = PairingCode { environment, merchant, label: None, expires, used: false };
        self.pairing_codes.insert(code.to_owned(), pairing);
    }

    /// Names a pairing code; the token it becomes takes the name over.
    pub(super) fn label_pairing_code(&mut self, code: &str, label: Option<String>) {
        if let Some(pairing) = self.pairing_codes.get_mut(code) {
            pairing.label = label;
        }
    }

    /// A token the dashboard shows itself, for which no request needs a signature.
    pub(super) fn add_open_token(&mut self, value: &str, label: Option<String>, now: Moment) {
        let merchant = self.merchant.clone();
        self.issue(Token {
            value: value.to_owned(),
            facade: Facade::Pos,
            merchant,
            sin: None,
            standing: Standing::Active,
            label,
            created: now,
        });
    }

    /// `POST /tokens`.
    ///
    /// # Errors
    /// Refuses a SIN that is none, and a pairing code that is unknown, used, expired or of the other environment.
    pub(super) fn create_token(
        &mut self,
        body: &Map<String, Value>,
        now: Moment,
    ) -> Result<Reply, ApiError> {
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let sin = text("id").ok_or_else(|| ApiError::Missing(vec!["id"]))?;
        let label = text("label").map(str::to_owned);
        let token = match text("pairingCode") {
            Some(code) => self.exchange(code, sin, label, body.contains_key("facade"), now)?,
            None => self.request(sin, label, text("facade"), now)?,
        };
        Ok(Reply::data(&json!([describe(&token)])))
    }

    fn exchange(
        &mut self,
        code: &str,
        sin: &str,
        label: Option<String>,
        names_facade: bool,
        now: Moment,
    ) -> Result<Token, ApiError> {
        self.brake(now)?;
        let environment = self.environment;
        // The facade belongs to the code; a client that names one asks for something the merchant did not grant.
        let usable = |pairing: &&mut PairingCode| {
            !pairing.used
                && now < pairing.expires
                && pairing.environment == environment
                && is_sin(sin)
                && !names_facade
        };
        let Some(pairing) = self.pairing_codes.get_mut(code).filter(usable) else {
            self.failed_pairings.push_back(now);
            return Err(ApiError::UnableToCreateToken);
        };
        pairing.used = true;
        let token = Token {
            value: random::token(),
            facade: Facade::Pos,
            merchant: pairing.merchant.clone(),
            sin: Some(sin.to_owned()),
            standing: Standing::Active,
            label: label.or_else(|| pairing.label.clone()),
            created: now,
        };
        Ok(self.issue(token))
    }

    fn request(
        &mut self,
        sin: &str,
        label: Option<String>,
        facade: Option<&str>,
        now: Moment,
    ) -> Result<Token, ApiError> {
        let facade =
            Facade::named(facade.unwrap_or("pos")).ok_or(ApiError::InvalidParam("facade"))?;
        if !is_sin(sin) {
            return Err(ApiError::UnableToCreateToken);
        }
        let expires = now.plus_ms(self.settings.pairing_code_ms);
        let token = Token {
            value: random::token(),
            facade,
            merchant: self.merchant.clone(),
            sin: Some(sin.to_owned()),
            standing: Standing::Pending { code: random::pairing_code(), expires },
            label,
            created: now,
        };
        Ok(self.issue(token))
    }

    fn issue(&mut self, token: Token) -> Token {
        self.token_order.push(token.value.clone());
        self.tokens.insert(token.value.clone(), token.clone());
        token
    }

    /// Refuses every pairing while too many codes were guessed wrongly within a minute.
    fn brake(&mut self, now: Moment) -> Result<(), ApiError> {
        self.failed_pairings.retain(|failed| now < failed.plus_ms(60_000));
        let limit = usize::try_from(self.settings.failed_pairings_per_minute).unwrap_or(usize::MAX);
        if self.failed_pairings.len() < limit { Ok(()) } else { Err(ApiError::TooManyPairings) }
    }

    /// The token a client asked the merchant to approve with this code.
    #[must_use]
    pub(super) fn pending(&self, code: &str, now: Moment) -> Option<&Token> {
        let asks = |token: &&Token| matches!(&token.standing, Standing::Pending { code: own, expires } if own == code && now < *expires);
        self.tokens.values().find(asks)
    }

    /// The merchant approves a client's request; says whether there was one.
    pub(super) fn approve(&mut self, code: &str, now: Moment) -> bool {
        let Some(value) = self.pending(code, now).map(|token| token.value.clone()) else {
            return false;
        };
        self.stand(&value, Standing::Active)
    }

    /// The merchant switches a token; says whether it exists.
    pub(super) fn stand(&mut self, value: &str, standing: Standing) -> bool {
        self.tokens.get_mut(value).map(|token| token.standing = standing).is_some()
    }

    /// The merchant approves all of the API for a token; says whether it exists.
    pub(super) fn promote(&mut self, value: &str) -> bool {
        self.tokens.get_mut(value).map(|token| token.facade = Facade::Merchant).is_some()
    }

    /// `GET /tokens`: what this identity may use.
    ///
    /// # Errors
    /// An identity without a single token is nobody.
    pub(super) fn list_tokens(&self, sin: &str) -> Result<Reply, ApiError> {
        let own = |token: &&Token| {
            token.sin.as_deref() == Some(sin) && token.standing == Standing::Active
        };
        let one = |token: &Token| json!({ token.facade.name(): token.value });
        let list: Vec<_> = self
            .token_order
            .iter()
            .filter_map(|value| self.tokens.get(value))
            .filter(own)
            .map(one)
            .collect();
        if list.is_empty() { Err(ApiError::UnauthorizedSin) } else { Ok(Reply::data(&json!(list))) }
    }
}

/// A token as `POST /tokens` shows it.
fn describe(token: &Token) -> Value {
    let pending = matches!(token.standing, Standing::Pending { .. });
    let method = if pending { "inactive" } else { "require" };
    let mut shown = json!({
        "policies": [{"policy": "id", "method": method, "params": [token.sin]}],
        "token": token.value,
        "facade": token.facade.name(),
        "dateCreated": token.created.ms(),
    });
    let Some(fields) = shown.as_object_mut() else {
        return shown;
    };
    if let Some(label) = &token.label {
        fields.insert("label".to_owned(), json!(label));
    }
    match &token.standing {
        Standing::Pending { code, expires } => {
            fields.insert("pairingExpiration".to_owned(), json!(expires.ms()));
            fields.insert("pairingCode".to_owned(), json!(code));
        }
        Standing::Active | Standing::Disabled => {
            fields.insert("resource".to_owned(), json!(token.merchant));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sim::bitpay::settings::Settings;

    const SIN: &str = "Tf3yr5tYvccKNVrE26BrPs6LWZRh8woHwjR";
    const DAY: u64 = 86_400_000;

    fn world() -> World {
        let mut world = World::new(Environment::Test, Settings::default());
        let merchant = world.merchant.clone();
        world.add_pairing_code("C4Lg7oW", Environment::Test, merchant, now());
        world
    }

    fn now() -> Moment {
        Moment::from_ms(1_621_340_364_865)
    }

    fn post(world: &mut World, body: &Value, at: Moment) -> Result<Value, ApiError> {
        world.create_token(body.as_object().unwrap(), at).map(|reply| reply.body["data"][0].clone())
    }

    #[test]
    fn a_pairing_code_becomes_a_pos_token_of_the_sin() {
        let mut world = world();
        let token =
            post(&mut world, &json!({"id": SIN, "pairingCode": "C4Lg7oW", "label": "ISP"}), now())
                .unwrap();
        assert_eq!(
            token["policies"],
            json!([{"policy": "id", "method": "require", "params": [SIN]}])
        );
        assert_eq!(token["facade"], "pos");
        assert_eq!(token["resource"], json!(world.merchant));
        assert_eq!(token["dateCreated"], json!(1_621_340_364_865_i64));
        assert_eq!(token.get("pairingCode"), None);
    }

    #[rstest]
    #[case::unknown(json!({"id": SIN, "pairingCode": "AAAAAAA"}), 0)]
    #[case::expired(json!({"id": SIN, "pairingCode": "C4Lg7oW"}), DAY)]
    #[case::bad_checksum(json!({"id": "Tf1Jc1xSbqasm5QLwwSQc5umddx2h7mAMhX", "pairingCode": "C4Lg7oW"}), 0)]
    #[case::with_facade(json!({"id": SIN, "pairingCode": "C4Lg7oW", "facade": "merchant"}), 0)]
    fn a_bad_pairing_is_refused_and_does_not_use_the_code_up(
        #[case] body: Value,
        #[case] later: u64,
    ) {
        let mut world = world();
        assert_eq!(
            post(&mut world, &body, now().plus_ms(later)),
            Err(ApiError::UnableToCreateToken)
        );
        assert!(
            post(&mut world, &json!({"id": SIN, "pairingCode": "C4Lg7oW"}), now().plus_ms(DAY - 1))
                .is_ok()
        );
    }

    #[test]
    fn a_pairing_code_works_once() {
        let mut world = world();
        let body = json!({"id": SIN, "pairingCode": "C4Lg7oW"});
        assert!(post(&mut world, &body, now()).is_ok());
        assert_eq!(post(&mut world, &body, now()), Err(ApiError::UnableToCreateToken));
    }

    #[test]
    fn a_pairing_code_of_the_other_environment_is_refused() {
        let mut world = world();
        let merchant = world.merchant.clone();
        world.add_pairing_code("PR0D123", Environment::Production, merchant, now());
        let body = json!({"id": SIN, "pairingCode": "PR0D123"});
        assert_eq!(post(&mut world, &body, now()), Err(ApiError::UnableToCreateToken));
    }

    #[test]
    fn guessing_codes_is_braked_for_a_minute() {
        let mut world = world();
        world.settings.failed_pairings_per_minute = 2;
        let guess = json!({"id": SIN, "pairingCode": "AAAAAAA"});
        let right = json!({"id": SIN, "pairingCode": "C4Lg7oW"});
        assert_eq!(post(&mut world, &guess, now()), Err(ApiError::UnableToCreateToken));
        assert_eq!(post(&mut world, &guess, now()), Err(ApiError::UnableToCreateToken));
        assert_eq!(post(&mut world, &right, now()), Err(ApiError::TooManyPairings));
        assert!(post(&mut world, &right, now().plus_ms(60_000)).is_ok());
    }

    #[test]
    fn a_requested_token_is_inactive_until_the_merchant_approves_it() {
        let mut world = world();
        let token =
            post(&mut world, &json!({"id": SIN, "facade": "merchant", "label": "ISP"}), now())
                .unwrap();
        assert_eq!(token["policies"][0]["method"], "inactive");
        assert_eq!(
            token["pairingExpiration"].as_i64().unwrap() - token["dateCreated"].as_i64().unwrap(),
            86_400_000
        );
        assert_eq!(world.list_tokens(SIN), Err(ApiError::UnauthorizedSin));
        let code = token["pairingCode"].as_str().unwrap();
        assert!(!world.approve(code, now().plus_ms(DAY)), "too late");
        assert!(world.approve(code, now()));
        assert!(!world.approve(code, now()), "only once");
        assert_eq!(
            world.list_tokens(SIN).unwrap().body,
            json!({"data": [{"merchant": token["token"]}]})
        );
    }

    #[test]
    fn a_disabled_token_is_not_listed() {
        let mut world = world();
        let token = post(&mut world, &json!({"id": SIN, "pairingCode": "C4Lg7oW"}), now()).unwrap();
        assert!(world.list_tokens(SIN).is_ok());
        assert!(world.stand(token["token"].as_str().unwrap(), Standing::Disabled));
        assert_eq!(world.list_tokens(SIN), Err(ApiError::UnauthorizedSin));
    }
}
