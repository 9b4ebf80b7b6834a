//! `/bitpay/`: putting money on the balance. The portal's dashboard posts `amount` here directly.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::dead_end::{AmountProblem, DeadEnd};
use crate::app::start_payment;
use crate::ports::billing::Freshness;
use crate::views::refill::{AmountError, RefillPage};
use crate::web::refusal::Refusal;
use crate::web::{Site, body, dead_ends, identity, pages};

/// The page's own address.
const PATH: &str = "/bitpay/";
/// More of what was typed is not shown again.
const ECHO_CHARACTERS_MAX: usize = 24;

/// Shows the form.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn get(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    identity::customer(&site, &request, Freshness::Remembered, PATH).await?;
    start_payment::can_top_up(&site.app).await.map_err(|error| dead_end(&site, &error))?;
    Ok(pages::show(&site, &request, StatusCode::OK, &page(&site, "", None)))
}

/// Begins the payment and sends the customer to the checkout.
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
    let customer = identity::customer(&site, &request, Freshness::Asked, PATH).await?;
    let amount = form.get("amount").unwrap_or_default();
    let due = match start_payment::check_top_up(&site.app, amount).await {
        Ok(due) => due,
        Err(DeadEnd::Amount(problem)) => {
            let page = page(&site, amount, Some(problem));
            return Ok(pages::show(&site, &request, StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
        Err(error) => return Err(dead_end(&site, &error)),
    };
    // A slip of the pen begins no payment, so it is not counted.
    site.checkouts.check(customer.id)?;
    let checkout = start_payment::pay_top_up(&site.app, &customer, due)
        .await
        .map_err(|error| dead_end(&site, &error))?;
    Ok(pages::see_other(&checkout.url))
}

fn dead_end(site: &Site, error: &DeadEnd) -> Refusal {
    dead_ends::refusal(error, PATH, dead_ends::back_to_payments(site))
}

fn page(site: &Site, typed: &str, problem: Option<AmountProblem>) -> RefillPage {
    let rules = site.app.rules();
    let percent = rules.fee.percent.normalize();
    RefillPage {
        action: PATH.to_owned(),
        amount: typed.chars().take(ECHO_CHARACTERS_MAX).collect(),
        error: problem.map(explain),
        currency: rules.currency.code(),
        minimum: rules.minimum.to_string(),
        maximum: rules.maximum.to_string(),
        fee_percent: (!percent.is_zero()).then(|| percent.to_string()),
        back: site.portal("/portal/"),
    }
}

fn explain(problem: AmountProblem) -> AmountError {
    let (key, figure) = match problem {
        AmountProblem::NotAnAmount => ("amount-not-an-amount", String::new()),
        AmountProblem::TooPrecise { places } => ("amount-too-precise", places.to_string()),
        AmountProblem::TooSmall { minimum } => ("amount-too-small", minimum.to_string()),
        AmountProblem::TooLarge { maximum } => ("amount-too-large", maximum.to_string()),
    };
    AmountError { key, figure }
}
