//! Secret scopes, secrets and their permissions.

use rusqlite::params;
use xtask_local_server::now_ms;

use super::{Result, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretName {
    pub key: String,
    /// Milliseconds.
    pub updated_at: i64,
}

impl Store {
    /// `false` if it exists.
    pub fn create_secret_scope(&self, name: &str, manager: &str) -> Result<bool> {
        self.write(|tx| {
            let made = tx.execute(
                "INSERT OR IGNORE INTO secret_scopes (name, created_at) VALUES (?1, ?2)",
                params![name, now_ms()],
            )?;
            if made > 0 {
                tx.execute(
                    "INSERT INTO secret_acls (scope, principal, permission) VALUES (?1, ?2, 'MANAGE')",
                    [name, manager],
                )?;
            }
            Ok(made > 0)
        })
    }

    pub fn has_secret_scope(&self, name: &str) -> Result<bool> {
        const NAMED: &str = "SELECT count(*) FROM secret_scopes WHERE name = ?1";
        Ok(self.count(NAMED, [name])? > 0)
    }

    pub fn secret_scopes(&self) -> Result<Vec<String>> {
        self.rows("SELECT name FROM secret_scopes ORDER BY name", [], |row| {
            row.get(0)
        })
    }

    /// Also deletes its secrets; `false` if there was none.
    pub fn delete_secret_scope(&self, name: &str) -> Result<bool> {
        self.changes("DELETE FROM secret_scopes WHERE name = ?1", [name])
    }

    /// Replaces a secret with the same key.
    pub fn put_secret(&self, scope: &str, key: &str, value: &[u8]) -> Result<()> {
        self.set("INSERT INTO secrets (scope, key, value, updated_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                params![scope, key, value, now_ms()])
    }

    pub fn secret(&self, scope: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.row(
            "SELECT value FROM secrets WHERE scope = ?1 AND key = ?2",
            [scope, key],
            |row| row.get(0),
        )
    }

    pub fn secret_names(&self, scope: &str) -> Result<Vec<SecretName>> {
        self.rows(
            "SELECT key, updated_at FROM secrets WHERE scope = ?1 ORDER BY key",
            [scope],
            |row| {
                Ok(SecretName {
                    key: row.get(0)?,
                    updated_at: row.get(1)?,
                })
            },
        )
    }

    /// `false` if there was none.
    pub fn delete_secret(&self, scope: &str, key: &str) -> Result<bool> {
        self.changes(
            "DELETE FROM secrets WHERE scope = ?1 AND key = ?2",
            [scope, key],
        )
    }

    /// Replaces the principal's permission.
    pub fn put_secret_acl(&self, scope: &str, principal: &str, permission: &str) -> Result<()> {
        self.set(
            "INSERT INTO secret_acls (scope, principal, permission) VALUES (?1, ?2, ?3)
                 ON CONFLICT (scope, principal) DO UPDATE SET permission = excluded.permission",
            [scope, principal, permission],
        )
    }

    /// As (principal, permission).
    pub fn secret_acls(&self, scope: &str) -> Result<Vec<(String, String)>> {
        self.rows(
            "SELECT principal, permission FROM secret_acls WHERE scope = ?1 ORDER BY principal",
            [scope],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// `false` if there was none.
    pub fn delete_secret_acl(&self, scope: &str, principal: &str) -> Result<bool> {
        self.changes(
            "DELETE FROM secret_acls WHERE scope = ?1 AND principal = ?2",
            [scope, principal],
        )
    }
}
