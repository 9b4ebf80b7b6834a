//! `admin/config/config`, `admin/config/company-info` and `admin/config/entry-points`.
//!
//! **Invariant:** an empty group of settings is `[]`, as PHP writes an empty array; a group with settings is an object.

use serde_json::{Map, Value, json};

use super::Reply;
use super::failure::Failure;
use super::input::Input;
use super::query::Node;
use super::resource::{Action, Job};
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::entry_points::EntryPoint;
use crate::sim::splynx::world::{SettingsGroup, World};

/// The settings a customer's token may read.
const FOR_CUSTOMERS: &[&str] = &["cap", "cards", "portal", "system"];

pub(super) fn settings(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    let group = group(job)?;
    if matches!(job.principal, Principal::Customer(_))
        && !(group.0 == "main" && FOR_CUSTOMERS.contains(&group.1.as_str()))
    {
        return Err(Failure::forbidden());
    }
    match job.action {
        Action::Index => Ok(Reply::ok(read(world, &group, job))),
        Action::Update => {
            let fields = Input::parse(&job.request.body)?.into_fields();
            world.settings.entry(group).or_default().extend(fields);
            Ok(Reply::accepted())
        }
        Action::View | Action::Add | Action::Delete => Err(Failure::disabled()),
    }
}

fn group(job: &Job<'_>) -> Result<SettingsGroup, Failure> {
    let text = |name: &str| job.request.query.get(name).and_then(Node::text).unwrap_or_default();
    let (module, path, partner) = (text("module"), text("path"), text("partner_id"));
    if module.is_empty() || path.is_empty() {
        return Err(Failure::Coded(
            actix_web::http::StatusCode::BAD_REQUEST,
            "INVALID_INPUT_DATA",
            "Parameters module and path are required!".to_owned(),
        ));
    }
    let partner = if partner.is_empty() { Ok(0) } else { partner.parse() };
    let partner = partner.map_err(|_| Failure::bad_request("Invalid partner_id"))?;
    Ok((module.to_owned(), path.to_owned(), partner))
}

fn read(world: &World, group: &SettingsGroup, job: &Job<'_>) -> Value {
    let key = job.request.query.get("key").and_then(Node::text).unwrap_or_default();
    let stored = world.settings.get(group).into_iter().flatten();
    let found: Map<String, Value> = stored
        .filter(|(name, _)| key.is_empty() || *name == key)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if found.is_empty() { json!([]) } else { Value::Object(found) }
}

pub(super) fn company_info(world: &World, job: &Job<'_>) -> Result<Reply, Failure> {
    let of = |id: u64| {
        json!({
            "id": id, "company_name": "Internet Provider", "country": "United States",
            "iso_country_code": "US", "splynx_url": format!("{}/", world.url),
        })
    };
    match job.action {
        Action::Index => {
            Ok(Reply::ok(world.books.partners.iter().map(|partner| of(partner.id)).collect()))
        }
        Action::View => {
            let partner = world.books.partners.get(job.id()?).ok_or_else(Failure::not_found)?;
            Ok(Reply::ok(of(partner.id)))
        }
        Action::Add | Action::Update | Action::Delete => Err(Failure::disabled()),
    }
}

pub(super) fn entry_points(world: &World, job: &Job<'_>) -> Result<Reply, Failure> {
    match job.action {
        Action::Index => Ok(Reply::ok(world.entry_points.iter().map(EntryPoint::wire).collect())),
        Action::View => {
            let id = job.id()?;
            let point = world.entry_points.iter().find(|point| point.id == id);
            Ok(Reply::ok(point.ok_or_else(Failure::not_found)?.wire()))
        }
        Action::Add | Action::Update | Action::Delete => Err(Failure::disabled()),
    }
}
