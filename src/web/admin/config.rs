//! `/bitpay/config`: pairing with the processor, and unpairing.
//!
//! **Invariant:** nothing changes without a form that carries this session's token.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::pair::{self, PairError, Pairing};
use crate::domain::actor::Actor;
use crate::domain::connection::Connection;
use crate::ports::billing::Freshness;
use crate::ports::pairing::PairingFailure;
use crate::views::config::{ConfigPage, Failure, Paired};
use crate::views::notice::NoticeKind;
use crate::views::{Link, time};
use crate::web::identity::AdminSession;
use crate::web::refusal::Refusal;
use crate::web::{Site, body, dead_ends, identity, pages};

/// The page's own address.
pub const PATH: &str = "/bitpay/config";
/// More of a pasted code is not shown again.
const ECHO_CHARACTERS_MAX: usize = 128;

/// Shows how pairing stands.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn get(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let session = identity::admin(&site, &request, Freshness::Remembered, PATH).await?;
    let done = body::query(&request)?.get("done").map(ToOwned::to_owned);
    let page = page(&site, &session).await?;
    let success = success(done.as_deref(), page.paired.is_some());
    Ok(pages::show(&site, &request, StatusCode::OK, &ConfigPage { success, ..page }))
}

/// Pairs or unpairs.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    let form = body::form(&site, &request, payload).await?;
    let session = identity::admin(&site, &request, Freshness::Asked, PATH).await?;
    super::carries_token(&site, &request, &session, &form, PATH)?;
    match form.get("action") {
        Some("pair") => {
            let code = form.get("pairing_code").unwrap_or_default();
            pair_with(&site, &request, &session, code).await
        }
        Some("unpair") => unpair(&site, &session).await,
        _ => Err(Refusal::of(NoticeKind::BadRequest)),
    }
}

async fn pair_with(
    site: &Site,
    request: &HttpRequest,
    session: &AdminSession,
    code: &str,
) -> Result<HttpResponse, Refusal> {
    let (status, failure) = match pair::pair(&site.app, code, &Actor::Admin(session.admin)).await {
        Ok(connection) => {
            tracing::info!(admin = session.admin, connection = %connection.id, "paired");
            return Ok(pages::see_other(&format!("{PATH}?done=paired")));
        }
        Err(PairError::Store(error)) => return Err(dead_ends::store_down(&error)),
        Err(PairError::Refused(failure)) => (StatusCode::UNPROCESSABLE_ENTITY, failure),
        Err(PairError::Unclear(failure)) => (StatusCode::SERVICE_UNAVAILABLE, failure),
    };
    tracing::warn!(admin = session.admin, %failure, "pairing did not work");
    let page = page(site, session).await?;
    let code = code.chars().take(ECHO_CHARACTERS_MAX).collect();
    let PairingFailure { kind, address, said } = failure;
    let failure = Some(Failure { code: kind.code(), address, said });
    let page = ConfigPage { failure, code, ..page };
    Ok(pages::show(site, request, status, &page))
}

async fn unpair(site: &Site, session: &AdminSession) -> Result<HttpResponse, Refusal> {
    let by = Actor::Admin(session.admin);
    pair::unpair(&site.app, &by).await.map_err(|error| dead_ends::store_down(&error))?;
    tracing::info!(admin = session.admin, "unpaired");
    Ok(pages::see_other(&format!("{PATH}?done=unpaired")))
}

async fn page(site: &Site, session: &AdminSession) -> Result<ConfigPage, Refusal> {
    let Pairing { environment, processor_url, active } =
        pair::pairing(&site.app).await.map_err(|error| dead_ends::store_down(&error))?;
    Ok(ConfigPage {
        action: PATH,
        form_token: site.settings.form_key.token(&session.cookie),
        environment: environment.code(),
        processor: processor_url,
        success: None,
        failure: None,
        code: String::new(),
        paired: active.map(paired),
        attempts: Link::here(super::attempts::PATH, "open-attempts"),
        back: Link::out(site.portal("/admin/"), "back-admin"),
    })
}

fn paired(connection: Connection) -> Paired {
    let since = connection.activated_at.unwrap_or(connection.created_at);
    Paired {
        masked_token: connection.secrets.token.as_ref().map(pair::masked).unwrap_or_default(),
        since: time(since),
        sin: connection.sin,
    }
}

/// Good news only where it is still true: the address of the page can be kept and opened again.
fn success(done: Option<&str>, is_paired: bool) -> Option<&'static str> {
    match done {
        Some("paired") if is_paired => Some("paired"),
        Some("unpaired") if !is_paired => Some("unpaired"),
        _ => None,
    }
}
