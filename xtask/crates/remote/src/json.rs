//! Reading JSON.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a type by way of a [`Value`], so that it is compiled for one kind of input and not for each: of the time that
/// this crate takes to compile, most went into that.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    T::deserialize(serde_json::from_slice::<Value>(bytes)?)
}

/// The same of a text.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    from_slice(text.as_bytes())
}
