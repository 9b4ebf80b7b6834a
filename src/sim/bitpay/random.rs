//! Ids, tokens and pairing codes in the shapes BitPay gives them.
//!
//! **Invariant:** the one place of the simulator that draws random bytes.

use rand::RngExt as _;

/// The length of a pairing code: `^[a-zA-Z0-9]{7}$`.
pub(super) const PAIRING_CODE_LENGTH: usize = 7;

/// An id of an invoice or refund: 16 bytes as exactly 22 base58 characters.
#[must_use]
pub(super) fn id() -> String {
    loop {
        let text = bs58::encode(bytes::<16>()).into_string();
        if text.len() == 22 {
            return text;
        }
    }
}

/// An API or resource token: 32 bytes in base58, about 44 characters.
#[must_use]
pub(super) fn token() -> String {
    bs58::encode(bytes::<32>()).into_string()
}

/// A pairing code of seven letters and digits.
#[must_use]
pub(super) fn pairing_code() -> String {
    loop {
        let text = bs58::encode(bytes::<6>()).into_string();
        if let Some(code) = text.get(..PAIRING_CODE_LENGTH) {
            return code.to_owned();
        }
    }
}

/// A transaction id of a blockchain: 32 bytes in hex.
#[must_use]
pub(super) fn txid() -> String {
    hex::encode(bytes::<32>())
}

/// A UUID (version 4), as the guid BitPay gives to what has none.
#[must_use]
pub(super) fn uuid() -> String {
    let mut raw = bytes::<16>();
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut raw;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let text = hex::encode(raw);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator's ids need no repeatability, only to differ"
)]
fn bytes<const N: usize>() -> [u8; N] {
    rand::rng().random()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_lengths_bitpay_gives_them() {
        for _ in 0..200 {
            assert_eq!(id().len(), 22);
            assert!((40..=44).contains(&token().len()));
            let code = pairing_code();
            assert_eq!(code.len(), PAIRING_CODE_LENGTH);
            assert!(code.chars().all(|c| c.is_ascii_alphanumeric()));
            assert_eq!(txid().len(), 64);
        }
    }

    #[test]
    fn a_guid_is_a_uuid_of_version_four() {
        let guid = uuid();
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.as_bytes()[14], b'4');
        assert!(matches!(guid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
