//! The temporary files of one call: the request body, which must not be in argv, and the CLI's log with the
//! response.

use std::process::Command;

use camino::Utf8Path;
use serde::Deserialize;
use serde_json::Value;

use crate::databricks::words::says_there_was_no_connection;
use crate::temporary::Temporary;

/// How many bytes of a response body the log keeps. Only error responses are read from it, and they are
/// shorter.
const KEPT: &str = "8192";

/// A private folder.
#[derive(Debug)]
pub(in crate::databricks) struct Exchange(Temporary);

/// A response of the service.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::databricks) struct Answer {
    pub(in crate::databricks) status: u16,
    /// The start of its body.
    pub(in crate::databricks) body: String,
}

impl Answer {
    /// Its body, if it is JSON.
    pub(super) fn json(&self) -> Option<Vec<u8>> {
        let json = xtask_remote::json::from_str::<Value>(&self.body);
        let is_json = json.is_ok_and(|value| value.is_object());
        is_json.then(|| self.body.clone().into_bytes())
    }
}

impl Exchange {
    /// A folder below `cache`.
    pub(in crate::databricks) fn begin(cache: &Utf8Path) -> std::io::Result<Exchange> {
        Temporary::folder(&cache.join("calls/call")).map(Exchange)
    }

    /// Passes JSON to `databricks api`.
    pub(super) fn send(&self, command: &mut Command, value: &Value) -> std::io::Result<()> {
        let path = self.0.file("body.json", value.to_string().as_bytes())?;
        command.arg("--json").arg(format!("@{path}"));
        Ok(())
    }

    /// Makes the CLI write its debug log to a file.
    pub(in crate::databricks) fn keep_log(&self, command: &mut Command) {
        command
            .env("DATABRICKS_LOG_FILE", self.0.join("log"))
            .env("DATABRICKS_LOG_FORMAT", "json")
            .env("DATABRICKS_LOG_LEVEL", "debug")
            .env("DATABRICKS_DEBUG_TRUNCATE_BYTES", KEPT)
            .env_remove("DATABRICKS_DEBUG_HEADERS");
    }

    /// The last response; `None` if there was none.
    pub(in crate::databricks) fn answer(&self) -> Option<Answer> {
        read(&self.log())
    }

    /// Whether the last call could not connect.
    pub(in crate::databricks) fn had_no_connection(&self) -> bool {
        let error = self.last_error();
        error.is_some_and(|error| says_there_was_no_connection(&error))
    }

    /// Why the last call got no response; `None` if the log does not say.
    pub(in crate::databricks) fn last_error(&self) -> Option<String> {
        let log = self.log();
        let last = messages(&log).find(|said| said.contains("\n< "))?;
        let (_, error) = last.split_once("\n< Error: ")?;
        // Go's error starts with the call.
        let reason = error
            .rsplit_once("\": ")
            .map_or(error, |(_, reason)| reason);
        Some(reason.trim().to_owned())
    }

    fn log(&self) -> String {
        fs_err::read_to_string(self.0.join("log")).unwrap_or_default()
    }
}

/// The last response in a log. The CLI logs calls as `METHOD PATH`, `> …` and `< …`.
fn read(log: &str) -> Option<Answer> {
    messages(log).find_map(|said| answer(&said))
}

/// The messages of a log, newest first.
fn messages(log: &str) -> impl Iterator<Item = String> {
    #[derive(Deserialize)]
    struct Line {
        msg: String,
    }
    let lines = log.lines().rev();
    lines.filter_map(|line| Some(xtask_remote::json::from_str::<Line>(line).ok()?.msg))
}

fn answer(said: &str) -> Option<Answer> {
    // Skip the sign-in calls.
    said.split(' ').nth(1)?.strip_prefix("/api/")?;
    let (_, reply) = said.split_once("\n< HTTP/")?;
    let (first, rest) = reply.split_once('\n').unwrap_or((reply, ""));
    let body: Vec<&str> = rest
        .lines()
        .filter_map(|line| line.strip_prefix("< "))
        .collect();
    Some(Answer {
        status: first.split(' ').nth(1)?.parse().ok()?,
        body: body.join("\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_of_the_api_counts() {
        let line = |said: &str| serde_json::json!({"level": "DEBUG", "msg": said}).to_string();
        let log = [
            line("start"),
            line("GET /api/2.0/x?a=b c\n< HTTP/1.1 503 Service Unavailable\n< wait"),
            "not JSON at all".to_owned(),
            line(
                "POST /api/2.0/x\n> {\n>   \"k\": 1\n> }\n< HTTP/2.0 403 Forbidden\n< {\n<   \"error_code\": \"NO\"\n< }",
            ),
            line("POST /oidc/v1/token\n< HTTP/1.1 200 OK\n< {}"),
            line("non-retriable error: no"),
        ];
        let last = read(&log.join("\n")).unwrap();
        assert_eq!(last.status, 403);
        assert_eq!(last.json().unwrap(), b"{\n  \"error_code\": \"NO\"\n}");
        let first = read(&log[..2].join("\n")).unwrap();
        assert_eq!((first.status, first.json()), (503, None));
        assert_eq!(read(&log[..1].join("\n")), None);
        assert_eq!(
            read("\u{0}{\"msg\": 1}\n{\"msg\": \"GET /api/x\\n< HTTP/\"}"),
            None
        );
    }

    #[test]
    fn what_is_sent_stands_on_no_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Utf8Path::from_path(folder.path()).unwrap();
        let exchange = Exchange::begin(cache).unwrap();
        let mut command = Command::new("databricks");
        exchange
            .send(&mut command, &serde_json::json!({"k": "CANARY"}))
            .unwrap();
        assert!(!format!("{command:?}").contains("CANARY"));
        let path = exchange.0.join("body.json");
        assert!(std::fs::read_to_string(&path).unwrap().contains("CANARY"));
        drop(exchange);
        assert!(!path.exists());
    }
}
