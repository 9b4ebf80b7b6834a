//! The Twig of the package, rendered by the real Twig of PHP and by the simulated portal.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::sim::splynx::entry_points::shipped;
use crate::sim::splynx::portal::render_twig;

/// What PHP makes of it. Debian has it in php-cli and php-twig.
fn by_php(code: &str, scope: &Value) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sim/splynx/tests/twig.php");
    let mut command = Command::new("php");
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut php = command.spawn().expect("php-cli and php-twig must be installed");
    let input = json!({ "code": code, "scope": scope }).to_string();
    php.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = php.wait_with_output().unwrap();
    let html = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{html}");
    html
}

/// Without the white space that the two engines leave differently, and with one spelling of quotes.
fn essence(html: &str) -> String {
    let words: Vec<&str> = html.split_whitespace().collect();
    words.join(" ").replace("&#039;", "&#39;").replace("> <", "><")
}

#[test]
fn the_widgets_come_out_of_real_twig_as_the_simulated_portal_shows_them() {
    let row = |number: &str, status: &str, total: &str| {
        let text = format!("{total} USD");
        json!({ "number": number, "status": status, "total": total, "total_text": text })
    };
    let scope = json!({
        "loader": {
            "invoices": [
                row("201801000001", "not_paid", "51.61"),
                row("201803000001", "paid", "30.00"),
                row("<b>\"'&/", "not_paid", "1.00"),
            ],
            "requests": [row("201801000001", "not_paid", "60.00")],
        },
        "customer": { "name": "Customer One", "billing_type": "prepaid" },
    });
    let widgets: Vec<_> = shipped().into_iter().filter(|point| point.kind == "code").collect();
    assert_eq!(widgets.len(), 2);
    for widget in widgets {
        let (php, ours) =
            (by_php(&widget.code, &scope), render_twig(&widget.code, &scope).unwrap());
        assert_eq!(essence(&ours), essence(&php), "{}", widget.name);
        assert!(!php.contains("<b>\""), "{}: not escaped", widget.name);
    }
}
