//! Sealing of secrets at rest: XChaCha20-Poly1305.
//!
//! **Invariant:** a sealed value opens only with the same key and only in the row it was sealed for.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ports::entropy::Entropy;

const NONCE: usize = 24;

/// Says how the rest of a sealed value is to be read.
const FORMAT: u8 = 1;

/// The key that seals tokens and private keys.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

/// A text or file that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret key is 32 bytes, or 64 hexadecimal characters")]
pub struct InvalidSealKey;

/// A value that could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SealError {
    /// It was sealed with another key or for another row, or it was changed.
    #[error("the value was not sealed here with this key")]
    Foreign,
    /// It is too long.
    #[error("the value cannot be sealed")]
    TooLong,
}

impl SealKey {
    /// Takes the 32 bytes themselves.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Makes a key that is new.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        entropy.fill(bytes.as_mut());
        Self(bytes)
    }

    /// Reads the content of a key file or of a setting: 32 raw bytes, or 64 hexadecimal characters with or without
    /// an end of line.
    ///
    /// # Errors
    ///
    /// [`InvalidSealKey`] for anything else.
    pub fn parse(content: &[u8]) -> Result<Self, InvalidSealKey> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        if let Ok(raw) = <[u8; 32]>::try_from(content) {
            *bytes = raw;
        } else {
            hex::decode_to_slice(content.trim_ascii(), bytes.as_mut())
                .map_err(|_| InvalidSealKey)?;
        }
        Ok(Self(bytes))
    }

    /// The key as [`Self::parse`] reads it, in hex: for the file that keeps it.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_ref()))
    }

    /// Seals `plain` for the row `place`.
    pub(super) fn seal(
        &self,
        entropy: &dyn Entropy,
        place: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0_u8; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed =
            self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::TooLong)?;
        Ok([&[FORMAT], nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what was sealed for the row `place`.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (format, rest) = sealed.split_first().ok_or(SealError::Foreign)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Foreign)?;
        if *format != FORMAT {
            return Err(SealError::Foreign);
        }
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher()
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealError::Foreign)
    }

    /// A key for another purpose, which tells nothing about this one.
    pub(super) fn derived(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.0.as_ref())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        Zeroizing::new(mac.chain_update(purpose.as_bytes()).finalize().into_bytes().into())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::ports::entropy::SystemEntropy;

    #[test]
    fn a_sealed_value_opens_in_its_own_row_alone() {
        let key = SealKey::generate(&SystemEntropy);
        let sealed = key.seal(&SystemEntropy, "row 1", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(key.open("row 1", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(key.open("row 2", &sealed), Err(SealError::Foreign));
        let other = SealKey::generate(&SystemEntropy);
        assert_eq!(other.open("row 1", &sealed), Err(SealError::Foreign));
    }

    #[test]
    fn one_value_sealed_twice_never_looks_the_same() {
        let key = SealKey::generate(&SystemEntropy);
        let seal = || key.seal(&SystemEntropy, "row", b"secret").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn no_changed_bit_passes() {
        let key = SealKey::generate(&SystemEntropy);
        let sealed = key.seal(&SystemEntropy, "row", b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(key.open("row", &changed), Err(SealError::Foreign), "byte {index}");
            assert_eq!(key.open("row", &sealed[..index]), Err(SealError::Foreign));
        }
    }

    #[rstest]
    #[case::raw(&[7_u8; 32])]
    #[case::hex(b"0707070707070707070707070707070707070707070707070707070707070707")]
    #[case::hex_file(b"0707070707070707070707070707070707070707070707070707070707070707\n")]
    fn a_key_is_read_from_bytes_and_from_hex(#[case] content: &[u8]) {
        let key = SealKey::parse(content).unwrap();
        assert_eq!(*key.to_hex(), "07".repeat(32));
    }

    #[rstest]
    #[case(b"")]
    #[case(b"short")]
    #[case(&[7_u8; 31])]
    #[case(b"zz07070707070707070707070707070707070707070707070707070707070707")]
    fn anything_else_is_no_key(#[case] content: &[u8]) {
        assert_eq!(SealKey::parse(content).err(), Some(InvalidSealKey));
    }

    #[test]
    fn a_key_is_never_shown() {
        assert_eq!(format!("{:?}", SealKey::from_bytes([7; 32])), "SealKey(…)");
    }
}
