//! The one-time codes of links that sign a browser in.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::clock::now_ms;
use crate::lock::lock;
use crate::secret::{NoRandomness, Secret, fingerprint};

/// How long a code can be used, ms.
const CODE_LIFETIME: i64 = 10 * 60 * 1000;

/// Codes that were handed out, by their SHA-256. What a code leads to is kept here and not in its link, which
/// stays short enough for one line of a terminal.
#[derive(Debug, Default)]
pub struct SignInCodes(Mutex<HashMap<String, Code>>);

#[derive(Debug, Clone)]
pub(crate) struct Code {
    ends: i64,
    pub(crate) next: String,
    pub(crate) used: bool,
}

impl SignInCodes {
    /// Makes a code for one use within ten minutes, which leads to `next`.
    pub fn issue(&self, next: &str) -> Result<Secret, NoRandomness> {
        let code = Secret::generate_short()?;
        let now = now_ms();
        let mut codes = lock(&self.0);
        codes.retain(|_, code| code.ends > now);
        let kept = Code {
            ends: now + CODE_LIFETIME,
            next: local_path(next).to_owned(),
            used: false,
        };
        codes.insert(code.fingerprint(), kept);
        Ok(code)
    }

    /// Uses a code up. Answers what it was before; `None` if there is none such.
    pub(crate) fn redeem(&self, code: &str) -> Option<Code> {
        let mut codes = lock(&self.0);
        let kept = codes.get_mut(&fingerprint(code))?;
        let before = kept.clone();
        kept.used = true;
        (before.ends > now_ms()).then_some(before)
    }
}

/// `path` if it stays on this server, else the start page.
pub(crate) fn local_path(path: &str) -> &str {
    let leaves = path.starts_with("//") || path.contains(|c: char| c == '\\' || c.is_control());
    if path.starts_with('/') && !leaves {
        path
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once() {
        let codes = SignInCodes::default();
        let code = codes.issue("/jobs/1").unwrap();
        let first = codes.redeem(code.expose()).unwrap();
        assert_eq!((first.used, first.next.as_str()), (false, "/jobs/1"));
        assert!(codes.redeem(code.expose()).unwrap().used);
        assert!(codes.redeem("").is_none());
    }

    #[test]
    fn a_link_never_leads_to_another_server() {
        for foreign in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
            "x",
            "/\t/evil.example",
        ] {
            assert_eq!(local_path(foreign), "/", "{foreign}");
        }
        assert_eq!(local_path("/jobs/1/runs/2?o=3"), "/jobs/1/runs/2?o=3");
    }
}
