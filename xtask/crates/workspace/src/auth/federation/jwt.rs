//! Signed tokens (RFC 7519, compact form) and the keys that signed them (RFC 7517).
//!
//! Two algorithms are known, RS256 (what GitHub signs with) and ES256. A key is used with its own algorithm only, never
//! with the one that a token asks for; `none` and the symmetric ones do not exist here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

use super::Refusal;

/// Bytes; longer tokens are refused.
const LONGEST: usize = 32 * 1024;

/// The parts of a token that is not verified yet.
pub(in crate::auth) struct Jwt<'t> {
    header: Value,
    claims: Value,
    signed: &'t str,
    signature: Vec<u8>,
}

enum Key {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The point, uncompressed.
    P256(Vec<u8>),
}

/// Public keys, each with its key id.
pub(super) struct Keys(Vec<(Option<String>, Key)>);

impl<'t> Jwt<'t> {
    /// Splits a token into its parts, without trusting any of them.
    pub(in crate::auth) fn parse(text: &'t str) -> Result<Jwt<'t>, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::Malformed("it is too long"));
        }
        let broken = || Refusal::Malformed("it is not a JWT in compact form");
        let (signed, signature) = text.rsplit_once('.').ok_or_else(broken)?;
        let (header, claims) = signed.split_once('.').ok_or_else(broken)?;
        let json = |part: &str| -> Option<Value> {
            let value: Value = serde_json::from_slice(&BASE64.decode(part).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        Ok(Jwt {
            header: json(header).ok_or_else(broken)?,
            claims: json(claims).ok_or_else(broken)?,
            signed,
            signature: BASE64.decode(signature).map_err(|_| broken())?,
        })
    }

    /// What the token claims, if one of the keys signed it.
    pub(super) fn verified(&self, keys: &Keys) -> Result<Value, Refusal> {
        let algorithm = self.header["alg"].as_str().unwrap_or_default();
        if !matches!(algorithm, "RS256" | "ES256") {
            return Err(Refusal::Malformed(
                "its algorithm is neither RS256 nor ES256",
            ));
        }
        if !self.header["crit"].is_null() {
            return Err(Refusal::Malformed("it has critical headers"));
        }
        let wanted = self.header["kid"].as_str();
        let signs = |(id, key): &(Option<String>, Key)| {
            let named = wanted.is_none() || id.is_none() || id.as_deref() == wanted;
            named && key.verifies(algorithm, self.signed.as_bytes(), &self.signature)
        };
        if keys.0.iter().any(signs) {
            Ok(self.claims.clone())
        } else {
            Err(Refusal::Signature)
        }
    }
}

impl Key {
    fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Key::Rsa { n, e }, "RS256") => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            (Key::P256(point), "ES256") => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok(),
            _ => false,
        }
    }

    fn parse(jwk: &Value) -> Option<Key> {
        let bytes = |field: &str| BASE64.decode(jwk[field].as_str()?).ok();
        match jwk["kty"].as_str()? {
            "RSA" if matches!(jwk["alg"].as_str(), None | Some("RS256")) => Some(Key::Rsa {
                n: bytes("n")?,
                e: bytes("e")?,
            }),
            "EC" if jwk["crv"] == "P-256" => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                (x.len() == 32 && y.len() == 32).then(|| Key::P256([&[4], &x[..], &y[..]].concat()))
            }
            _ => None,
        }
    }
}

impl Keys {
    /// Reads a key set; keys of other kinds in it are left out.
    pub(super) fn parse(text: &str) -> Result<Keys, &'static str> {
        let set: Value = serde_json::from_str(text).map_err(|_| "it is no JSON")?;
        let listed = set["keys"].as_array().ok_or("it has no list \"keys\"")?;
        let keys: Vec<_> = listed
            .iter()
            .filter(|jwk| matches!(jwk["use"].as_str(), None | Some("sig")))
            .filter_map(|jwk| Some((jwk["kid"].as_str().map(str::to_owned), Key::parse(jwk)?)))
            .collect();
        if keys.is_empty() {
            return Err("it holds no RSA key for RS256 and no P-256 key");
        }
        Ok(Keys(keys))
    }
}
