//! Client secrets and federation policies of service principals. Times are milliseconds.

use rusqlite::{Row, params};
use serde_json::Value;
use xtask_local_server::now_ms;
use xtask_local_server::secret::{Secret, fingerprint};

use super::{Result, Store, json, new_uuid};

/// A client secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    pub secret_id: String,
    pub fingerprint: String,
    pub created_at: i64,
    /// `None` means never.
    pub expires_at: Option<i64>,
}

/// Which issuer's tokens a service principal may use.
#[derive(Debug, Clone, PartialEq)]
pub struct FederationPolicy {
    pub policy_id: String,
    /// Unique for ever.
    pub uid: String,
    pub description: String,
    /// Issuer, audiences, subject and keys, as the client set them.
    pub oidc: Value,
    pub created_at: i64,
    pub updated_at: i64,
}

const POLICY: &str = "policy_id, uid, description, oidc_json, created_at, updated_at";

impl Store {
    /// The value is returned only here.
    pub fn create_client_secret(
        &self,
        principal_id: i64,
        lifetime_ms: Option<i64>,
    ) -> Result<(Secret, ClientSecret)> {
        let value = Secret::generate::<32>("dose")?;
        let now = now_ms();
        let made = ClientSecret {
            secret_id: new_uuid()?,
            fingerprint: value.fingerprint(),
            created_at: now,
            expires_at: lifetime_ms.map(|lifetime| now.saturating_add(lifetime)),
        };
        self.set("INSERT INTO client_secrets (secret_id, principal_id, fingerprint, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    made.secret_id,
                    principal_id,
                    made.fingerprint,
                    made.created_at,
                    made.expires_at
                ])?;
        Ok((value, made))
    }

    /// Oldest first.
    pub fn client_secrets(&self, principal_id: i64) -> Result<Vec<ClientSecret>> {
        self.rows(
            "SELECT secret_id, fingerprint, created_at, expires_at FROM client_secrets
                     WHERE principal_id = ?1 ORDER BY created_at, secret_id",
            [principal_id],
            |row| {
                Ok(ClientSecret {
                    secret_id: row.get(0)?,
                    fingerprint: row.get(1)?,
                    created_at: row.get(2)?,
                    expires_at: row.get(3)?,
                })
            },
        )
    }

    /// Looked up by SHA-256, so that timing tells nothing about the secret.
    pub fn has_client_secret(&self, principal_id: i64, presented: &str) -> Result<bool> {
        const VALID: &str =
            "SELECT count(*) FROM client_secrets WHERE principal_id = ?1 AND fingerprint = ?2
             AND (expires_at IS NULL OR expires_at > ?3)";
        let given = params![principal_id, fingerprint(presented), now_ms()];
        Ok(self.count(VALID, given)? > 0)
    }

    /// `false` if there was none.
    pub fn delete_client_secret(&self, principal_id: i64, secret_id: &str) -> Result<bool> {
        self.changes(
            "DELETE FROM client_secrets WHERE principal_id = ?1 AND secret_id = ?2",
            params![principal_id, secret_id],
        )
    }

    /// Creates a policy, or with `replace` changes it; `None` if it exists, or is missing.
    pub fn put_federation_policy(
        &self,
        principal_id: i64,
        policy_id: &str,
        (description, oidc): (&str, &Value),
        replace: bool,
    ) -> Result<Option<FederationPolicy>> {
        let (oidc, now, uid) = (serde_json::to_string(oidc)?, now_ms(), new_uuid()?);
        let changed = self.write(|tx| {
            Ok(if replace {
                tx.execute(
                    "UPDATE federation_policies SET description = ?3, oidc_json = ?4, updated_at = ?5
                     WHERE principal_id = ?1 AND policy_id = ?2",
                    params![principal_id, policy_id, description, oidc, now],
                )?
            } else {
                tx.execute(
                    "INSERT INTO federation_policies (principal_id, policy_id, uid, description, oidc_json, created_at,
                       updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING",
                    params![principal_id, policy_id, uid, description, oidc, now],
                )?
            })
        })?;
        if changed == 0 {
            return Ok(None);
        }
        self.federation_policy(principal_id, policy_id)
    }

    pub fn federation_policy(
        &self,
        principal_id: i64,
        policy_id: &str,
    ) -> Result<Option<FederationPolicy>> {
        let sql = format!(
            "SELECT {POLICY} FROM federation_policies WHERE principal_id = ?1 AND policy_id = ?2"
        );
        self.row(&sql, params![principal_id, policy_id], policy)
    }

    /// Oldest first.
    pub fn federation_policies(&self, principal_id: i64) -> Result<Vec<FederationPolicy>> {
        let sql = format!(
            "SELECT {POLICY} FROM federation_policies WHERE principal_id = ?1 ORDER BY created_at, policy_id"
        );
        self.rows(&sql, [principal_id], policy)
    }

    /// `false` if there was none.
    pub fn delete_federation_policy(&self, principal_id: i64, policy_id: &str) -> Result<bool> {
        self.changes(
            "DELETE FROM federation_policies WHERE principal_id = ?1 AND policy_id = ?2",
            params![principal_id, policy_id],
        )
    }
}

fn policy(row: &Row<'_>) -> rusqlite::Result<FederationPolicy> {
    Ok(FederationPolicy {
        policy_id: row.get(0)?,
        uid: row.get(1)?,
        description: row.get(2)?,
        oidc: json(row, 3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}
