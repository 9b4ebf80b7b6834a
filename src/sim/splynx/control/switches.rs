//! Switches: behaviour, clock, permissions, entry points, sessions.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Outcome, done, read};
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::clock::SimClock;
use crate::sim::splynx::world::Shared;

/// Changes the named fields of the behaviour, and `bitpay_url`.
pub(super) fn options(shared: &Shared, body: &[u8]) -> Outcome {
    let mut changes: Map<String, Value> = read(body)?;
    let bitpay_url = changes.remove("bitpay_url");
    let mut world = shared.world();
    let mut merged = serde_json::to_value(world.behaviour).map_err(|error| error.to_string())?;
    if let Some(object) = merged.as_object_mut() {
        object.extend(changes);
    }
    world.behaviour = serde_json::from_value(merged).map_err(|error| error.to_string())?;
    if let Some(url) = bitpay_url {
        world.bitpay_url = url.as_str().map(str::to_owned);
    }
    Ok(json!({ "behaviour": world.behaviour, "bitpay_url": world.bitpay_url }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    stand_at: Option<DateTime<Utc>>,
    #[serde(default)]
    advance_seconds: i64,
    #[serde(default)]
    run: bool,
}

/// `stand_at` stops the clock, `run` lets it run in real time, `advance_seconds` moves it.
pub(super) fn clock(shared: &Shared, body: &[u8]) -> Outcome {
    let change: ClockChange = read(body)?;
    let mut world = shared.world();
    if let Some(at) = change.stand_at {
        world.clock = SimClock::Standing { at };
    } else if change.run {
        world.clock = SimClock::default();
    }
    world.clock = world.clock.advanced(TimeDelta::seconds(change.advance_seconds));
    Ok(json!({ "now": world.clock.now().to_rfc3339() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    controller: String,
    action: String,
    allow: bool,
}

/// Allows or denies the key one action of a controller, e.g. `api\admin\finance\Payments` and `add`.
pub(super) fn permissions(shared: &Shared, body: &[u8]) -> Outcome {
    let Rule { controller, action, allow } = read(body)?;
    done(|| shared.world().access.set_permission(&controller, &action, allow))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    name: String,
    enabled: bool,
}

/// Enables or disables one entry point.
pub(super) fn entry_points(shared: &Shared, body: &[u8]) -> Outcome {
    let switch: Switch = read(body)?;
    let mut world = shared.world();
    let point = world.entry_points.iter_mut().find(|point| point.name == switch.name);
    let point = point.ok_or_else(|| format!("no entry point {}", switch.name))?;
    point.enabled = switch.enabled;
    Ok(point.wire())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    admin: Option<u64>,
    customer: Option<u64>,
}

/// Opens a session of `{"admin": 1}` or `{"customer": 1}`.
pub(super) fn open_session(shared: &Shared, body: &[u8]) -> Outcome {
    let principal = match read(body)? {
        Who { admin: Some(id), customer: None } => Principal::Admin(id),
        Who { admin: None, customer: Some(id) } => Principal::Customer(id),
        Who { .. } => return Err("say either admin or customer".to_owned()),
    };
    Ok(json!({ "session_id": shared.world().access.open_session(principal) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    session_id: Option<String>,
}

/// Ends the named session, or all.
pub(super) fn revoke_session(shared: &Shared, body: &[u8]) -> Outcome {
    let session: Session = read(body)?;
    let access = &mut shared.world().access;
    match session.session_id {
        Some(id) if !access.revoke_session(&id) => Err("no such session".to_owned()),
        Some(_) => done(|| {}),
        None => done(|| access.revoke_sessions()),
    }
}
