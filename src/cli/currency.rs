//! Whether payments are made in the currency that Splynx keeps its books in.
//!
//! **Invariant:** a Splynx that does not tell its currency is no difference.

use crate::domain::money::Currency;
use crate::ports::PeerError;
use crate::splynx;

/// Two currencies where there should be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    ours: Currency,
    theirs: String,
}

impl Difference {
    fn between(ours: Currency, theirs: &str) -> Option<Self> {
        let same = theirs.eq_ignore_ascii_case(ours.code());
        (!same).then(|| Self { ours, theirs: theirs.to_owned() })
    }

    /// What is wrong.
    pub(super) fn sentence(&self) -> String {
        let Self { ours, theirs } = self;
        format!(
            "payments are made in {ours}, but Splynx's localization says {theirs}: customers would be \
             charged {ours} for sums in {theirs}"
        )
    }

    /// Where to change it.
    pub(super) fn remedy(&self) -> String {
        format!(
            "set [payments] currency to \"{}\" (the module's setting `currency` in Splynx, Config > \
             Integrations > Modules list, comes before the file), or correct Splynx's own in Config > \
             Main > Localization",
            self.theirs
        )
    }
}

/// What Splynx says about a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is Splynx's own.
    Same,
    /// It is another one.
    Different(Difference),
    /// Splynx does not tell its own.
    Untold,
}

/// Asks Splynx about `ours`.
///
/// # Errors
///
/// [`PeerError`] when it cannot be asked.
pub(super) async fn compare(splynx: &splynx::Client, ours: Currency) -> Result<Answer, PeerError> {
    let theirs = splynx.localization_currency().await?;
    Ok(theirs.map_or(Answer::Untold, |theirs| {
        Difference::between(ours, &theirs).map_or(Answer::Same, Answer::Different)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_both_and_where_to_change_it() {
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(Difference::between(usd, "usd"), None);
        let difference = Difference::between(usd, "EUR").unwrap();
        let said = difference.sentence();
        assert!(said.contains("in USD") && said.contains("says EUR"), "{said}");
        let remedy = difference.remedy();
        assert!(remedy.contains("[payments] currency to \"EUR\""), "{remedy}");
        assert!(remedy.contains("Localization"), "{remedy}");
    }
}
