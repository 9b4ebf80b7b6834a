//! Who we are to BitPay: a secp256k1 key, its public half, its SIN, and the signatures made with it (facts 1.1, 1.2).
//!
//! **Invariant:** the private half is seen only by [`Key::to_secret`]; a signature is deterministic (RFC 6979) and
//! low-S, so that one request always carries one signature.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use k256::ecdsa::{Signature, SigningKey};
use ripemd::Ripemd160;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ports::entropy::Entropy;

/// What a SIN's 26 bytes begin with: version 15, type 2.
const SIN_PREFIX: [u8; 2] = [0x0F, 0x02];

/// A text that holds no usable private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither 64 hex digits nor a number of the curve.
    #[error("this is not a secp256k1 private key of 64 hex digits")]
    NotHex,
    /// Not a key file this version reads.
    #[error("this is not an unencrypted PEM file with a secp256k1 private key")]
    NotPem,
}

/// One secp256k1 key pair.
pub struct Key(SigningKey);

impl Key {
    /// Draws a fresh key. A draw that is no number of the curve is thrown away and drawn again, which keeps every
    /// key equally likely.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        loop {
            entropy.fill(bytes.as_mut_slice());
            if let Ok(key) = SigningKey::from_slice(bytes.as_slice()) {
                return Self(key);
            }
        }
    }

    /// Reads the 64 hex digits of a stored key.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotHex`].
    pub fn from_secret(hex: &SecretString) -> Result<Self, KeyError> {
        let bytes = hex::decode(hex.expose_secret().trim()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| KeyError::NotHex)?;
        SigningKey::from_slice(&bytes).map(Self).map_err(|_| KeyError::NotHex)
    }

    /// Reads a PEM file as BitPay's own SDKs and `openssl ecparam -genkey` write it: SEC 1 or PKCS #8, with or
    /// without a block of curve parameters before the key.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotPem`].
    pub fn from_pem(text: &SecretString) -> Result<Self, KeyError> {
        let der = pem_body(text.expose_secret()).ok_or(KeyError::NotPem)?;
        k256::SecretKey::from_der(&der)
            .map(|secret| Self(SigningKey::from(secret)))
            .map_err(|_| KeyError::NotPem)
    }

    /// The private half as 64 hex digits, for the database to seal.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        let bytes = Zeroizing::new(<[u8; 32]>::from(self.0.to_bytes()));
        SecretString::from(hex::encode(bytes.as_slice()))
    }

    /// The compressed public half as 66 hex digits: the header `X-Identity`.
    #[must_use]
    pub fn identity(&self) -> String {
        hex::encode(self.compressed())
    }

    /// The client id: `Base58Check(0F 02 ‖ RIPEMD160(SHA256(compressed public key)))`.
    #[must_use]
    pub fn sin(&self) -> String {
        let hash = Ripemd160::digest(Sha256::digest(self.compressed()));
        let payload: Vec<u8> = SIN_PREFIX.into_iter().chain(hash).collect();
        bs58::encode(payload).with_check().into_string()
    }

    /// Signs `url ‖ body`: the header `X-Signature`, DER in hex.
    #[must_use]
    pub fn sign(&self, url: &str, body: &[u8]) -> String {
        let digest = Sha256::new().chain_update(url).chain_update(body).finalize();
        let signature: Signature = self
            .0
            .sign_prehash(&digest)
            .unwrap_or_else(|_| unreachable!("a 32-byte digest can always be signed"));
        hex::encode(signature.to_der())
    }

    fn compressed(&self) -> Vec<u8> {
        self.0.verifying_key().to_sec1_point(true).as_bytes().to_vec()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.sin()).finish()
    }
}

/// The bytes between the marks of the first private key in a PEM file. Lines may have any length: BitPay's SDKs write
/// one long line, which strict readers of PEM refuse.
fn pem_body(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = text.split_once("PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let base64 = body.split_ascii_whitespace().collect::<String>();
    STANDARD.decode(Zeroizing::new(base64).as_bytes()).ok().map(Zeroizing::new)
}

/// Why a text is no SIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SinError {
    /// A character outside the base58 alphabet.
    #[error("this is not base58")]
    NotBase58,
    /// Mistyped or cut.
    #[error("the checksum does not match")]
    Checksum,
    /// Base58 with a checksum, but of something else, such as a bitcoin address.
    #[error("this is the base58 text of something else")]
    NotSin,
}

/// Checks a SIN that a person typed.
///
/// # Errors
///
/// [`SinError`], in the order of its variants.
pub fn check_sin(text: &str) -> Result<(), SinError> {
    use bs58::decode::Error as E;

    let bytes = bs58::decode(text).with_check(None).into_vec().map_err(|error| match error {
        E::InvalidChecksum { .. } | E::NoChecksum => SinError::Checksum,
        _ => SinError::NotBase58,
    })?;
    if bytes.len() == 22 && bytes.starts_with(&SIN_PREFIX) { Ok(()) } else { Err(SinError::NotSin) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use k256::ecdsa::signature::Verifier as _;
    use rstest::rstest;

    use super::*;

    const BITAUTH: &str = "97811b691dd7ebaeb67977d158e1da2c4d3eaa4ee4e2555150628acade6b344c";
    const PYTHON: &str = "283b13834de77624696b80c29a2a8df0287e3cca23b26ad5fe77d9d5fed0ee90";
    const JAVA: &str = "d33092e07c600b524c9cd435a96cf05da55f1b0b22770bdeb39cf1da91769b3c";
    const LEADING_ZERO: &str = "c6b7f6bfe5bb19b1e390e55ed4ba5df8af6068d0eb89379a33f9c19aacf6c08c";
    const BTCPAY: &str = "31eb31ecf1a640cd91e0a1105501f36235f8c7d51d67dcf74ccc968d74cb6b25";
    const SIGNER: &str = "8295702b2273896ae085c3caebb02985cab02038251e10b6f67a14340edb51b0";
    const PEM: &str = "-----BEGIN EC PRIVATE KEY-----\nMHQCAQEEICg7E4NN53YkaWuAwpoqjfAofjzKI7Jq1f532dX+0O6QoAcGBSuBBAAKoUQDQgAEjZcNa6Kdz6GQwXcUD9iJ+t1tJZCx7hpqBuJV2/IrQBfue8jh8H7Q/4vXfAArmNMaGotTpjdnymWlMfszzXJhlw==\n-----END EC PRIVATE KEY-----";

    fn key(hex: &str) -> Key {
        Key::from_secret(&SecretString::from(hex)).unwrap()
    }

    fn verifies(key: &Key, message: &str, signature: &str) -> bool {
        let signature = Signature::from_der(&hex::decode(signature).unwrap()).unwrap();
        key.0.verifying_key().verify(message.as_bytes(), &signature.normalize_s()).is_ok()
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
        JAVA,
        "039f438f1dd674871fad2d1a1ba8331b0b9535da4f81033ca737fc0c8f31b76b16",
        "TfFW1ePJ5q6EZKBsYUrMGQEbb6z4fBmx6BW"
    )]
    #[case(
        LEADING_ZERO,
        "0200bf0e38b86329f84ea90972e0f901d5ea0145f1ebac8c50fded77796d7a70e1",
        "TfEdpTxBreHYjTe5ke9ENbGRWYBBcjGMZXY"
    )]
    #[case(
        BTCPAY,
        "02e57a6b205b8b891191c9f1c48bbac7985f569fc30e67a8dca8e4d64823d057c3",
        "TfDnXWvj6bBhkduYiZnohg5qhtDu5VWohhw"
    )]
    fn the_published_keys_have_their_published_identities(
        #[case] private: &str,
        #[case] identity: &str,
        #[case] sin: &str,
    ) {
        let key = key(private);
        assert_eq!((key.identity().as_str(), key.sin().as_str()), (identity, sin));
        assert_eq!(check_sin(sin), Ok(()));
        assert_eq!(key.to_secret().expose_secret(), private);
    }

    #[rstest]
    #[case(
        SIGNER,
        "foo",
        "3045022100927247ae8b1d692d99096ea0a352ca99a4af84377af8152ccca671f24bc6169702206c3d28b9025d618c20612c4fdde67f052abf0e5e08c471c5c88baa96ce9538e1"
    )]
    #[case(
        BTCPAY,
        "Satoshi",
        "304402205b0a505c180bddbd4a8836de0f2ac10b52b327d0e932352d28d170fb81517a770220307ac2ec2134d81fd04df6a1662b0962ad1322209c2e45ff8af63d3f12e0d089"
    )]
    #[case(
        PYTHON,
        "https://bitpay.com/invoices{\"price\":500,\"currency\":\"USD\",\"token\":\"MqA2wX15qHCbG7FBtJZRAxQunrRjAvGBRVJedsiTnZY\"}",
        "3044022030d7f7f7c9e5ae7943ba989665b966a99b78043d35ff1e16742847ae1664cfbb02204b7739b0fd085a3725b4a8a34eb0878ae19cd921e6c0f6ed51fcb860f01f76a7"
    )]
    #[case(
        BITAUTH,
        "https://test.bitpay.com/invoices/G3viJEJgE8Jk2oekSdgT2A?token=G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnjP3",
        "3045022100d55454a53e9c3801a2c564b7c97f281329828864596dde2f53f40f10a372a2b3022042237b323871768dd0f7bd9b78b95bbb3fe32ca5d6685b929864499bbad6c530"
    )]
    fn a_signature_is_deterministic_and_low_s(
        #[case] private: &str,
        #[case] message: &str,
        #[case] signature: &str,
    ) {
        assert_eq!(key(private).sign(message, b""), signature);
        let (url, body) = message.split_at(message.len() / 2);
        assert_eq!(key(private).sign(url, body.as_bytes()), signature);
        assert!(verifies(&key(private), message, signature));
    }

    #[rstest]
    #[case(
        "foo",
        "3044022045bc5aba353f97316b92996c01eba6e0b0cb63a763d26898a561c748a9545c7502204dc0374c8d4ca489c161b21ff5e25714f1046d759ec9adf9440233069d584567"
    )]
    #[case::high_s(
        "baz",
        "304502206ac2ffc240d23fd218a5aa9857065b8bb09ed6c154f1d7da2b56f993bd6e1e3e022100e8dba80dea09122ab87aae82f91e23876aa6628055e24afc895405482ac97aae"
    )]
    fn the_signatures_of_bitauth_are_of_the_same_kind(
        #[case] message: &str,
        #[case] signature: &str,
    ) {
        assert!(verifies(&key(SIGNER), message, signature));
        assert!(!verifies(&key(SIGNER), "another message", signature));
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
    fn base58_is_the_one_of_bitcoin(#[case] hex: &str, #[case] text: &str) {
        assert_eq!(bs58::encode(hex::decode(hex).unwrap()).into_string(), text);
    }

    #[rstest]
    #[case("TfG4ScDgysrSpodWD4Re5UtXmcLbY5CiUHA", Ok(()))]
    #[case("Tf1Jc1xSbqasm5QLwwSQc5umddx2h7mAMhX", Err(SinError::Checksum))]
    #[case("not#base!58", Err(SinError::NotBase58))]
    #[case("", Err(SinError::Checksum))]
    #[case::an_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Err(SinError::NotSin))]
    fn a_sin_is_checked(#[case] text: &str, #[case] result: Result<(), SinError>) {
        assert_eq!(check_sin(text), result);
    }

    #[rstest]
    #[case::as_published(PEM.to_owned())]
    #[case::with_line_ends(format!("\r\n{}\r\n\n", PEM.replace('\n', "\r\n")))]
    #[case::after_its_curve(format!(
        "-----BEGIN EC PARAMETERS-----\nBgUrgQQACg==\n-----END EC PARAMETERS-----\n{PEM}\n"
    ))]
    fn a_key_file_of_another_sdk_is_read(#[case] text: String) {
        let key = Key::from_pem(&SecretString::from(text)).unwrap();
        assert_eq!(key.to_secret().expose_secret(), PYTHON);
    }

    #[rstest]
    #[case("")]
    #[case("-----BEGIN EC PRIVATE KEY-----")]
    #[case("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    fn anything_else_is_no_key_file(#[case] text: &str) {
        assert_eq!(Key::from_pem(&SecretString::from(text)).unwrap_err(), KeyError::NotPem);
    }

    #[rstest]
    #[case::zero("0000000000000000000000000000000000000000000000000000000000000000")]
    #[case::the_order("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")]
    #[case::short("97811b69")]
    #[case::text("secret")]
    fn a_number_outside_the_curve_is_no_key(#[case] text: &str) {
        assert_eq!(Key::from_secret(&SecretString::from(text)).unwrap_err(), KeyError::NotHex);
    }

    /// Draws only 0xFF at first, which is above the order of the curve, then only zeros, then ones.
    #[derive(Debug, Default)]
    struct Unlucky(AtomicU8);

    impl Entropy for Unlucky {
        fn fill(&self, bytes: &mut [u8]) {
            let draw = self.0.fetch_add(1, Ordering::Relaxed);
            bytes.fill(match draw {
                0 => 0xFF,
                1 => 0,
                _ => 1,
            });
        }
    }

    #[test]
    fn a_draw_outside_the_curve_is_drawn_again() {
        let key = Key::generate(&Unlucky::default());
        assert_eq!(key.to_secret().expose_secret(), "01".repeat(32));
    }

    #[test]
    fn a_key_is_never_shown() {
        assert!(!format!("{:?}", key(PYTHON)).contains("283b"));
    }
}
