//! Lines with and without what looks like a secret.

use super::in_line;

/// Characters that look random and are the same in every run.
fn noise(length: usize, of: &str) -> String {
    let of: Vec<char> = of.chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            of[(state % of.len() as u64) as usize]
        })
        .collect()
}

const HEX: &str = "0123456789abcdef";
const WORD: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Each is put together here, so that this file holds no such line.
#[test]
fn the_forms_of_many_makers_are_found() {
    let starts: &[(&str, usize, &str, &str)] = &[
        ("dapi", 32, HEX, "a Databricks token"),
        ("dkea", 32, HEX, "a Databricks token"),
        ("dsapi", 32, HEX, "a Databricks token"),
        ("dose", 32, HEX, "a Databricks OAuth secret"),
        ("ghp_", 36, WORD, "a GitHub token"),
        ("gho_", 36, WORD, "a GitHub token"),
        ("ghu_", 36, WORD, "a GitHub token"),
        ("ghs_", 36, WORD, "a GitHub token"),
        ("ghr_", 36, WORD, "a GitHub token"),
        ("github_pat_", 82, WORD, "a GitHub token"),
        ("glpat-", 20, WORD, "a GitLab token"),
        ("AKIA", 16, UPPER, "an AWS access key"),
        ("ASIA", 16, UPPER, "an AWS access key"),
        ("aws_secret_access_key = ", 40, WORD, "an AWS secret key"),
        ("\"SecretAccessKey\": \"", 40, WORD, "an AWS secret key"),
        (
            "AccountName=a;AccountKey=",
            86,
            WORD,
            "an Azure storage key",
        ),
        ("abc8Q~", 34, WORD, "an Azure client secret"),
        (
            "https://a.blob.core.windows.net/c?sv=2023-11-03&sig=",
            44,
            WORD,
            "an Azure shared access signature",
        ),
        ("xoxb-", 40, WORD, "a Slack token"),
        ("xoxp-", 60, WORD, "a Slack token"),
        ("xapp-1-", 60, WORD, "a Slack token"),
        (
            "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/",
            24,
            WORD,
            "a Slack webhook",
        ),
        (
            "https://discord.com/api/webhooks/123456789012345678/",
            68,
            WORD,
            "a Discord webhook",
        ),
        ("sk-ant-api03-", 93, WORD, "an Anthropic key"),
        ("sk-proj-", 74, WORD, "an OpenAI key"),
        ("sk-svcacct-", 74, WORD, "an OpenAI key"),
        ("npm_", 36, WORD, "an npm token"),
        ("dckr_pat_", 27, WORD, "a Docker token"),
        ("sk_live_", 24, WORD, "a Stripe key"),
        ("rk_live_", 24, WORD, "a Stripe key"),
        ("GOCSPX-", 28, WORD, "a Google OAuth secret"),
        ("AIza", 35, WORD, "a Google API key"),
        ("AGE-SECRET-KEY-1", 58, UPPER, "an age key"),
        ("hvs.", 90, WORD, "a Vault token"),
        ("hf_", 34, WORD, "a Hugging Face token"),
        ("pypi-AgEIcHlwaS5vcmc", 80, WORD, "a PyPI token"),
        ("SG.", 66, WORD, "a SendGrid key"),
        ("PuTTY-User-Key-File-", 1, "3", "a private key"),
    ];
    let mut lines: Vec<(String, &str)> = starts
        .iter()
        .map(|(start, length, of, name)| (format!("{start}{}", noise(*length, of)), *name))
        .collect();
    for kind in ["RSA ", "OPENSSH ", "EC ", "ENCRYPTED ", ""] {
        lines.push((
            format!("-----BEGIN {kind}{}-----", "PRIVATE KEY"),
            "a private key",
        ));
    }
    let pgp = format!("-----BEGIN PGP {} BLOCK-----", "PRIVATE KEY");
    let json = format!("\"private_key\": \"-----BEGIN {}-----\\nMII", "PRIVATE KEY");
    let part = |length| format!("{}{}", "eyJ", noise(length, WORD));
    let jwt = format!("{}.{}.{}", part(20), part(40), noise(43, WORD));
    let terraform = format!("{}.atlasv1.{}", noise(14, WORD), noise(64, WORD));
    let password = noise(14, WORD);
    lines.extend([
        (pgp, "a private key"),
        (json, "a private key"),
        (jwt, "a JSON Web Token"),
        (terraform, "a Terraform Cloud token"),
        (
            format!("machine h login ann password {password}"),
            "a password",
        ),
        (
            format!("url = 'postgres://ann:{password}@db/rides'"),
            "a password",
        ),
        (
            format!("git clone https://ann:{password}@git.acme.com/x"),
            "a password",
        ),
    ]);
    assert!(lines.len() >= 50, "{}", lines.len());
    for (line, name) in &lines {
        assert_eq!(in_line(line), Some(*name), "{line}");
        let assigned = format!("    x = \"{line}\"  # a comment");
        if !line.starts_with("machine") {
            assert_eq!(in_line(&assigned), Some(*name), "{assigned}");
        }
    }
}

#[test]
fn what_looks_alike_is_no_secret() {
    let digest = noise(64, HEX);
    let picture = noise(400, WORD);
    for harmless in [
        "dapi",
        "the prefix dapi is followed by 32 digits",
        "ghp_short",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "xdapi0123456789abcdef0123456789abcdef",
        "hf_hub_download(repo_id, filename)",
        "postgres://user:password@localhost/db",
        "https://$USER:$PASSWORD@example.com",
        "https://{user}:{password}@example.com",
        "http://x:***@host",
        "at https://docs.example.com/a:b@c",
        "https://host:8080/path@v1.2.3",
        "machine learning: login with a password",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "aws_secret_access_key = os.environ[\"AWS_SECRET_ACCESS_KEY\"]",
        "sig=1",
        "",
        &format!("sha256:{digest}"),
        &format!("\"image/png\": \"iVBORw0KGgo{picture}\""),
    ] {
        assert_eq!(in_line(harmless), None, "{harmless}");
    }
}
