//! The alert rules for Prometheus: they speak of metrics that are there, and lead to words that help.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{Engine, World};

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The values of one key in the rules, in their order.
fn values<'a>(rules: &'a str, key: &str) -> Vec<&'a str> {
    let marker = format!("{key}: ");
    let value = |line: &'a str| line.trim().trim_start_matches("- ").strip_prefix(marker.as_str());
    rules.lines().filter_map(value).collect()
}

/// Names of metrics in an expression.
fn metrics(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("splynx_bitpay_"))
}

#[tokio::test]
async fn every_metric_of_the_rules_is_served_by_a_fresh_process() {
    let rules = file("deploy/prometheus-alerts.yml");
    let world = World::new(Engine::Sqlite).await;
    let (status, served) = world.addon.ops("/metrics").await.unwrap();
    assert_eq!(status, 200);
    let served: BTreeSet<&str> = served
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let expressions = values(&rules, "expr");
    assert!(expressions.len() >= 8, "{expressions:?}");
    for expression in expressions {
        let named: Vec<&str> = metrics(expression).collect();
        assert!(!named.is_empty(), "{expression} names no metric");
        for name in named {
            assert!(served.contains(name), "{name} is not served: {served:?}");
        }
    }
}

#[test]
fn every_rule_says_what_it_is_and_where_to_read_what_to_do() {
    let rules = file("deploy/prometheus-alerts.yml");
    let count = values(&rules, "alert").len();
    for key in ["expr", "summary", "description", "runbook_url", "labels"] {
        assert_eq!(values(&rules, key).len(), count, "{key}");
    }
    let anchors: BTreeSet<String> = file("docs/OPERATIONS.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(|heading| heading.to_lowercase().replace(':', "").replace(' ', "-"))
        .collect();
    for address in values(&rules, "runbook_url") {
        let anchor = address.strip_prefix("docs/OPERATIONS.md#").unwrap();
        assert!(anchors.contains(anchor), "{anchor} is not among {anchors:?}");
    }
}
