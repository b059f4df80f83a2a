//! Patterns of secrets, as their vendors document them. Always checked, besides the scanner, which knows
//! many more but not all of Databricks'.

/// A kind of secret: its prefix, the characters after it, and their minimum number.
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

const fn is_dotted(character: char) -> bool {
    is_dashed(character) || character == '.'
}

const fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=')
}

const fn is_path(character: char) -> bool {
    is_dashed(character) || character == '/'
}

const FORMS: &[Form] = &[
    form("a Databricks token", "dapi", is_hex, 32),
    form("a Databricks token", "dkea", is_hex, 32),
    form("a Databricks token", "dsapi", is_hex, 32),
    form("a Databricks OAuth secret", "dose", is_hex, 32),
    form("a GitHub token", "ghp_", is_word, 36),
    form("a GitHub token", "gho_", is_word, 36),
    form("a GitHub token", "ghu_", is_word, 36),
    form("a GitHub token", "ghs_", is_word, 36),
    form("a GitHub token", "ghr_", is_word, 36),
    form("a GitHub token", "github_pat_", is_word, 40),
    form("a GitLab token", "glpat-", is_dotted, 20),
    form("a GitLab token", "gldt-", is_dashed, 20),
    form("a GitLab token", "glrt-", is_dotted, 20),
    form("an AWS access key", "AKIA", is_upper, 16),
    form("an AWS access key", "ASIA", is_upper, 16),
    form("an Azure storage key", "AccountKey=", is_base64, 86),
    form(
        "an Azure shared access key",
        "SharedAccessKey=",
        is_base64,
        43,
    ),
    form("a Slack token", "xoxb-", is_dashed, 20),
    form("a Slack token", "xoxp-", is_dashed, 20),
    form("a Slack token", "xoxa-", is_dashed, 20),
    form("a Slack token", "xoxr-", is_dashed, 20),
    form("a Slack token", "xapp-", is_dashed, 20),
    form("a Slack webhook", "hooks.slack.com/services/", is_path, 40),
    form(
        "a Discord webhook",
        "discord.com/api/webhooks/",
        is_path,
        60,
    ),
    form("a Google API key", "AIza", is_dashed, 35),
    form("a Google OAuth secret", "GOCSPX-", is_dashed, 28),
    form("a PyPI token", "pypi-", is_dashed, 60),
    form("an npm token", "npm_", is_word, 36),
    form("a Docker token", "dckr_pat_", is_dashed, 27),
    form("a Hugging Face token", "hf_", is_word, 30),
    form("an OpenAI key", "sk-proj-", is_dashed, 40),
    form("an OpenAI key", "sk-svcacct-", is_dashed, 40),
    form("an OpenAI key", "sk-admin-", is_dashed, 40),
    form("an Anthropic key", "sk-ant-", is_dashed, 40),
    form("a Stripe key", "sk_live_", is_word, 24),
    form("a Stripe key", "rk_live_", is_word, 24),
    form("a SendGrid key", "SG.", is_dotted, 60),
    form("a Vault token", "hvs.", is_dashed, 24),
    form("a Vault token", "hvb.", is_dashed, 24),
    form("an age key", "AGE-SECRET-KEY-1", is_upper, 58),
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

/// A kind of secret without a distinctive prefix.
type Other = (&'static str, fn(&str) -> bool);

/// The kind of secret that a line seems to contain.
pub(super) fn in_line(line: &str) -> Option<&'static str> {
    let form = FORMS.iter().find(|form| holds(line, form));
    if let Some(form) = form {
        return Some(form.name);
    }
    let others: [Other; 7] = [
        ("a private key", is_private_key),
        ("a JSON Web Token", is_jwt),
        ("an Azure client secret", is_azure_client_secret),
        (
            "an Azure shared access signature",
            is_shared_access_signature,
        ),
        ("a Terraform Cloud token", is_terraform_token),
        ("an AWS secret key", is_aws_secret),
        ("a password", |line| {
            is_url_with_password(line) || is_netrc(line)
        }),
    ];
    others
        .iter()
        .find(|(_, holds)| holds(line))
        .map(|(name, _)| *name)
}

fn holds(line: &str, form: &Form) -> bool {
    line.match_indices(form.start).any(|(at, start)| {
        // Inside a longer word it is something else.
        let before = line[..at].chars().next_back();
        let starts = before.is_none_or(|character| !character.is_ascii_alphanumeric());
        let follows = run(&line[at + start.len()..], form.follows);
        starts && follows.len() >= form.least && !is_filler(follows)
    })
}

/// The leading characters of a class.
fn run(text: &str, of: fn(char) -> bool) -> &str {
    let end = text.find(|character| !of(character));
    &text[..end.unwrap_or(text.len())]
}

/// A repeated character, as `xxxxxxxx` in an example.
fn is_filler(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| {
        matches!(first, 'x' | 'X' | '*' | '.' | '_') && characters.all(|next| next == first)
    })
}

fn is_private_key(line: &str) -> bool {
    line.contains("PuTTY-User-Key-File-")
        || line.split("-----BEGIN ").skip(1).any(|rest| {
            let kind = rest.split("-----").next().unwrap_or_default();
            kind.ends_with("PRIVATE KEY") || kind.ends_with("PRIVATE KEY BLOCK")
        })
}

/// Two base64 JSON parts and a signature.
fn is_jwt(line: &str) -> bool {
    line.match_indices("eyJ").any(|(at, _)| {
        let mut parts = run(&line[at..], is_dotted).split('.');
        let mut next = |start: &str, least: usize| {
            let part = parts.next().unwrap_or_default();
            part.len() >= least && part.starts_with(start)
        };
        next("eyJ", 16) && next("eyJ", 16) && next("", 20)
    })
}

/// Three characters, a digit, `Q~`, and about 30 more.
fn is_azure_client_secret(line: &str) -> bool {
    let of = |character: char| is_dotted(character) || character == '~';
    line.match_indices("Q~").any(|(at, _)| {
        let before: Vec<char> = line[..at].chars().rev().take(4).collect();
        let starts = before.len() == 4
            && before[0].is_ascii_digit()
            && before[1..].iter().all(|character| of(*character));
        starts
            && line[at + 2..]
                .chars()
                .take_while(|character| of(*character))
                .count()
                >= 31
    })
}

fn is_shared_access_signature(line: &str) -> bool {
    let of = |character: char| is_base64(character) || character == '%';
    let signed = line.match_indices("sig=").any(|(at, start)| {
        line[at + start.len()..]
            .chars()
            .take_while(|character| of(*character))
            .count()
            >= 43
    });
    signed
        && (line.contains("sv=") || line.contains("se=") || line.contains("SharedAccessSignature"))
}

fn is_terraform_token(line: &str) -> bool {
    line.match_indices(".atlasv1.").any(|(at, mark)| {
        let before = line[..at].chars().rev();
        before.take_while(char::is_ascii_alphanumeric).count() >= 14
            && run(&line[at + mark.len()..], is_dashed).len() >= 60
    })
}

/// `aws_secret_access_key = ` and forty characters, in whatever way they are assigned.
fn is_aws_secret(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    ["secret_access_key", "secretaccesskey", "aws_secret_key"]
        .iter()
        .any(|name| {
            lower.match_indices(name).any(|(at, name)| {
                let rest = &line[at + name.len()..];
                let value =
                    rest.trim_start_matches(|character: char| " \t\"'=:>,\\".contains(character));
                value.len() < rest.len() && run(value, is_base64).len() >= 40
            })
        })
}

/// `scheme://user:password@host` with a literal password.
fn is_url_with_password(line: &str) -> bool {
    line.match_indices("://").any(|(at, mark)| {
        let rest = &line[at + mark.len()..];
        let end = rest.find(|character: char| {
            character.is_whitespace() || "/?#\"'`<>(),;\\".contains(character)
        });
        let Some((login, host)) = rest[..end.unwrap_or(rest.len())].rsplit_once('@') else {
            return false;
        };
        let Some((user, password)) = login.split_once(':') else {
            return false;
        };
        !host.is_empty()
            && !user.contains(['{', '$'])
            && is_written_out(password)
            && user != password
    })
}

/// `machine HOST login USER password PASSWORD`, as in a netrc file.
fn is_netrc(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let starts = words
        .next()
        .is_some_and(|word| matches!(word, "machine" | "default"));
    let mut value = |name: &str| {
        words
            .by_ref()
            .skip_while(|word| *word != name)
            .nth(1)
            .map(str::to_owned)
    };
    starts
        && value("login").is_some()
        && value("password").is_some_and(|word| is_written_out(&word))
}

/// Whether it is a literal password and not a placeholder.
fn is_written_out(password: &str) -> bool {
    const WORDS: &[&str] = &[
        "password",
        "passwd",
        "pass",
        "secret",
        "token",
        "changeme",
        "example",
        "postgres",
        "your",
        "redacted",
        "dummy",
        "placeholder",
    ];
    let lower = password.to_ascii_lowercase();
    password.len() >= 8
        && !password.contains(['{', '}', '$', '<', '>', '*', '…', '[', ']'])
        && !password.contains("...")
        && !WORDS
            .iter()
            .any(|word| lower.starts_with(word) || lower.ends_with(word))
        && !password
            .chars()
            .all(|character| matches!(character, 'x' | 'X'))
}

#[cfg(test)]
mod tests;
