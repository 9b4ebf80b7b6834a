//! Randomness, given from outside so that tests can repeat it.

use std::fmt::Debug;

use rand::Rng as _;

/// A source of random bytes that nobody can guess.
pub trait Entropy: Debug + Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// 128 random bits.
    fn random_u128(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }
}

/// The operating system's generator.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that asks for randomness"
        )]
        rand::rng().fill_bytes(bytes);
    }
}
