//! Values that must not be printed: how they are made, compared and stored.

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq as _;

/// A token or code. Its `Debug` form hides the value, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The system's random number generator failed.
#[derive(Debug, thiserror::Error)]
#[error("the system's random number generator failed")]
pub struct NoRandomness;

impl Secret {
    /// Wraps a stored value.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// `BYTES` random bytes in hexadecimal after `prefix`.
    pub fn generate<const BYTES: usize>(prefix: &str) -> Result<Secret, NoRandomness> {
        let value = hex(&random::<BYTES>()?);
        Ok(Secret(format!("{prefix}{value}")))
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// What a database stores instead of the value: its SHA-256 in hexadecimal.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// SHA-256 of `value` in hexadecimal.
pub fn fingerprint(value: &str) -> String {
    hex(digest(&SHA256, value.as_bytes()).as_ref())
}

/// `N` random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map(|()| bytes).map_err(|_| NoRandomness)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_hides_in_debug_output_and_compares_by_value() {
        let secret = Secret::generate::<32>("dapi").expect("randomness");
        assert_eq!(secret.expose().len(), "dapi".len() + 64);
        assert_eq!(format!("{secret:?}"), "[REDACTED]");
        assert!(secret.matches(secret.expose()));
        assert!(!secret.matches("dapi"));
        let another = Secret::generate::<32>("dapi").expect("randomness");
        assert_ne!(secret, another);
    }
}
