//! Lines that hold what looks like a secret. The forms are those that their makers document; what has no
//! form of its own (a password) is not found.

/// A kind of secret: how it starts, which characters follow, and at least how many.
struct Form {
    name: &'static str,
    start: &'static str,
    follows: fn(char) -> bool,
    least: usize,
}

const fn is_hex(character: char) -> bool {
    matches!(character, '0'..='9' | 'a'..='f')
}

const fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

const fn is_upper(character: char) -> bool {
    matches!(character, '0'..='9' | 'A'..='Z')
}

const fn is_dashed(character: char) -> bool {
    is_word(character) || character == '-'
}

const FORMS: &[Form] = &[
    form("a Databricks token", "dapi", is_hex, 32),
    form("a Databricks OAuth secret", "dose", is_hex, 32),
    form("a GitHub token", "ghp_", is_word, 36),
    form("a GitHub token", "gho_", is_word, 36),
    form("a GitHub token", "ghu_", is_word, 36),
    form("a GitHub token", "ghs_", is_word, 36),
    form("a GitHub token", "github_pat_", is_word, 40),
    form("an AWS access key", "AKIA", is_upper, 16),
    form("an AWS access key", "ASIA", is_upper, 16),
    form("a Slack token", "xoxb-", is_dashed, 20),
    form("a Slack token", "xoxp-", is_dashed, 20),
    form("a Google API key", "AIza", is_dashed, 35),
    form("a PyPI token", "pypi-", is_dashed, 60),
    form("a Hugging Face token", "hf_", is_word, 30),
    form("an OpenAI key", "sk-proj-", is_dashed, 40),
];

const fn form(
    name: &'static str,
    start: &'static str,
    follows: fn(char) -> bool,
    least: usize,
) -> Form {
    Form {
        name,
        start,
        follows,
        least,
    }
}

/// What a line seems to hold; `None` for nothing of the kind.
pub(super) fn in_line(line: &str) -> Option<&'static str> {
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    FORMS
        .iter()
        .find(|form| holds(line, form))
        .map(|form| form.name)
}

fn holds(line: &str, form: &Form) -> bool {
    line.match_indices(form.start).any(|(at, start)| {
        // Within a longer word it is part of something else.
        let before = line[..at].chars().next_back();
        let starts = before.is_none_or(|character| !character.is_ascii_alphanumeric());
        let length = line[at + start.len()..]
            .chars()
            .take_while(|character| (form.follows)(*character))
            .count();
        starts && length >= form.least
    })
}

#[cfg(test)]
mod tests {
    use super::in_line;

    #[test]
    fn secrets_are_told_from_what_looks_alike() {
        let hex = "0123456789abcdef".repeat(2);
        assert_eq!(
            in_line(&format!("token = \"dapi{hex}\"")),
            Some("a Databricks token")
        );
        assert_eq!(
            in_line(&format!("x: ghp_{}", "a".repeat(36))),
            Some("a GitHub token")
        );
        assert_eq!(in_line("AKIAIOSFODNN7EXAMPLE"), Some("an AWS access key"));
        // In two pieces, so that this file holds no such line.
        let key = format!("-----BEGIN RSA {}-----", "PRIVATE KEY");
        assert_eq!(in_line(&key), Some("a private key"));
        for harmless in [
            "dapi",
            "the prefix dapi is followed by 32 digits",
            "ghp_short",
            "xdapi0123456789abcdef0123456789abcdef",
            "hf_hub_download(repo_id, filename)",
            "",
        ] {
            assert_eq!(in_line(harmless), None, "{harmless}");
        }
    }
}
