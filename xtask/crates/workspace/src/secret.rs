//! Values that must not be printed, and how they are made and compared.

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

/// A token or code. Its `Debug` form hides the value, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The system's random number generator failed.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

impl Secret {
    /// Wraps a value that was read from where it is kept.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// Makes 32 random bytes in hexadecimal behind `prefix`.
    pub fn generate(prefix: &str) -> Result<Secret, NoRandomness> {
        Ok(Secret(format!("{prefix}{}", hex(&random::<32>()?))))
    }

    /// Makes 16 random bytes in hexadecimal: enough for what lives minutes and works once, and short enough for a
    /// line in a terminal.
    pub fn generate_short() -> Result<Secret, NoRandomness> {
        Ok(Secret(hex(&random::<16>()?)))
    }

    /// The value itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this secret, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// What the database keeps instead of the value: its SHA-256 in hexadecimal.
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
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoRandomness)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_hides_in_debug_output_and_compares_by_value() {
        let secret = Secret::generate("dapi").unwrap();
        assert_eq!(secret.expose().len(), "dapi".len() + 64);
        assert_eq!(format!("{secret:?}"), "[REDACTED]");
        assert!(secret.matches(secret.expose()));
        assert!(!secret.matches("dapi"));
        assert_ne!(Secret::generate("").unwrap(), Secret::generate("").unwrap());
    }
}
