//! Tokens of job runs, and browser sessions.

use rusqlite::params;
use xtask_local_server::now_ms;
use xtask_local_server::secret::Secret;
use xtask_local_server::sign_in::SESSION_LIFETIME;

use super::{Result, Store};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOwner {
    pub job_run_id: i64,
    /// Empty for the workspace's own user.
    pub run_as: String,
}

impl Store {
    /// Valid until [`Store::end_run_tokens`].
    pub fn mint_run_token(&self, job_run_id: i64, run_as: &str) -> Result<Secret> {
        let token = Secret::generate::<32>("dkea")?;
        self.set("INSERT INTO run_tokens (fingerprint, job_run_id, created_at, run_as) VALUES (?1, ?2, ?3, ?4)", params![token.fingerprint(), job_run_id, now_ms(), run_as])?;
        Ok(token)
    }

    pub fn end_run_tokens(&self, job_run_id: i64) -> Result<()> {
        self.set(
            "UPDATE run_tokens SET ended_at = ?2 WHERE job_run_id = ?1 AND ended_at IS NULL",
            params![job_run_id, now_ms()],
        )
    }

    /// The run of a valid token. Looked up by SHA-256, so that timing tells nothing about the token.
    pub fn token_owner(&self, fingerprint: &str) -> Result<Option<TokenOwner>> {
        self.row(
            "SELECT job_run_id, run_as FROM run_tokens WHERE fingerprint = ?1 AND ended_at IS NULL",
            [fingerprint],
            |row| {
                Ok(TokenOwner {
                    job_run_id: row.get(0)?,
                    run_as: row.get(1)?,
                })
            },
        )
    }

    /// Makes a browser session, and deletes expired ones.
    pub fn create_session(&self) -> Result<Secret> {
        let session = Secret::generate::<32>("")?;
        let now = now_ms();
        self.write(|tx| {
            tx.execute("DELETE FROM sessions WHERE expires_at <= ?1", [now])?;
            tx.execute(
                "INSERT INTO sessions (fingerprint, created_at, expires_at) VALUES (?1, ?2, ?3)",
                params![session.fingerprint(), now, now + SESSION_LIFETIME],
            )?;
            Ok(())
        })?;
        Ok(session)
    }

    /// Whether a session with one of these SHA-256 is open.
    pub fn has_session(&self, fingerprints: &[String]) -> Result<bool> {
        const OPEN: &str = "SELECT 1 FROM sessions WHERE fingerprint = ?1 AND expires_at > ?2";
        self.read(|connection| {
            let mut open = connection.prepare_cached(OPEN)?;
            for fingerprint in fingerprints {
                if open.exists(params![fingerprint, now_ms()])? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}
