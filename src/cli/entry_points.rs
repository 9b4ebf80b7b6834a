//! The entry points that come with this version, and which of them Splynx does not show.

use serde::Deserialize;

use crate::splynx::EntryPoint;

/// As the package ships them.
pub(super) const SHIPPED: &str = include_str!("../../deploy/entry-points.json");

/// One of them. What does not apply to its type is empty.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shipped {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) place: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) root: String,
    #[serde(default)]
    pub(super) model: String,
    #[serde(default)]
    pub(super) icon: String,
    #[serde(default)]
    pub(super) background: String,
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) size: String,
    #[serde(default)]
    pub(super) location: String,
    #[serde(default)]
    pub(super) code_file: String,
    pub(super) enabled: bool,
}

/// All of them.
pub(super) fn shipped() -> Vec<Shipped> {
    serde_json::from_str(SHIPPED).unwrap_or_default()
}

/// Those that should be shown and are not, in words. One that ships switched off is the admin's choice.
pub(super) fn hidden(points: &[EntryPoint]) -> Vec<String> {
    let is_shown = |wanted: &Shipped| {
        points.iter().any(|point| point.name == wanted.name && point.enabled != Some(false))
    };
    let hidden = shipped().into_iter().filter(|wanted| wanted.enabled && !is_shown(wanted));
    hidden.map(in_words).collect()
}

/// Those that Splynx does not have at all, in words: nobody switched them off, nobody made them.
pub(super) fn missing(points: &[EntryPoint]) -> Vec<String> {
    let is_there = |wanted: &Shipped| points.iter().any(|point| point.name == wanted.name);
    shipped().into_iter().filter(|wanted| !is_there(wanted)).map(in_words).collect()
}

fn in_words(point: Shipped) -> String {
    let Shipped { name, place, title, .. } = point;
    format!("{name} ({place}: {title})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, enabled: Option<bool>) -> EntryPoint {
        let (name, place) = (name.to_owned(), "portal".to_owned());
        EntryPoint { module: "9".to_owned(), name, place, enabled }
    }

    #[test]
    fn an_entry_point_that_is_missing_or_switched_off_is_named() {
        let points = [
            point("bitpay_pay_invoice_point", None),
            point("bitpay_pay_request_point", Some(false)),
            point("bitpay_pay_on_dashboard", Some(true)),
            point("bitpay_add_money_on_dashboard", Some(false)),
            point("bitpay_config", Some(true)),
        ];
        assert_eq!(
            hidden(&points).join("; "),
            "bitpay_pay_request_point (portal: Pay by BitPay); bitpay_log (admin: BitPay Logs)"
        );
        assert_eq!(missing(&points), ["bitpay_log (admin: BitPay Logs)"]);
    }

    #[test]
    fn every_shipped_entry_point_says_what_a_person_would_have_to_type() {
        let shipped = shipped();
        assert_eq!(shipped.len(), 6);
        for point in shipped {
            assert!(!point.title.is_empty() && !point.place.is_empty(), "{point:?}");
            assert_eq!(point.kind == "code", !point.code_file.is_empty(), "{point:?}");
            assert_eq!(point.kind == "code", point.url.is_empty(), "{point:?}");
            assert_eq!(point.kind == "action_link", !point.model.is_empty(), "{point:?}");
            assert_eq!(point.kind == "action_link", point.root.is_empty(), "{point:?}");
        }
    }
}
