//! Tokens signed by an issuer such as GitHub Actions, and the policies that say which of them to trust.
//!
//! The keys stand in the policy (`jwks_json`). Databricks would fetch them from the issuer; a local workspace fetches
//! no address that a client names.

mod jwt;

use serde_json::Value;
use xtask_local_server::now_ms;

use crate::error::ApiError;

pub(super) use jwt::Jwt;
use jwt::Keys;

/// Tolerated clock difference, seconds.
const LEEWAY: i64 = 60;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It cannot be read, or says that it is not signed.
    #[error("{0}")]
    Malformed(&'static str),
    #[error("no key of the policy matches its signature")]
    Signature,
    /// A claim differs from the policy.
    #[error("its {claim} is {found}, but the policy requires {wanted}")]
    Claim {
        claim: String,
        /// In the token.
        found: String,
        /// In the policy.
        wanted: String,
    },
    /// Expired, or not valid yet.
    #[error("{0}")]
    Time(&'static str),
}

pub fn check_policy(oidc: &Value) -> Result<(), ApiError> {
    let text = |field: &str| oidc[field].as_str().unwrap_or_default();
    for field in ["issuer", "subject"] {
        if text(field).is_empty() {
            return Err(ApiError::invalid(format!("oidc_policy.{field} is missing")));
        }
    }
    if text("jwks_json").is_empty() {
        return Err(ApiError::invalid(
            "oidc_policy.jwks_json is required: the local workspace does not fetch keys from the issuer",
        ));
    }
    Keys::parse(text("jwks_json"))
        .map(drop)
        .map_err(|why| ApiError::invalid(format!("oidc_policy.jwks_json: {why}")))
}

/// Checks a token against a policy. A policy without audiences accepts those that the clients request by default.
pub(super) fn check(token: &Jwt<'_>, oidc: &Value, audiences: &[&str]) -> Result<(), Refusal> {
    let keys = Keys::parse(oidc["jwks_json"].as_str().unwrap_or_default())
        .map_err(|_| Refusal::Signature)?;
    let claims = token.verified(&keys)?;
    expect(&claims, "iss", oidc["issuer"].as_str().unwrap_or_default())?;
    let subject = oidc["subject_claim"].as_str();
    let subject = subject.filter(|name| !name.is_empty()).unwrap_or("sub");
    expect(
        &claims,
        subject,
        oidc["subject"].as_str().unwrap_or_default(),
    )?;
    check_audience(&claims, oidc, audiences)?;
    check_time(&claims, now_ms() / 1000)
}

fn expect(claims: &Value, claim: &str, wanted: &str) -> Result<(), Refusal> {
    if claims[claim].as_str() == Some(wanted) && !wanted.is_empty() {
        return Ok(());
    }
    Err(differs(claims, claim, wanted))
}

fn differs(claims: &Value, claim: &str, wanted: &str) -> Refusal {
    let found = match &claims[claim] {
        Value::Null => "missing".to_owned(),
        value => value.to_string(),
    };
    Refusal::Claim {
        claim: claim.to_owned(),
        found,
        wanted: format!("\"{wanted}\""),
    }
}

fn check_audience(claims: &Value, oidc: &Value, default: &[&str]) -> Result<(), Refusal> {
    let listed: Vec<&str> = oidc["audiences"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let wanted = if listed.is_empty() { default } else { &listed };
    let given: Vec<&str> = match &claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if given.iter().any(|audience| wanted.contains(audience)) {
        return Ok(());
    }
    Err(differs(claims, "aud", &wanted.join("\" or \"")))
}

/// A token without an expiry would be a password.
fn check_time(claims: &Value, now: i64) -> Result<(), Refusal> {
    let seconds = |claim: &str| claims[claim].as_f64().map(|seconds| seconds as i64);
    match seconds("exp") {
        None => {
            return Err(Refusal::Time(
                "it has no exp claim, so it would never expire",
            ));
        }
        Some(end) if end.saturating_add(LEEWAY) <= now => {
            return Err(Refusal::Time("it has expired"));
        }
        Some(_) => {}
    }
    for claim in ["nbf", "iat"] {
        let begin = seconds(claim);
        if !claims[claim].is_null() && begin.is_none_or(|begin| begin.saturating_sub(LEEWAY) > now)
        {
            return Err(Refusal::Time("it is not valid yet"));
        }
    }
    Ok(())
}
