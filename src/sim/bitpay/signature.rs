//! BitPay's cryptography as BitPay itself checks it: SINs, request signatures, IPN signatures.
//!
//! **Invariant:** written from the published vectors alone; the add-on's own signer is never called here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use k256::ecdsa::signature::Verifier as _;
use k256::ecdsa::{Signature, VerifyingKey};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

/// The two bytes every SIN begins with: the prefix and the type "ephemeral key".
const SIN_PREFIX: [u8; 2] = [0x0f, 0x02];
/// Prefix, a RIPEMD-160 hash and the checksum.
const SIN_LENGTH: usize = 26;

/// Why a request is not signed by the identity it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `X-Identity` is not the hex of a point on secp256k1.
    #[error("the identity is not a secp256k1 public key")]
    Identity,
    /// `X-Signature` is not the hex of a DER signature.
    #[error("the signature is not DER in hex")]
    Encoding,
    /// The signature belongs to another key, URL or body.
    #[error("the signature does not match")]
    Mismatch,
}

/// The SIN of a public key in hex, compressed or not, in any case.
///
/// # Errors
/// [`SignatureError::Identity`] if the text is not a public key.
pub fn sin_of(identity: &str) -> Result<String, SignatureError> {
    let compressed = public_key(identity)?.to_sec1_point(true);
    let mut raw = SIN_PREFIX.to_vec();
    raw.extend_from_slice(&Ripemd160::digest(Sha256::digest(compressed.as_bytes())));
    raw.extend_from_slice(&checksum(&raw));
    Ok(bs58::encode(raw).into_string())
}

/// Whether a text is a SIN: base58 of 26 bytes with the right prefix and checksum.
#[must_use]
pub fn is_sin(text: &str) -> bool {
    let Ok(raw) = bs58::decode(text).into_vec() else {
        return false;
    };
    raw.len() == SIN_LENGTH
        && raw.starts_with(&SIN_PREFIX)
        && raw.split_last_chunk::<4>().is_some_and(|(head, tail)| checksum(head) == *tail)
}

/// The SIN that signed `message`: the full URL followed by the exact bytes of the body.
///
/// Low-S and high-S are both accepted, as BitPay's own SDKs emit both.
///
/// # Errors
/// Says which of identity, encoding and match failed.
pub fn signer(identity: &str, signature: &str, message: &[u8]) -> Result<String, SignatureError> {
    let key = public_key(identity)?;
    let der = hex::decode(signature).map_err(|_| SignatureError::Encoding)?;
    let signature = Signature::from_der(&der).map_err(|_| SignatureError::Encoding)?;
    key.verify(message, &signature.normalize_s()).map_err(|_| SignatureError::Mismatch)?;
    sin_of(identity)
}

/// The value of an IPN's `x-signature`: base64 of HMAC-SHA256 over the raw body, keyed by the API token.
#[must_use]
pub fn ipn_signature(token: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length, so the error cannot happen; an empty text then fails every check.
    Hmac::<Sha256>::new_from_slice(token.as_bytes())
        .map(|mac| STANDARD.encode(mac.chain_update(body).finalize().into_bytes()))
        .unwrap_or_default()
}

fn public_key(identity: &str) -> Result<VerifyingKey, SignatureError> {
    let bytes = hex::decode(identity).map_err(|_| SignatureError::Identity)?;
    VerifyingKey::from_sec1_bytes(&bytes).map_err(|_| SignatureError::Identity)
}

fn checksum(head: &[u8]) -> [u8; 4] {
    let digest = Sha256::digest(Sha256::digest(head));
    digest.first_chunk::<4>().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;
    use k256::ecdsa::signature::Signer as _;
    use rstest::rstest;

    use super::*;

    // The published vectors of bitauth, key-utils, node-btcpay and the SDKs.
    const BITAUTH: &str = "97811b691dd7ebaeb67977d158e1da2c4d3eaa4ee4e2555150628acade6b344c";
    const PYTHON: &str = "283b13834de77624696b80c29a2a8df0287e3cca23b26ad5fe77d9d5fed0ee90";
    const NODE: &str = "31eb31ecf1a640cd91e0a1105501f36235f8c7d51d67dcf74ccc968d74cb6b25";

    fn identity(private: &str) -> String {
        let key = SigningKey::from_slice(&hex::decode(private).unwrap()).unwrap();
        hex::encode(key.verifying_key().to_sec1_point(true))
    }

    #[rstest]
    #[case(
        BITAUTH,
        "02326209e52f6f17e987ec27c56a1321acf3d68088b8fb634f232f12ccbc9a4575",
        "Tf3yr5tYvccKNVrE26BrPs6LWZRh8woHwjR"
    )]
    #[case(
        PYTHON,
        "038d970d6ba29dcfa190c177140fd889fadd6d2590b1ee1a6a06e255dbf22b4017",
        "TeyN4LPrXiG5t2yuSamKqP3ynVk3F52iHrX"
    )]
    #[case(
        "d33092e07c600b524c9cd435a96cf05da55f1b0b22770bdeb39cf1da91769b3c",
        "039f438f1dd674871fad2d1a1ba8331b0b9535da4f81033ca737fc0c8f31b76b16",
        "TfFW1ePJ5q6EZKBsYUrMGQEbb6z4fBmx6BW"
    )]
    #[case(
        "c6b7f6bfe5bb19b1e390e55ed4ba5df8af6068d0eb89379a33f9c19aacf6c08c",
        "0200bf0e38b86329f84ea90972e0f901d5ea0145f1ebac8c50fded77796d7a70e1",
        "TfEdpTxBreHYjTe5ke9ENbGRWYBBcjGMZXY"
    )]
    #[case(
        NODE,
        "02e57a6b205b8b891191c9f1c48bbac7985f569fc30e67a8dca8e4d64823d057c3",
        "TfDnXWvj6bBhkduYiZnohg5qhtDu5VWohhw"
    )]
    fn a_sin_is_the_one_the_reference_implementations_publish(
        #[case] private: &str,
        #[case] public: &str,
        #[case] sin: &str,
    ) {
        assert_eq!(identity(private), public);
        assert_eq!(sin_of(public).unwrap(), sin);
        assert_eq!(sin_of(&public.to_uppercase()).unwrap(), sin);
        assert!(is_sin(sin));
    }

    #[test]
    fn an_uncompressed_identity_has_the_sin_of_the_compressed_one() {
        let key = SigningKey::from_slice(&hex::decode(PYTHON).unwrap()).unwrap();
        let uncompressed = hex::encode(key.verifying_key().to_sec1_point(false));
        assert_eq!(uncompressed.len(), 130);
        assert_eq!(sin_of(&uncompressed), sin_of(&identity(PYTHON)));
    }

    #[rstest]
    #[case("TfG4ScDgysrSpodWD4Re5UtXmcLbY5CiUHA", true)]
    #[case("Tf1Jc1xSbqasm5QLwwSQc5umddx2h7mAMhX", false)]
    #[case("not#base!58", false)]
    #[case("", false)]
    #[case("1111111111", false)]
    fn a_sin_with_a_wrong_checksum_or_alphabet_is_none(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(is_sin(text), valid);
    }

    #[rstest]
    #[case("61", "2g")]
    #[case("626262", "a3gV")]
    #[case("636363", "aPEr")]
    #[case("73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2")]
    #[case(
        "00eb15231dfceb60925886b67d065299925915aeb172c06647",
        "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"
    )]
    #[case("516b6fcd0f", "ABnLTmg")]
    #[case("bf4f89001e670274dd", "3SEo3LWLoPntC")]
    #[case("572e4794", "3EFU7m")]
    #[case("ecac89cad93923c02321", "EJDM8drfXA6uyA")]
    #[case("10c8511e", "Rt5zm")]
    #[case("00000000000000000000", "1111111111")]
    fn base58_is_the_alphabet_bitpay_uses(#[case] raw: &str, #[case] text: &str) {
        assert_eq!(bs58::encode(hex::decode(raw).unwrap()).into_string(), text);
        assert_eq!(hex::encode(bs58::decode(text).into_vec().unwrap()), raw);
    }

    const INVOICE_POST: &str = r#"https://bitpay.com/invoices{"price":500,"currency":"USD","token":"MqA2wX15qHCbG7FBtJZRAxQunrRjAvGBRVJedsiTnZY"}"#;
    const INVOICE_GET: &str = "https://test.bitpay.com/invoices/G3viJEJgE8Jk2oekSdgT2A?token=G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnjP3";

    #[rstest]
    #[case(
        NODE,
        "Satoshi",
        "304402205b0a505c180bddbd4a8836de0f2ac10b52b327d0e932352d28d170fb81517a770220307ac2ec2134d81fd04df6a1662b0962ad1322209c2e45ff8af63d3f12e0d089"
    )]
    #[case(
        PYTHON,
        INVOICE_POST,
        "3044022030d7f7f7c9e5ae7943ba989665b966a99b78043d35ff1e16742847ae1664cfbb02204b7739b0fd085a3725b4a8a34eb0878ae19cd921e6c0f6ed51fcb860f01f76a7"
    )]
    #[case(
        BITAUTH,
        INVOICE_GET,
        "3045022100d55454a53e9c3801a2c564b7c97f281329828864596dde2f53f40f10a372a2b3022042237b323871768dd0f7bd9b78b95bbb3fe32ca5d6685b929864499bbad6c530"
    )]
    fn a_published_signature_verifies_and_names_its_sin(
        #[case] private: &str,
        #[case] message: &str,
        #[case] signature: &str,
    ) {
        let identity = identity(private);
        let sin = sin_of(&identity).unwrap();
        assert_eq!(signer(&identity, signature, message.as_bytes()), Ok(sin.clone()));
        assert_eq!(
            signer(&identity.to_uppercase(), &signature.to_uppercase(), message.as_bytes()),
            Ok(sin)
        );
        let other = format!("{message} ");
        assert_eq!(signer(&identity, signature, other.as_bytes()), Err(SignatureError::Mismatch));
    }

    /// The bitauth reference key whose public half no vector gives: it is recovered from its own signature of `foo`.
    fn bitauth_reference_key() -> String {
        use k256::ecdsa::RecoveryId;
        let low = hex::decode(FOO_LOW).unwrap();
        let deterministic = hex::decode(FOO_RFC6979).unwrap();
        let candidates = |der: &[u8]| -> Vec<String> {
            let signature = Signature::from_der(der).unwrap();
            [0, 1]
                .into_iter()
                .filter_map(|id| {
                    let digest = Sha256::digest(b"foo");
                    let id = RecoveryId::from_byte(id).unwrap();
                    VerifyingKey::recover_from_prehash(&digest, &signature, id).ok()
                })
                .map(|key| hex::encode(key.to_sec1_point(true)))
                .collect()
        };
        let second = candidates(&deterministic);
        candidates(&low).into_iter().find(|key| second.contains(key)).unwrap()
    }

    const FOO_LOW: &str = "3044022045bc5aba353f97316b92996c01eba6e0b0cb63a763d26898a561c748a9545c7502204dc0374c8d4ca489c161b21ff5e25714f1046d759ec9adf9440233069d584567";
    const FOO_RFC6979: &str = "3045022100927247ae8b1d692d99096ea0a352ca99a4af84377af8152ccca671f24bc6169702206c3d28b9025d618c20612c4fdde67f052abf0e5e08c471c5c88baa96ce9538e1";
    const BAZ_HIGH: &str = "304502206ac2ffc240d23fd218a5aa9857065b8bb09ed6c154f1d7da2b56f993bd6e1e3e022100e8dba80dea09122ab87aae82f91e23876aa6628055e24afc895405482ac97aae";

    #[rstest]
    #[case("foo", FOO_LOW)]
    #[case("foo", FOO_RFC6979)]
    #[case("baz", BAZ_HIGH)]
    fn low_s_and_high_s_both_verify(#[case] message: &str, #[case] signature: &str) {
        let identity = bitauth_reference_key();
        assert!(signer(&identity, signature, message.as_bytes()).is_ok());
        assert_eq!(signer(&identity, signature, b"bar"), Err(SignatureError::Mismatch));
    }

    #[test]
    fn the_high_s_vector_is_one_the_library_alone_refuses() {
        let signature = Signature::from_der(&hex::decode(BAZ_HIGH).unwrap()).unwrap();
        let key = public_key(&bitauth_reference_key()).unwrap();
        assert!(key.verify(b"baz", &signature).is_err());
        assert!(key.verify(b"baz", &signature.normalize_s()).is_ok());
    }

    #[test]
    fn a_signature_by_another_key_is_a_mismatch() {
        let stranger = SigningKey::from_slice(&hex::decode(NODE).unwrap()).unwrap();
        let signature: Signature = stranger.sign(b"message");
        let hex_signature = hex::encode(signature.to_der().as_bytes());
        assert_eq!(
            signer(&identity(PYTHON), &hex_signature, b"message"),
            Err(SignatureError::Mismatch)
        );
    }

    #[rstest]
    #[case("zz", "00", SignatureError::Identity)]
    #[case("02", "00", SignatureError::Identity)]
    fn an_identity_that_is_no_key_is_named(
        #[case] identity: &str,
        #[case] signature: &str,
        #[case] error: SignatureError,
    ) {
        assert_eq!(signer(identity, signature, b""), Err(error));
    }

    #[rstest]
    #[case("nothex")]
    #[case("3044")]
    #[case("")]
    fn a_signature_that_is_not_der_is_named(#[case] signature: &str) {
        assert_eq!(signer(&identity(NODE), signature, b""), Err(SignatureError::Encoding));
    }

    #[rstest]
    #[case("test", r#"{"id":"test"}"#, "0KkGd2YCcbkhX15N8QF1moe/E6SG+EjHf6B8BE1uzr0=")]
    #[case(
        "G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnjP3",
        r#"{"event":{"code":1005,"name":"invoice_confirmed"},"data":{"id":"G3viJEJgE8Jk2oekSdgT2A","status":"confirmed"}}"#,
        "1eWaHdsqFQp+aHkP6BYEUX190I7ufrBtwnHHiCSAJUE="
    )]
    fn an_ipn_is_signed_with_the_api_token_over_the_raw_body(
        #[case] token: &str,
        #[case] body: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(ipn_signature(token, body.as_bytes()), expected);
        assert_ne!(ipn_signature("", body.as_bytes()), expected);
    }
}
