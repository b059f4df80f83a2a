//! Error messages of the Databricks CLI that determine the remedy.

/// Whether an API message means "not found".
pub(super) fn says_it_is_not_there(message: &str) -> bool {
    ["RESOURCE_DOES_NOT_EXIST", "doesn't exist", "does not exist"]
        .iter()
        .any(|words| message.contains(words))
}

/// Whether the CLI has no valid credentials.
pub(super) fn asks_to_sign_in(message: &str) -> bool {
    [
        "auth login",
        "cannot configure default credentials",
        "cannot get access token",
        "refresh token is invalid",
        "invalid_grant",
        "invalid_client",
        "HTTP Status: 401",
        "Invalid access token",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// Whether a resource could not be created because its name is taken.
pub(super) fn says_it_is_there_already(tail: &str) -> bool {
    tail.contains("cannot create resources.")
        && ["already exists", "ALREADY_EXISTS"]
            .iter()
            .any(|words| tail.contains(words))
}

/// The holder of the deployment lock, if the CLI failed because of it.
pub(super) fn holder_of_the_lock(tail: &str) -> Option<&str> {
    let (_, after) = tail.split_once("deploy lock acquired by ")?;
    let end = after
        .find(" at ")
        .or_else(|| after.find(char::is_whitespace));
    Some(&after[..end.unwrap_or(after.len())])
}

/// Whether the request certainly did not arrive.
pub(super) fn says_there_was_no_connection(message: &str) -> bool {
    ["dial tcp", "no such host", "connection refused", "x509:"]
        .iter()
        .any(|words| message.contains(words))
}

/// The CLI's last error, without its prefix and without warnings.
pub(super) fn last_words(tail: &str) -> String {
    let mut words = tail.lines().skip_while(|line| !line.starts_with("Error: "));
    let first = words.next().and_then(|line| line.strip_prefix("Error: "));
    let error = first.map(|first| {
        let all: Vec<&str> = std::iter::once(first).chain(words).collect();
        all.join("\n")
    });
    error.unwrap_or_else(|| tail.to_owned()).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_named() {
        let said = "Error: deploy lock acquired by a@b.c at 2026-11-30 07:30:00 +0000 UTC. Use --force-lock to override";
        assert_eq!(holder_of_the_lock(said), Some("a@b.c"));
        assert_eq!(
            holder_of_the_lock("Error: deploy lock acquired by 6a19"),
            Some("6a19")
        );
        assert_eq!(holder_of_the_lock("Error: no such field"), None);
    }

    #[test]
    fn the_last_words_are_those_of_the_service() {
        let tail = "Warn: something else\nError: Model x not found\nError: is a word";
        assert_eq!(last_words(tail), "Model x not found\nError: is a word");
        assert_eq!(last_words("nothing said"), "nothing said");
    }
}
