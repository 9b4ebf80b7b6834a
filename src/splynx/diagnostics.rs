//! Questions of `doctor`: does Splynx answer, may we do what we need, is it set up as we expect.
//!
//! **Invariant:** nothing here writes.

use serde_json::Value;

use super::client::{Client, Request};
use super::operation::Operation;
use super::payments::PAYMENTS;
use super::permissions::{GRANTS, Grant};
use super::search::main_attribute;
use super::settings::{config_request, settings};
use super::wire::{self, Row};
use crate::ports::PeerError;

/// What `admin/api/check` says (facts/splynx 1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCheck {
    /// Whether Splynx calls the API and our credentials good.
    pub good: bool,
    /// In Splynx's words.
    pub message: String,
}

/// A row of one of Splynx's lists to choose from: a payment method, a transaction category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whether it may be used.
    pub active: bool,
}

/// A place in Splynx where an add-on shows up (facts/splynx 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// The add-on's module; a number in some releases.
    pub module: String,
    /// Its name, such as `bitpay_pay_invoice_point`.
    pub name: String,
    /// `portal` or `admin`.
    pub place: String,
    /// Whether it is shown; absent where Splynx does not tell.
    pub enabled: Option<bool>,
}

/// Whether the API key may do one thing that reading shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The controller, as the API key's page lists it.
    pub controller: &'static str,
    /// The action: `index` or `view`.
    pub action: &'static str,
    /// Whether payments cannot go on without it.
    pub vital: bool,
    /// [`PeerError::Refused`]: it may not; anything else: that could not be found out.
    pub verdict: Result<(), PeerError>,
}

impl Client {
    /// Asks Splynx whether the API and our credentials work.
    ///
    /// # Errors
    ///
    /// [`PeerError`]: refused credentials are [`PeerError::Refused`].
    pub async fn check(&self) -> Result<ApiCheck, PeerError> {
        let request = Request::get(Operation::Diagnose, "admin/api/check")
            .query("code", "")
            .query("checkAuth", "true");
        let value = self.read(&request).await?;
        let row = Row::of(&value)?;
        Ok(ApiCheck { good: row.text("status") == "ok", message: row.text("message") })
    }

    /// The payment methods an admin can choose for our payments.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn payment_methods(&self) -> Result<Vec<Choice>, PeerError> {
        self.choices("admin/finance/payment-methods").await
    }

    /// The transaction categories an admin can choose for fees.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn transaction_categories(&self) -> Result<Vec<Choice>, PeerError> {
        self.choices("admin/finance/transaction-categories").await
    }

    async fn choices(&self, path: &str) -> Result<Vec<Choice>, PeerError> {
        let value = self.read(&Request::get(Operation::Diagnose, path)).await?;
        let choices = wire::rows(&value)?.into_iter().map(|row| {
            Ok(Choice {
                id: row.id("id")?,
                name: row.text("name"),
                active: row.flag("is_active") != Some(false),
            })
        });
        choices.collect()
    }

    /// The currency Splynx shows sums in. `None` where it does not tell: the setting's name is not documented.
    ///
    /// # Errors
    ///
    /// [`PeerError`], but not for a refusal: that is `None`.
    pub async fn localization_currency(&self) -> Result<Option<String>, PeerError> {
        let request = config_request(Operation::Diagnose, "main", "localization");
        match self.read_one(&request).await {
            Ok(value) => Ok(value.as_ref().and_then(currency)),
            Err(PeerError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tries every permission that reading shows. Ends early where Splynx does not answer.
    pub async fn probe_permissions(&self) -> Vec<Permission> {
        let mut permissions = vec![];
        for grant in &GRANTS {
            let Some(path) = grant.path else { continue };
            let listed = self.first_of(path).await;
            let unanswered = listed.as_ref().is_err_and(PeerError::is_unavailable);
            let id = listed.as_ref().ok().copied().flatten();
            permissions.push(tried(grant, "index", listed.map(drop)));
            if unanswered {
                return permissions;
            }
            if grant.actions.contains(&"view") {
                permissions.push(tried(grant, "view", self.may_view(path, id).await));
            }
        }
        let verdict = self.read_settings().await.map(drop);
        let controller = r"api\admin\config\Config";
        permissions.push(Permission { controller, action: "index", vital: false, verdict });
        permissions
    }

    /// The id of some row; `None` where there are none.
    async fn first_of(&self, path: &str) -> Result<Option<i64>, PeerError> {
        let request = Request::get(Operation::Diagnose, path).query("limit", 1);
        let value = self.read(&request).await?;
        Ok(wire::rows(&value)?.into_iter().next().map(|row| row.id("id")).transpose()?)
    }

    /// Without a row to look at, one that there is not will do: only who may look is told that.
    async fn may_view(&self, path: &str, id: Option<i64>) -> Result<(), PeerError> {
        let request = Request::get(Operation::Diagnose, path).segment(id.unwrap_or(1));
        self.read_one(&request).await.map(drop)
    }

    /// Whether Splynx heeds the search by receipt number: one that was never given out must find nothing.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn filter_works(&self) -> Result<bool, PeerError> {
        let request = PAYMENTS
            .newest(1)
            .query(main_attribute("receipt_number"), format!("PROBE-{}", self.nonce().await?));
        let value = self.read(&request).await?;
        Ok(wire::rows(&value)?.is_empty())
    }

    /// All entry points of all add-ons.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn entry_points(&self) -> Result<Vec<EntryPoint>, PeerError> {
        let request = Request::get(Operation::Diagnose, "admin/config/entry-points");
        let value = self.read(&request).await?;
        let points = wire::rows(&value)?.into_iter().map(|row| EntryPoint {
            module: row.text("module"),
            name: row.text("name"),
            place: row.text("place"),
            enabled: row.flag("enabled"),
        });
        Ok(points.collect())
    }
}

fn tried(grant: &Grant, action: &'static str, verdict: Result<(), PeerError>) -> Permission {
    Permission { controller: grant.controller, action, vital: grant.vital, verdict }
}

/// The first ISO code under a name that means "currency".
fn currency(value: &Value) -> Option<String> {
    let settings = settings(value);
    ["currency", "currency_code", "default_currency"]
        .into_iter()
        .filter_map(|name| settings.get(name))
        .map(|text| text.trim().to_ascii_uppercase())
        .find(|text| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"currency": "USD"}), Some("USD"))]
    #[case(json!({"currency": "$", "currency_code": "eur"}), Some("EUR"))]
    #[case(json!([{"key": "currency", "value": "CZK"}]), Some("CZK"))]
    #[case(json!({"currency": "$"}), None)]
    #[case(json!([]), None)]
    fn the_currency_is_an_iso_code_or_unknown(#[case] value: Value, #[case] code: Option<&str>) {
        assert_eq!(currency(&value).as_deref(), code);
    }
}
