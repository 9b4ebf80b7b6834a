//! POST `/bitpay/admin/attempts/{id}`: an admin settles a review.
//!
//! **Invariant:** nothing changes without a form that carries this session's token; who sent it is the admin that Splynx
//! names now, whatever the form says.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::attempt::{address, back, named, not_found, page};
use crate::app::settle::{Decision, Order, SettleError, settle};
use crate::domain::actor::Actor;
use crate::domain::ids::ReviewId;
use crate::domain::settlement::Goal;
use crate::ports::billing::Freshness;
use crate::views::attempt::{AttemptPage, Failure, Typed};
use crate::views::notice::NoticeKind;
use crate::web::body::Fields;
use crate::web::refusal::Refusal;
use crate::web::{Site, body, dead_ends, identity, pages};

/// More of a note is not shown again.
const ECHO_CHARACTERS_MAX: usize = 600;

/// Settles a review, and sends the browser back to the page.
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
    let id = named(&request);
    let session = identity::admin(&site, &request, Freshness::Asked, &back(id)).await?;
    super::carries_token(&site, &request, &session, &form, &back(id))?;
    let id = id.ok_or_else(not_found)?;
    let word = form.get("decision").unwrap_or_default();
    let review = form.get("review").and_then(|id| ReviewId::parse(id).ok());
    let (Some(decision), Some(review)) = (decision(word, &form), review) else {
        return Err(Refusal::of(NoticeKind::BadRequest));
    };
    let order = Order {
        attempt: id,
        review: Some(review),
        decision,
        note: form.get("note").unwrap_or_default().to_owned(),
        by: Actor::Admin(session.admin),
    };
    let error = match settle(&site.app, &order).await {
        Ok(_) => return Ok(pages::see_other(&format!("{}?done={word}", address(id)))),
        Err(SettleError::UnknownAttempt) => return Err(not_found()),
        Err(SettleError::Store(error)) => return Err(dead_ends::store_down(&error)),
        Err(error) => error,
    };
    tracing::info!(admin = session.admin, attempt = %id, %error, "an order was not carried out");
    let failure = Some(Failure { code: error.code(), figure: error.figure() });
    let page = page(&site, id, &session).await?;
    let page = AttemptPage { failure, ..page.with_typed(review, &typed(&form)) };
    Ok(pages::show(&site, &request, StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn decision(word: &str, form: &Fields) -> Option<Decision> {
    let amount = form.get("amount").map(ToOwned::to_owned);
    match word {
        "document" => Some(Decision::Credit { goal: Goal::Document, amount }),
        "balance" => Some(Decision::Credit { goal: Goal::Balance, amount }),
        "dismiss" => Some(Decision::Dismiss),
        _ => None,
    }
}

fn typed(form: &Fields) -> Typed {
    let text = |name| {
        form.get(name).unwrap_or_default().chars().take(ECHO_CHARACTERS_MAX).collect::<String>()
    };
    Typed { decision: text("decision"), amount: text("amount"), note: text("note") }
}
