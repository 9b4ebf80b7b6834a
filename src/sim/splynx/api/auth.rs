//! The three ways to authenticate, and `admin/auth/…`.
//!
//! **Invariant:** a signature that does not verify moves no nonce; a nonce is used once.

use actix_web::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use url::form_urlencoded;

use super::failure::Failure;
use super::input::Input;
use super::{Reply, Request};
use crate::sim::splynx::access::{Principal, Token};
use crate::sim::splynx::clock::random_hex;
use crate::sim::splynx::world::World;

/// `UPPERCASE_HEX(HMAC_SHA256(secret, nonce || key))`.
pub(in crate::sim::splynx) fn signature(key: &str, secret: &str, nonce: &str) -> String {
    // HMAC takes keys of any length; the empty text could only follow from one that is refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(nonce.as_bytes());
    mac.update(key.as_bytes());
    hex::encode_upper(mac.finalize().into_bytes())
}

/// Who sends this request.
pub(super) fn principal(world: &mut World, request: &Request) -> Result<Principal, Failure> {
    let Some(header) = request.authorization.as_deref() else {
        return Err(Failure::unauthorized(
            "MISSED_AUTHORIZATION_HEADER",
            "Required authorization header is missed!",
        ));
    };
    if let Some(credentials) = header.strip_prefix("Basic ") {
        return basic(world, credentials);
    }
    let content = header.strip_prefix("Splynx-EA (").and_then(|rest| rest.strip_suffix(')'));
    let Some(content) = content else {
        return Err(Failure::unauthorized("UNAUTHORIZED", "Unknown authorization scheme!"));
    };
    let parameters: Vec<(String, String)> =
        form_urlencoded::parse(content.as_bytes()).into_owned().collect();
    let parameter = |name: &str| {
        parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    };
    if parameters.iter().any(|(name, _)| name == "access_token") {
        return by_token(world, parameter("access_token"), request);
    }
    signed(world, parameter("key"), parameter("signature"), parameter("nonce"))
}

fn basic(world: &World, credentials: &str) -> Result<Principal, Failure> {
    let expected = STANDARD.encode(format!("{}:{}", world.access.key, world.access.secret));
    if world.behaviour.unsecure_access && credentials == expected {
        return Ok(Principal::ApiKey);
    }
    Err(Failure::unauthorized("UNAUTHORIZED", "Unsecure access is disabled or the key is wrong!"))
}

fn signed(world: &mut World, key: &str, given: &str, nonce: &str) -> Result<Principal, Failure> {
    let refused = |message: &str| Err(Failure::unauthorized("UNAUTHORIZED", message));
    if key != world.access.key {
        return refused("Unknown API key!");
    }
    if given != signature(key, &world.access.secret, nonce) {
        return refused("Invalid signature!");
    }
    let Ok(nonce) = nonce.parse::<u128>() else { return refused("Invalid nonce!") };
    if world.behaviour.check_nonce && nonce <= world.access.last_nonce {
        return refused("The nonce is not greater than the last one!");
    }
    world.access.last_nonce = nonce;
    Ok(Principal::ApiKey)
}

fn by_token(world: &World, access: &str, request: &Request) -> Result<Principal, Failure> {
    if access.is_empty() {
        return Err(Failure::unauthorized("EMPTY_ACCESS_TOKEN", "Access token is missed!"));
    }
    let Some(token) = world.access.by_access(access) else {
        return Err(Failure::unauthorized("UNAUTHORIZED", "Access token is invalid!"));
    };
    check_client(token, request)?;
    if token.access_expiration <= world.clock.now().timestamp() {
        return Err(Failure::unauthorized("EXPIRED_ACCESS_TOKEN", "Access token expired!"));
    }
    Ok(token.principal)
}

/// A token works for the client it was given to, until it is deleted.
fn check_client(token: &Token, request: &Request) -> Result<(), Failure> {
    if token.banned {
        return Err(Failure::unauthorized("TOKEN_BANNED", "Token has been banned by server!"));
    }
    if token.user_agent != request.user_agent {
        return Err(Failure::unauthorized("USER_AGENT_CHANGED", "User agent changed!"));
    }
    if token.ip != request.ip {
        return Err(Failure::unauthorized("IP_CHANGED", "IP address changed!"));
    }
    Ok(())
}

/// `admin/auth/tokens` and `admin/auth/sessions`.
pub(super) fn serve(world: &mut World, request: &Request, rest: &[&str]) -> Result<Reply, Failure> {
    match (&request.method, rest) {
        (&Method::POST, ["tokens"]) => generate(world, request),
        (&Method::GET, ["tokens", refresh]) => renew(world, request, refresh),
        (&Method::DELETE, ["tokens", refresh]) => delete(world, request, refresh),
        (&Method::POST, ["sessions"]) => session(world, request),
        (_, ["tokens" | "sessions", ..]) => Err(Failure::disabled()),
        _ => Err(Failure::not_found()),
    }
}

fn generate(world: &mut World, request: &Request) -> Result<Reply, Failure> {
    let mut input = Input::parse(&request.body)?;
    let mut text = |name: &str| input.text(name, 512).unwrap_or_default();
    let principal = match text("auth_type").as_str() {
        "api_key" => signed(world, &text("key"), &text("signature"), &text("nonce")).map(Some)?,
        "admin" => admin_login(world, &text("login"), &text("password")),
        "customer" => customer_login(world, &text("login"), &text("password")),
        "session" => Some(exchange(world, &text("session_id"))?),
        _ => {
            return Err(Failure::unauthorized("INVALID_AUTH_TYPE", "Invalid authentication type!"));
        }
    };
    let Some(principal) = principal else {
        return Err(Failure::unauthorized("UNAUTHORIZED", "Invalid login or password!"));
    };
    let token = issue(world, principal, request);
    let mut body = wire(&token);
    if let Some(object) = body.as_object_mut() {
        object.insert("permissions".to_owned(), json!([]));
    }
    Ok(Reply::created(body))
}

/// The admin of this login and password.
pub(in crate::sim::splynx) fn admin_login(
    world: &World,
    login: &str,
    password: &str,
) -> Option<Principal> {
    let mut admins = world.books.admins.iter();
    let admin = admins.find(|admin| admin.login == login && admin.password == password)?;
    Some(Principal::Admin(admin.id))
}

/// The customer of this login and password.
pub(in crate::sim::splynx) fn customer_login(
    world: &World,
    login: &str,
    password: &str,
) -> Option<Principal> {
    let mut customers = world.books.customers.iter();
    let own = |customer: &&_| is_of(customer, login, password);
    Some(Principal::Customer(customers.find(own)?.id))
}

fn is_of(customer: &crate::sim::splynx::rows::Customer, login: &str, password: &str) -> bool {
    customer.login == login && customer.password == password && customer.status != "disabled"
}

fn exchange(world: &World, session_id: &str) -> Result<Principal, Failure> {
    world.access.session(session_id).ok_or_else(|| {
        Failure::unauthorized("INVALID_USER", "Session user is not supported in API!")
    })
}

fn issue(world: &mut World, principal: Principal, request: &Request) -> Token {
    let (now, lives) = (world.clock.now().timestamp(), world.lives());
    world.access.issue(principal, (&request.user_agent, &request.ip), now, lives)
}

fn wire(token: &Token) -> Value {
    json!({
        "access_token": token.access, "access_token_expiration": token.access_expiration,
        "refresh_token": token.refresh, "refresh_token_expiration": token.refresh_expiration,
    })
}

fn renew(world: &mut World, request: &Request, refresh: &str) -> Result<Reply, Failure> {
    let now = world.clock.now().timestamp();
    let token = world.access.by_refresh(refresh).ok_or_else(Failure::not_found)?;
    check_client(token, request)?;
    if token.refresh_expiration <= now {
        return Err(Failure::unauthorized("EXPIRED_REFRESH_TOKEN", "Refresh token expired!"));
    }
    // The old refresh token is used up; its access token lives on until it expires.
    token.refresh.clear();
    let principal = token.principal;
    let renewed = issue(world, principal, request);
    Ok(Reply::ok(wire(&renewed)))
}

fn delete(world: &mut World, request: &Request, refresh: &str) -> Result<Reply, Failure> {
    let token = world.access.by_refresh(refresh).ok_or_else(Failure::not_found)?;
    check_client(token, request)?;
    token.banned = true;
    Ok(Reply::no_content())
}

fn session(world: &mut World, request: &Request) -> Result<Reply, Failure> {
    let principal = principal(world, request)?;
    if principal == Principal::ApiKey {
        return Err(Failure::forbidden());
    }
    let id = world.access.open_session(principal);
    Ok(Reply::created(json!({ "session_id": id, "csrf_token": random_hex(16) })))
}
