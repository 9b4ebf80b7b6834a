//! The public endpoints: exchange rates and the list of currencies.
//!
//! **Invariant:** nothing here needs a token, and a signature left over from another call is not looked at.

use serde_json::{Value, json};

use super::currencies::{COINS, Coin, FIATS, Fiat};
use super::reply::{ApiError, Reply};
use super::wire::number;

/// `GET /rates/:coin`: what one coin costs in every currency.
///
/// # Errors
/// Not found for an unknown coin.
pub(super) fn of_coin(code: &str) -> Result<Reply, ApiError> {
    let coin = Coin::find(code).ok_or(ApiError::NotFound)?;
    let mut rows = vec![json!({"code": coin.code, "name": coin.name, "rate": 1})];
    rows.extend(FIATS.iter().map(|fiat| row(coin, fiat)));
    Ok(Reply::data(&Value::Array(rows)))
}

/// `GET /rates/:coin/:currency`.
///
/// # Errors
/// Not found for an unknown coin or currency.
pub(super) fn of_pair(coin: &str, fiat: &str) -> Result<Reply, ApiError> {
    let coin = Coin::find(coin).ok_or(ApiError::NotFound)?;
    let fiat = Fiat::find(fiat).ok_or(ApiError::NotFound)?;
    Ok(Reply::data(&row(coin, fiat)))
}

fn row(coin: &Coin, fiat: &Fiat) -> Value {
    json!({"code": fiat.code, "name": fiat.name, "rate": number(coin.rate(fiat))})
}

/// `GET /currencies`: the fiat currencies, then the coins.
#[must_use]
pub(super) fn currencies() -> Reply {
    let fiats = FIATS.iter().map(|fiat| {
        json!({
            "code": fiat.code, "symbol": fiat.symbol, "precision": fiat.precision, "name": fiat.name,
            "plural": format!("{}s", fiat.name), "alts": "", "minimum": number(rust_decimal::Decimal::new(1, fiat.precision)),
            "sanctioned": false, "decimals": fiat.precision,
        })
    });
    let coins = COINS.iter().map(|coin| {
        json!({
            "code": coin.code, "symbol": coin.code, "precision": coin.shown, "name": coin.name, "plural": coin.name,
            "alts": "", "minimum": number(rust_decimal::Decimal::new(1, coin.shown)), "sanctioned": false,
            "decimals": coin.decimals, "chain": coin.chain,
        })
    });
    Reply::data(&fiats.chain(coins).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_an_exact_number() {
        let reply = of_pair("BTC", "USD").unwrap();
        assert_eq!(
            reply.body.to_string(),
            r#"{"data":{"code":"USD","name":"US Dollar","rate":55413.609335}}"#
        );
        assert_eq!(of_pair("BTC", "XXX"), Err(ApiError::NotFound));
    }

    #[test]
    fn the_list_of_currencies_says_how_many_decimals_a_price_has() {
        let list = currencies().body["data"].as_array().unwrap().clone();
        let precision =
            |code: &str| list.iter().find(|row| row["code"] == code).unwrap()["precision"].as_u64();
        assert_eq!(
            (precision("USD"), precision("JPY"), precision("KWD")),
            (Some(2), Some(0), Some(3))
        );
        assert_eq!(list.len(), FIATS.len() + COINS.len());
    }
}
