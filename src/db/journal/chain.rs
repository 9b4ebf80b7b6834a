//! What holds the rows of the journal together: HMAC-SHA256 over a row and the mac of the row before it.
//!
//! **Invariant:** two different rows, or one row at two places, never encode to the same bytes. Who has the database but
//! not the installation's secret key cannot make a mac.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{ChainedRow, Entry};
use crate::db::seal::SealKey;

/// The bytes of a mac.
const MAC: usize = 32;

/// Says how the rest is encoded.
const FORMAT: &[u8] = b"splynx-bitpay journal 1\0";

/// The key of the chain.
#[derive(Clone)]
pub(in crate::db) struct JournalKey(Zeroizing<[u8; 32]>);

impl JournalKey {
    /// The key that belongs to an installation's secret.
    pub(in crate::db) fn of(seal_key: &SealKey) -> Self {
        Self(seal_key.derived("splynx-bitpay audit journal"))
    }

    /// The row of an entry behind this end of the chain.
    pub(super) fn chained(&self, head: &Head, entry: Entry) -> ChainedRow {
        let Entry { at, attempt, who, what, words } = entry;
        let row = ChainedRow {
            seq: head.seq.saturating_add(1),
            at,
            attempt,
            who,
            what,
            words,
            previous: head.mac.to_vec(),
            mac: vec![],
        };
        ChainedRow { mac: self.mac(&row).finalize().into_bytes().to_vec(), ..row }
    }

    /// Whether a row's mac is its own, in constant time.
    pub(super) fn is_own(&self, row: &ChainedRow) -> bool {
        self.mac(row).verify_slice(&row.mac).is_ok()
    }

    fn mac(&self, row: &ChainedRow) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_ref())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(FORMAT);
        mac.update(&row.seq.to_be_bytes());
        mac.update(&row.at.to_be_bytes());
        mac.update(&[u8::from(row.attempt.is_some())]);
        let attempt = row.attempt.as_deref().unwrap_or_default();
        for field in [attempt, &row.who, &row.what, &row.words].map(str::as_bytes) {
            update_with_length(&mut mac, field);
        }
        update_with_length(&mut mac, &row.previous);
        mac
    }
}

fn update_with_length(mac: &mut Hmac<Sha256>, field: &[u8]) {
    mac.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
    mac.update(field);
}

impl fmt::Debug for JournalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JournalKey(…)")
    }
}

/// An end of the chain: the number of a row and its mac. Kept elsewhere, it proves later that everything up to this row
/// is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the row; 0 before the first.
    pub seq: i64,
    /// Its mac.
    pub(super) mac: [u8; MAC],
}

/// A text that is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a head is what `audit verify` prints: eight groups of hexadecimal digits, or the row's number and them"
)]
pub struct InvalidHead;

impl Head {
    pub(super) fn of(row: &ChainedRow) -> Self {
        // A mac of another length was written by somebody else, and is never equal to one of ours.
        Self { seq: row.seq, mac: row.mac.as_slice().try_into().unwrap_or([0; MAC]) }
    }

    /// Reads `NUMBER MAC` back.
    ///
    /// # Errors
    ///
    /// [`InvalidHead`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidHead> {
        let (seq, mac) = text.trim().split_once(' ').ok_or(InvalidHead)?;
        Ok(Self { seq: seq.parse().map_err(|_| InvalidHead)?, mac: read_mac(mac)? })
    }

    /// Reads what a person kept: `NUMBER MAC`, or the mac alone.
    ///
    /// # Errors
    ///
    /// [`InvalidHead`] for any other text.
    pub fn parse_kept(text: &str) -> Result<Self, InvalidHead> {
        Self::parse(text).or_else(|_| Ok(Self { seq: -1, mac: read_mac(text.trim())? }))
    }

    /// Whether it is this row that the head was printed for.
    pub(super) fn is_of(&self, row: &ChainedRow) -> bool {
        (self.seq == -1 || self.seq == row.seq) && self.mac.as_slice() == row.mac.as_slice()
    }

    /// The mac in hex, in groups: people compare it by eye, and it looks like no key.
    #[must_use]
    pub fn hash(&self) -> String {
        let groups: Vec<String> = self.mac.chunks(4).map(hex::encode).collect();
        groups.join("-")
    }
}

impl Default for Head {
    /// The end of a chain without a row.
    fn default() -> Self {
        Self { seq: 0, mac: [0; MAC] }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.hash())
    }
}

fn read_mac(text: &str) -> Result<[u8; MAC], InvalidHead> {
    let mut mac = [0; MAC];
    hex::decode_to_slice(text.replace('-', ""), &mut mac).map_err(|_| InvalidHead)?;
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn key(byte: u8) -> JournalKey {
        JournalKey::of(&SealKey::from_bytes([byte; 32]))
    }

    fn entry(who: &str, what: &str) -> Entry {
        let (who, what) = (who.to_owned(), what.to_owned());
        Entry { at: 1, attempt: None, who, what, words: "words".to_owned() }
    }

    #[test]
    fn a_row_is_its_own_with_its_key_at_its_place_only() {
        let row = key(1).chained(&Head::default(), entry("ab", "c"));
        assert!(key(1).is_own(&row));
        assert!(!key(2).is_own(&row));
        let changes = [
            ChainedRow { seq: 2, ..row.clone() },
            ChainedRow { at: 2, ..row.clone() },
            ChainedRow { attempt: Some(String::new()), ..row.clone() },
            ChainedRow { words: "word".to_owned(), ..row.clone() },
            ChainedRow { previous: vec![1; MAC], ..row.clone() },
            ChainedRow { mac: vec![], ..row.clone() },
            // What leaves one field and enters the next is not the same text.
            ChainedRow { who: "a".to_owned(), what: "bc".to_owned(), ..row.clone() },
        ];
        for changed in changes {
            assert!(!key(1).is_own(&changed), "{changed:?}");
        }
    }

    #[test]
    fn a_head_reads_back_with_and_without_its_number() {
        let head = Head::of(&key(1).chained(&Head::default(), entry("a", "b")));
        assert_eq!(Head::parse(&head.to_string()), Ok(head));
        assert_eq!(Head::parse_kept(&format!(" {head}\n")), Ok(head));
        assert_eq!(Head::parse_kept(&head.hash()).unwrap().hash(), head.hash());
    }

    #[rstest]
    #[case("")]
    #[case("1")]
    #[case("x 00")]
    #[case("1 zz")]
    fn anything_else_is_no_head(#[case] text: &str) {
        assert_eq!(Head::parse_kept(text), Err(InvalidHead));
    }
}
