//! Service principals: identities for programs, such as CI.

use std::fmt;

use serde::Deserialize;
use serde_json::json;

use crate::Error;
use crate::databricks::segment;
use crate::transport::{Method, Request, Transport, call, list};

const SERVICE_PRINCIPALS: &str = "/api/2.0/preview/scim/v2/ServicePrincipals";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    /// Its id in SCIM.
    pub id: String,
    /// What jobs, permissions and OAuth call it.
    pub application_id: String,
    /// What people call it.
    pub display_name: String,
}

/// A secret with which a service principal gets tokens. The service shows it once, when it is made.
#[derive(Clone, Deserialize)]
pub struct ClientSecret {
    secret: String,
}

impl ClientSecret {
    /// The value itself, for the one place that shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// The service principals that are called so.
pub fn named(transport: &dyn Transport, name: &str) -> Result<Vec<ServicePrincipal>, Error> {
    let filter = format!("displayName eq \"{}\"", name.replace(['"', '\\'], ""));
    let request = Request::new(Method::Get, SERVICE_PRINCIPALS).query("filter", filter);
    list(transport, &request, "Resources")
}

/// Makes a service principal.
pub fn create(transport: &dyn Transport, name: &str) -> Result<ServicePrincipal, Error> {
    let body = json!({"displayName": name, "active": true});
    call(
        transport,
        &Request::new(Method::Post, SERVICE_PRINCIPALS).json(&body),
    )
}

/// Removes a service principal with its tokens and secrets.
pub fn delete(transport: &dyn Transport, id: &str) -> Result<(), Error> {
    let path = format!("{SERVICE_PRINCIPALS}/{}", segment(id));
    transport
        .send(&Request::new(Method::Delete, path))
        .map(drop)
}

/// Makes a secret. A service principal has five at most: the oldest makes room.
pub fn new_secret(transport: &dyn Transport, id: &str) -> Result<ClientSecret, Error> {
    #[derive(Deserialize)]
    struct Known {
        id: String,
        create_time: String,
    }
    const MOST: usize = 5;
    let path = format!(
        "/api/2.0/accounts/servicePrincipals/{}/credentials/secrets",
        segment(id)
    );
    let mut known: Vec<Known> = list(transport, &Request::new(Method::Get, &path), "secrets")?;
    known.sort_by(|a, b| a.create_time.cmp(&b.create_time));
    for old in known.iter().rev().skip(MOST - 1) {
        let path = format!("{path}/{}", segment(&old.id));
        transport.send(&Request::new(Method::Delete, path))?;
    }
    call(
        transport,
        &Request::new(Method::Post, path).json(&json!({})),
    )
}

/// Whose signed tokens a service principal may show instead of a secret.
#[derive(Debug, Clone)]
pub struct Trust<'a> {
    /// The `iss` of the tokens.
    pub issuer: &'a str,
    /// Their `sub`.
    pub subject: &'a str,
    /// The issuer's public keys, as a JSON Web Key Set.
    pub keys: &'a str,
}

/// Trusts the tokens of an issuer, under a policy of this name; an older one of that name is replaced.
pub fn trust(
    transport: &dyn Transport,
    id: &str,
    policy: &str,
    trust: &Trust<'_>,
) -> Result<(), Error> {
    // A local workspace is an account to itself, and does not look at that part.
    let path = format!(
        "/api/2.0/accounts/local/servicePrincipals/{}/federationPolicies",
        segment(id)
    );
    let one = format!("{path}/{}", segment(policy));
    match transport.send(&Request::new(Method::Delete, one)) {
        Ok(_) => {}
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    let body = json!({"oidc_policy": {"issuer": trust.issuer, "subject": trust.subject, "jwks_json": trust.keys}});
    let request = Request::new(Method::Post, path)
        .query("policy_id", policy)
        .json(&body);
    transport.send(&request).map(drop)
}
