//! Renders the Twig code of entry points, which in a real Splynx is PHP's work.
//!
//! The code is real Twig. The few things Tera does not know (the methods of `loader` and `App`, the `autoescape` tag)
//! are translated before. Tera escapes every value of a template whose name ends with `.html`.
//!
//! **Invariant:** a construct that is neither Tera nor translated fails; it is never shown as text.

use serde_json::Value;
use tera::{Context, Tera};

const FINANCE_FORMAT: &str = "App.financeFormat(";

/// Renders Twig code with `loader`, `customer` and `App` in scope.
pub(in crate::sim::splynx) fn render(code: &str, scope: &Value) -> Result<String, String> {
    let mut tera = Tera::default();
    tera.add_raw_template("widget.html", &translate(code)?).map_err(|error| error.to_string())?;
    let context = Context::from_serialize(scope).map_err(|error| error.to_string())?;
    tera.render("widget.html", &context).map_err(|error| error.to_string())
}

/// Twig into Tera. `App.financeFormat(invoice.total, true)` becomes `invoice.total_text`: the scope
/// carries each sum as text beside it.
fn translate(code: &str) -> Result<String, String> {
    let mut tera = code
        .replace("{% autoescape 'html' %}", "")
        .replace("{% endautoescape %}", "")
        .replace("loader.getInvoices()", "loader.invoices")
        .replace("loader.getRequests()", "loader.requests");
    while let Some((before, rest)) = tera.split_once(FINANCE_FORMAT) {
        let (value, after) = rest.split_once(", true)").ok_or("financeFormat without currency")?;
        tera = format!("{before}{value}_text{after}");
    }
    Ok(tera)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn scope() -> Value {
        let row = json!({ "number": "<b>7", "status": "not_paid", "total_text": "51.61 USD" });
        json!({ "loader": { "invoices": [row] } })
    }

    #[rstest]
    #[case("{% for i in loader.getInvoices() %}{{ i.number }}{% endfor %}", "&lt;b&gt;7")]
    #[case(
        "{% for i in loader.getInvoices() %}{{ App.financeFormat(i.total, true) }}{% endfor %}",
        "51.61 USD"
    )]
    #[case("{% autoescape 'html' %}x{% endautoescape %}", "x")]
    fn twig_is_rendered_and_escaped(#[case] code: &str, #[case] expected: &str) {
        assert_eq!(render(code, &scope()).unwrap(), expected);
    }

    #[rstest]
    #[case("{{ loader.getSecrets() }}")]
    #[case("{{ App.financeFormat(1) }}")]
    #[case("{% for i in %}")]
    fn what_is_not_understood_fails(#[case] code: &str) {
        assert!(render(code, &scope()).is_err());
    }
}
