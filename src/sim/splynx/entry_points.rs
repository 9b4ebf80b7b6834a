//! The add-on's entry points as its installer registers them (`deploy/entry-points.json` and the Twig beside it).
//!
//! **Invariant:** the files are those a real Splynx gets, and the simulator shows what they say. One thing differs: the
//! demo's world begins with all of them enabled, as by an admin who wants them all ([`World::new`](super::World)); in
//! the package the refill on the dashboard is off until an admin enables it.

use serde::Deserialize;
use serde_json::{Value, json};

const SHIPPED: &str = include_str!("../../../deploy/entry-points.json");
const CODE: &[(&str, &str)] = &[
    ("dashboard-pay.twig", include_str!("../../../deploy/entry-points/dashboard-pay.twig")),
    (
        "dashboard-add-money.twig",
        include_str!("../../../deploy/entry-points/dashboard-add-money.twig"),
    ),
];

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryPoint {
    /// The id.
    #[serde(default)]
    pub id: u64,
    /// The module that registered it.
    pub module: String,
    /// Its name, unique within the module.
    pub name: String,
    /// The tooltip, menu text or heading.
    pub title: String,
    /// `portal` or `admin`.
    pub place: String,
    /// `menu_link`, `code`, `action_link` or `tab`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The controller on whose pages it stands; not for action links.
    #[serde(default)]
    pub root: String,
    /// The documents on whose rows it stands; only for action links.
    #[serde(default)]
    pub model: String,
    /// Font Awesome.
    #[serde(default)]
    pub icon: String,
    /// The colour of a menu link.
    #[serde(default)]
    pub background: String,
    /// What a click opens.
    #[serde(default)]
    pub url: String,
    /// The width of the modal.
    #[serde(default = "large")]
    pub size: String,
    /// `before_content` or `after_content`.
    #[serde(default = "after_content")]
    pub location: String,
    /// The file of the Twig code, for the installer.
    #[serde(default)]
    pub code_file: String,
    /// The Twig code.
    #[serde(default)]
    pub code: String,
    /// Whether it is shown.
    pub enabled: bool,
}

fn large() -> String {
    "large".to_owned()
}

fn after_content() -> String {
    "after_content".to_owned()
}

/// The entry points of the package, with ids and code filled in.
pub(super) fn shipped() -> Vec<EntryPoint> {
    let points: Vec<EntryPoint> = serde_json::from_str(SHIPPED).unwrap_or_default();
    let complete = |(id, point): (u64, EntryPoint)| {
        let code = CODE.iter().find(|(name, _)| *name == point.code_file);
        let code = code.map(|(_, code)| (*code).to_owned()).unwrap_or_default();
        EntryPoint { id, code, ..point }
    };
    (1..).zip(points).map(complete).collect()
}

impl EntryPoint {
    /// As the API shows it.
    pub(super) fn wire(&self) -> Value {
        json!({
            "id": self.id.to_string(), "module": self.module, "name": self.name, "title": self.title,
            "place": self.place, "type": self.kind, "size": self.size, "root": self.root,
            "model": self.model, "icon": self.icon, "background": self.background, "url": self.url,
            "code": self.code, "location": self.location, "enabled": self.enabled, "partners": [],
            "location_geo": [], "payment_type": [], "payment_account_id": null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_entry_point_is_read_and_every_code_file_is_found() {
        let points = shipped();
        let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "bitpay_pay_invoice_point",
                "bitpay_pay_request_point",
                "bitpay_pay_on_dashboard",
                "bitpay_add_money_on_dashboard",
                "bitpay_config",
                "bitpay_log",
            ]
        );
        assert!(points.iter().all(|point| (point.kind == "code") != point.code.is_empty()));
        assert!(points.iter().all(|point| (point.kind == "code") == point.url.is_empty()));
    }
}
