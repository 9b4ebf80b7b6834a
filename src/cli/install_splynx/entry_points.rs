//! Reads back from Splynx what customers and admins now click on.

use super::outcome::Outcome;
use crate::cli::entry_points::{hidden, shipped};
use crate::splynx;

/// Names the entry points that are not shown.
pub(super) async fn run(splynx: Result<&splynx::Client, &str>) -> Outcome {
    let points = match splynx {
        Ok(splynx) => splynx.entry_points().await.map_err(|error| error.to_string()),
        Err(why) => Err(why.to_owned()),
    };
    let points = match points {
        Ok(points) => points,
        Err(why) => {
            return Outcome::not_possible(format!("Splynx cannot be asked: {why}")).remedy([
                "correct [splynx] api_domain, api_key and api_secret; `splynx-bitpay doctor` looks again",
            ]);
        }
    };
    let hidden = hidden(&points);
    if hidden.is_empty() {
        let count = shipped().iter().filter(|point| point.enabled).count();
        return Outcome::was_there(format!("Splynx shows all {count}"));
    }
    Outcome::not_possible(format!("Splynx does not show: {}", hidden.join(", "))).remedy([
        "switch them on in Config > Integrations > Modules list > Edit entry points, or add them there",
    ])
}
