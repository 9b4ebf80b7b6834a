//! `/bitpay/result/{token}`: where the customer comes back to. Needs no login; the token is the secret.
//!
//! **Invariant:** coming back proves nothing: the page shows what the store says, whatever the address carries.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, VARY};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::results::{self, Progress, ResultView};
use crate::domain::ids::ResultToken;
use crate::domain::payable::Payable;
use crate::views::notice::NoticeKind;
use crate::views::pay_document::kind_key;
use crate::views::result::{ResultPage, ResultState};
use crate::views::{Link, texts::Language};
use crate::web::refusal::Refusal;
use crate::web::{Site, dead_ends, language, pages};

/// Shows how far the payment got: as a page, or to the page's own script.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn get(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let token = request.match_info().get("token").unwrap_or_default();
    let token = ResultToken::parse(token).map_err(|_| unknown(&site))?;
    let view = results::result(&site.app, &token)
        .await
        .map_err(|error| dead_ends::store_down(&error))?
        .ok_or_else(|| unknown(&site))?;
    if wants_json(&request) {
        let state = state(&language::of(&request), &view);
        return Ok(HttpResponse::Ok().insert_header((VARY, "Accept, Accept-Language")).json(state));
    }
    Ok(pages::show(&site, &request, StatusCode::OK, &page(&site, view)))
}

fn unknown(site: &Site) -> Refusal {
    Refusal::with_links(NoticeKind::UnknownPayment, vec![dead_ends::back_to_payments(site)])
}

fn wants_json(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.starts_with("application/json"))
}

fn page(site: &Site, view: ResultView) -> ResultPage {
    let document = view.payable.document();
    ResultPage {
        progress: word(view.progress),
        payable: document.map_or("top-up", |document| kind_key(document.kind)),
        number: document.map(|document| document.number.to_string()).unwrap_or_default(),
        price: view.price.to_string(),
        is_live: view.progress.may_change_soon(),
        back: back(site, &view.payable),
        checkout: view.checkout_url,
    }
}

fn state(language: &Language, view: &ResultView) -> ResultState {
    let progress = word(view.progress);
    let text = |part: &str| language.text(&format!("result-{progress}-{part}")).unwrap_or_default();
    ResultState {
        progress,
        title: text("title"),
        text: text("text"),
        is_payable: view.checkout_url.is_some(),
        is_live: view.progress.may_change_soon(),
    }
}

fn back(site: &Site, payable: &Payable) -> Link {
    match payable {
        Payable::Document(document) => dead_ends::back_to_documents(site, document.kind),
        Payable::TopUp => dead_ends::back_to_payments(site),
    }
}

fn word(progress: Progress) -> &'static str {
    match progress {
        Progress::Waiting => "waiting",
        Progress::Confirming => "confirming",
        Progress::Settled => "settled",
        Progress::Paid => "paid",
        Progress::Expired => "expired",
        Progress::Refused => "refused",
        Progress::Review => "review",
    }
}
