//! What a service says when it refuses: its explanation, the reasons it lists, how long to wait.

use std::time::Duration;

use serde_json::Value;

use crate::Error;
use crate::error::Reason;
use crate::excerpt::readable;
use crate::time::Timestamp;
use crate::transport::{Headers, Request};

/// How long GitHub asks to wait for its secondary limits where it sends no header.
const SECONDARY: Duration = Duration::from_secs(60);

/// The most seconds that a wait is taken for, a hundred years: what is more can only be a slip.
const LONGEST: u64 = 100 * 365 * 24 * 3600;

/// The error of a reply whose status is 400 or more. Databricks and MLflow send
/// `{"error_code", "message"}`, GitHub `{"message", "errors"}`, proxies HTML.
#[must_use]
pub fn refused(request: &Request, status: u16, headers: &Headers, body: &[u8]) -> Error {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    let reasons = reasons(&json);
    let mut message = text("message").unwrap_or_else(|| readable(body));
    if is_signed_out(status, &message) {
        return Error::SignedOut {
            service: String::new(),
            call: request.call(),
            status,
            message,
        };
    }
    if let Some((wait, message)) = limited(status, headers, &message) {
        return Error::Limited {
            call: request.call(),
            status,
            message,
            wait,
        };
    }
    if !reasons.is_empty() {
        let listed: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        message = format!("{message}: {}", listed.join("; "));
    }
    Error::Refused {
        call: request.call(),
        status,
        code: text("error_code").unwrap_or_default(),
        message,
        reasons,
    }
}

/// Whether the service does not know who asks. Databricks answers a token that it does not know with 403.
fn is_signed_out(status: u16, message: &str) -> bool {
    status == 401 || (status == 403 && message.starts_with("Invalid access token"))
}

/// Whether a refusal is about the number of calls, and how long it asks to wait.
fn limited(status: u16, headers: &Headers, message: &str) -> Option<(Option<Duration>, String)> {
    let wait = asked_wait(headers);
    let secondary = message.to_lowercase().contains("secondary rate limit");
    let is_limit = match status {
        429 => true,
        // A service that is down for a while says so; one that merely fails does not.
        503 => wait.is_some(),
        // A plain "forbidden" carries x-ratelimit headers too; only an empty allowance counts.
        403 => wait.is_some() || secondary,
        _ => false,
    };
    let wait = wait.or(secondary.then_some(SECONDARY));
    is_limit.then(|| (wait, message.to_owned()))
}

/// How long a reply asks to wait: `retry-after` (seconds or a date), else the moment at which an
/// exhausted allowance is filled again.
pub(crate) fn asked_wait(headers: &Headers) -> Option<Duration> {
    // The service's clock, not ours: the two may be minutes apart.
    let now = headers
        .get("date")
        .and_then(Timestamp::of_header)
        .unwrap_or_else(Timestamp::now)
        .as_second();
    let until =
        |second: i64| Duration::from_secs(u64::try_from(second.saturating_sub(now)).unwrap_or(0));
    if let Some(after) = headers.get("retry-after") {
        let seconds = after.trim().parse().ok();
        let seconds = seconds.map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST)));
        return seconds.or_else(|| Timestamp::of_header(after).map(|at| until(at.as_second())));
    }
    let exhausted = headers.get("x-ratelimit-remaining")?.trim() == "0";
    let reset = headers.get("x-ratelimit-reset")?.trim().parse().ok()?;
    // One second more: the reset is rounded down.
    exhausted.then(|| until(reset) + Duration::from_secs(1))
}

/// GitHub's `errors`: objects, and now and then plain sentences.
fn reasons(json: &Value) -> Vec<Reason> {
    let listed = match json.get("errors") {
        Some(Value::Array(listed)) => listed.as_slice(),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    listed.iter().map(reason).collect()
}

fn reason(value: &Value) -> Reason {
    let text = |key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Reason {
        resource: text("resource"),
        field: text("field"),
        code: text("code"),
        message: value
            .as_str()
            .map_or_else(|| text("message"), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Method;

    fn error(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = Request::new(Method::Post, "/repos/o/r/pulls");
        refused(&request, status, &headers, body.as_bytes())
    }

    #[test]
    fn the_reasons_are_part_of_the_message() {
        let body = r#"{"message": "Validation Failed", "errors": [
            {"resource": "PullRequest", "code": "custom", "message": "No commits between main and feat"},
            {"resource": "PullRequest", "field": "base", "code": "invalid"},
            "Draft pull requests are not supported in this repository."]}"#;
        let error = error(422, &[], body);
        assert_eq!(
            error.to_string(),
            "POST /repos/o/r/pulls: 422: Validation Failed: No commits between main and feat; \
             base is invalid; Draft pull requests are not supported in this repository."
        );
        assert_eq!(error.reasons()[1].field, "base");
    }

    #[test]
    fn waits_are_read_as_the_service_means_them() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (status, headers, wait) in [
            (429, vec![("retry-after", "7")], Some(7)),
            (403, vec![("retry-after", "0")], Some(0)),
            (
                429,
                vec![date, ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")],
                Some(3),
            ),
            (
                429,
                vec![date, ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")],
                Some(0),
            ),
            (429, vec![("retry-after", "86400")], Some(86400)),
            (429, vec![("retry-after", "-1")], None),
            (429, vec![("retry-after", "soon")], None),
            (429, vec![], None),
            (
                403,
                vec![
                    date,
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "784111782"),
                ],
                Some(6),
            ),
        ] {
            let error = error(status, &headers, r#"{"message": "slow down"}"#);
            assert!(
                matches!(error, Error::Limited { .. }),
                "{headers:?}: {error}"
            );
            assert_eq!(error.wait(), wait.map(Duration::from_secs), "{headers:?}");
            assert!(error.is_transient() && !error.leaves_open());
        }
        let secondary = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        assert_eq!(error(403, &[], secondary).wait(), Some(SECONDARY));
    }

    #[test]
    fn forbidden_is_not_a_limit() {
        let headers = [
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1"),
        ];
        let error = error(403, &headers, r#"{"message": "Resource not accessible"}"#);
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }

    #[test]
    fn of_a_web_page_only_the_title_is_shown() {
        let page = "<!doctype html>\n<html><head><title>Sign\n in</title></head><body>x</body>";
        let error = error(502, &[], page);
        assert!(
            error.to_string().ends_with("answer: \"Sign in\""),
            "{error}"
        );
        assert!(error.leaves_open());
    }
}
