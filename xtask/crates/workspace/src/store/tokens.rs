//! Access tokens of identities: personal and OAuth. Times are milliseconds.

use rusqlite::{OptionalExtension as _, Row, params};
use xtask_local_server::now_ms;
use xtask_local_server::secret::Secret;

use super::{Principal, Result, Store, principals};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Listed; with the requested lifetime.
    Personal,
    /// From the OAuth token endpoint; valid for an hour.
    OAuth,
}

impl TokenKind {
    fn as_str(self) -> &'static str {
        match self {
            TokenKind::Personal => "PAT",
            TokenKind::OAuth => "OAUTH",
        }
    }
}

/// A token without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub token_id: String,
    pub owner_id: i64,
    pub comment: String,
    pub created_by: String,
    pub created_at: i64,
    /// `None` means never.
    pub expires_at: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    pub owner_id: i64,
    pub kind: TokenKind,
    pub comment: &'a str,
    pub created_by: &'a str,
    /// `None` means no limit.
    pub lifetime_ms: Option<i64>,
}

const COLUMNS: &str = "token_id, principal_id, comment, created_by, created_at, expires_at";

impl Store {
    /// The value is returned only here.
    pub fn create_access_token(&self, new: &NewToken<'_>) -> Result<(Secret, AccessToken)> {
        let token = Secret::generate::<32>(if new.kind == TokenKind::Personal {
            "dapi"
        } else {
            "dose"
        })?;
        let now = now_ms();
        let made = AccessToken {
            token_id: Secret::generate::<32>("")?.expose().to_owned(),
            owner_id: new.owner_id,
            comment: new.comment.to_owned(),
            created_by: new.created_by.to_owned(),
            created_at: now,
            expires_at: new.lifetime_ms.map(|lifetime| now.saturating_add(lifetime)),
        };
        self.write(|tx| {
            tx.execute("DELETE FROM access_tokens WHERE expires_at <= ?1", [now])?;
            tx.execute(
                "INSERT INTO access_tokens (token_id, fingerprint, principal_id, kind, comment, created_by, created_at,
                   expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    made.token_id,
                    token.fingerprint(),
                    made.owner_id,
                    new.kind.as_str(),
                    made.comment,
                    made.created_by,
                    made.created_at,
                    made.expires_at,
                ],
            )?;
            Ok(())
        })?;
        Ok((token, made))
    }

    /// The identity of a valid token, if it is active.
    pub fn token_principal(&self, fingerprint: &str) -> Result<Option<Principal>> {
        self.read(|connection| {
            let owner: Option<i64> = connection
                .prepare_cached(
                    "SELECT principal_id FROM access_tokens
                     WHERE fingerprint = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
                )?
                .query_row(params![fingerprint, now_ms()], |row| row.get(0))
                .optional()?;
            let Some(owner) = owner else { return Ok(None) };
            let principal = principals::find(connection, "principal_id", &owner)?;
            Ok(principal.filter(|principal| principal.active))
        })
    }

    /// Personal tokens of one identity, or of all, oldest first.
    pub fn access_tokens(&self, owner_id: Option<i64>) -> Result<Vec<AccessToken>> {
        self.rows(&format!(
                "SELECT {COLUMNS} FROM access_tokens
                 WHERE kind = 'PAT' AND (?1 IS NULL OR principal_id = ?1) AND (expires_at IS NULL OR expires_at > ?2)
                 ORDER BY created_at, token_id"
            ), params![owner_id, now_ms()], from_row)
    }

    /// Revokes a personal token, of `owner_id` or of anyone; `false` if there is none.
    pub fn delete_access_token(&self, token_id: &str, owner_id: Option<i64>) -> Result<bool> {
        self.changes(
            "DELETE FROM access_tokens
                 WHERE token_id = ?1 AND kind = 'PAT' AND (?2 IS NULL OR principal_id = ?2)",
            params![token_id, owner_id],
        )
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AccessToken> {
    Ok(AccessToken {
        token_id: row.get(0)?,
        owner_id: row.get(1)?,
        comment: row.get(2)?,
        created_by: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
    })
}
