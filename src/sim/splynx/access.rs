//! Who may do what: the API key with its permissions, tokens, and PHP sessions.
//!
//! **Invariant:** an access token says nothing of whether its owner is an admin or a customer. Both are counted from 1,
//! so a client that trusts the `id` of a token alone is wrong, as it would be with Splynx.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;

use super::clock::random_hex;

/// Who stands behind a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// The API key.
    ApiKey,
    /// An admin.
    Admin(u64),
    /// A customer.
    Customer(u64),
}

impl Principal {
    /// The id in the payload of an access token.
    fn id(self) -> u64 {
        match self {
            Self::ApiKey => 1,
            Self::Admin(id) | Self::Customer(id) => id,
        }
    }
}

/// A pair of tokens.
#[derive(Debug, Clone)]
pub struct Token {
    /// Whose they are.
    pub principal: Principal,
    /// The access token.
    pub access: String,
    /// When the access token dies, in unix seconds.
    pub access_expiration: i64,
    /// The refresh token.
    pub refresh: String,
    /// When the refresh token dies, in unix seconds.
    pub refresh_expiration: i64,
    /// The `User-Agent` it was given to.
    pub user_agent: String,
    /// The address it was given to.
    pub ip: String,
    /// Deleted by its owner.
    pub banned: bool,
}

/// The lives of tokens, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lives {
    pub(super) access: i64,
    pub(super) refresh: i64,
}

/// Keys, tokens and sessions.
#[derive(Debug)]
pub struct Access {
    /// The API key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// The last nonce of the key.
    pub last_nonce: u128,
    /// What the key may do, as (controller, action).
    pub permissions: BTreeSet<(String, String)>,
    /// Tokens by access token.
    tokens: BTreeMap<String, Token>,
    sessions: BTreeMap<String, Principal>,
}

/// What the add-on's installer grants its key.
const GRANTS: &[(&str, &[&str])] = &[
    ("api\\admin\\finance\\BankStatements", &["index", "view", "add"]),
    ("api\\admin\\finance\\BankStatementsRecords", &["index", "view", "add", "update"]),
    ("api\\admin\\finance\\Payments", &["index", "view", "add"]),
    ("api\\admin\\finance\\Transactions", &["index", "view", "add"]),
    ("api\\admin\\finance\\Invoices", &["index", "view", "update"]),
    ("api\\admin\\finance\\Requests", &["index", "view", "update"]),
    ("api\\admin\\finance\\PaymentMethods", &["index", "view", "add"]),
    ("api\\admin\\finance\\TransactionCategories", &["index", "view"]),
    ("api\\admin\\finance\\InvoiceRelations", &["index", "view"]),
    ("api\\admin\\customers\\Customer", &["index", "view"]),
    ("api\\admin\\customers\\CustomerBilling", &["view"]),
    ("api\\admin\\administration\\Partners", &["index", "view"]),
    ("api\\admin\\config\\Config", &["index", "update"]),
    ("api\\admin\\config\\CompanyInfo", &["index", "view"]),
    ("api\\admin\\config\\EntryPoints", &["index", "view"]),
    ("api\\admin\\config\\Mail", &["index", "view", "add"]),
];

fn granted() -> BTreeSet<(String, String)> {
    let pairs = |(controller, actions): &(&str, &[&str])| {
        let controller = (*controller).to_owned();
        actions.iter().map(|action| (controller.clone(), (*action).to_owned())).collect::<Vec<_>>()
    };
    GRANTS.iter().flat_map(pairs).collect()
}

impl Access {
    pub(super) fn new(key: &str, secret: &str) -> Self {
        Self {
            key: key.to_owned(),
            secret: secret.to_owned(),
            last_nonce: 0,
            permissions: granted(),
            tokens: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }

    /// Allows or denies the key one action of a controller.
    pub fn set_permission(&mut self, controller: &str, action: &str, allow: bool) {
        let rule = (controller.to_owned(), action.to_owned());
        if allow {
            self.permissions.insert(rule);
        } else {
            self.permissions.remove(&rule);
        }
    }

    /// Opens a PHP session and returns its id, the value of the cookie.
    pub fn open_session(&mut self, principal: Principal) -> String {
        let id = random_hex(13);
        self.sessions.insert(id.clone(), principal);
        id
    }

    /// Whose session this is.
    #[must_use]
    pub fn session(&self, id: &str) -> Option<Principal> {
        self.sessions.get(id).copied()
    }

    /// Ends a session; tokens exchanged for it before go on living, as they do in Splynx.
    pub fn revoke_session(&mut self, id: &str) -> bool {
        self.sessions.remove(id).is_some()
    }

    /// Ends all sessions.
    pub fn revoke_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Tokens that are neither deleted nor expired.
    #[must_use]
    pub fn live_tokens(&self, now: i64) -> usize {
        let live = |token: &&Token| !token.banned && token.access_expiration > now;
        self.tokens.values().filter(live).count()
    }

    pub(super) fn issue(
        &mut self,
        principal: Principal,
        client: (&str, &str),
        now: i64,
        lives: Lives,
    ) -> Token {
        let access_expiration = now + lives.access;
        let token = Token {
            principal,
            access: jwt(principal.id(), now, access_expiration),
            access_expiration,
            refresh: random_hex(32),
            refresh_expiration: now + lives.refresh,
            user_agent: client.0.to_owned(),
            ip: client.1.to_owned(),
            banned: false,
        };
        self.tokens.insert(token.access.clone(), token.clone());
        token
    }

    pub(super) fn by_access(&self, access: &str) -> Option<&Token> {
        self.tokens.get(access)
    }

    pub(super) fn by_refresh(&mut self, refresh: &str) -> Option<&mut Token> {
        self.tokens.values_mut().find(|token| token.refresh == refresh)
    }
}

/// A string of the shape of a JWT. Its signature is random: nobody but this table can check it.
fn jwt(id: u64, issued_at: i64, expires_at: i64) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "typ": "JWT", "alg": "HS256" }));
    let payload =
        part(json!({ "iat": issued_at, "exp": expires_at, "jti": random_hex(8), "id": id }));
    format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(random_hex(32)))
}
