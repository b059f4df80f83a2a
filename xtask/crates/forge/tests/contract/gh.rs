//! gh, GitHub's own client, at work on the forge.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use xtask_testkit::{Account, Forge, Repository};

use crate::given;

struct Desk {
    forge: Forge,
    ada: Account,
    bob: Account,
    repo: Repository,
    folder: TempDir,
    sha: String,
}

/// A repository with a branch, cloned, whose remote is on github.com as gh wants it.
fn desk() -> Desk {
    let forge = Forge::start();
    let (ada, bob) = (forge.user("ada"), forge.user("bob"));
    let repo = forge.repository(&ada, "taxi");
    forge.permit(&repo, &bob, "write");
    let _ = forge.commit(&repo, &ada, "main", "README.md", "Taxis\n", "First");
    let sha = forge.commit(&repo, &bob, "feat", "a.txt", "a\n", "Add a");
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk {
        forge,
        ada,
        bob,
        repo,
        folder,
        sha,
    };
    let config = format!("http_unix_socket: {}\n", desk.forge.socket().display());
    std::fs::create_dir(desk.folder.path().join("gh")).expect("a folder");
    std::fs::write(desk.folder.path().join("gh/config.yml"), config).expect("a file");
    let url = desk.repo.clone_url.replace(
        "http://",
        &format!("http://x-access-token:{}@", desk.bob.token),
    );
    desk.git(
        desk.folder.path(),
        &["clone", "--quiet", "--branch", "feat", &url, "clone"],
    );
    desk.git(
        &desk.clone(),
        &[
            "remote",
            "set-url",
            "origin",
            "https://github.com/ada/taxi.git",
        ],
    );
    desk
}

impl Desk {
    fn clone(&self) -> std::path::PathBuf {
        self.folder.path().join("clone")
    }

    fn git(&self, folder: &Path, args: &[&str]) {
        let mut command = Command::new("git");
        command
            .current_dir(folder)
            .args(args)
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        let output = command.output().expect("git starts");
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs gh in the clone; exit code and what it printed.
    fn gh(&self, account: &Account, args: &[&str]) -> (i32, String) {
        let mut command = Command::new(given("XTASK_TEST_GH"));
        command.current_dir(self.clone()).args(args).env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path());
        command
            .env("GH_CONFIG_DIR", self.folder.path().join("gh"))
            .env("GH_TOKEN", &account.token);
        command
            .env("NO_COLOR", "1")
            .env("GH_PROMPT_DISABLED", "1")
            .env("GH_NO_UPDATE_NOTIFIER", "1");
        let output = command.output().expect("gh starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap_or(-1), text)
    }

    fn succeed(&self, account: &Account, args: &[&str]) -> String {
        let (code, text) = self.gh(account, args);
        assert_eq!(code, 0, "gh {args:?}: {text}");
        text
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.succeed(&self.bob, args)).expect("JSON")
    }
}

#[test]
#[ignore = "needs gh"]
fn it_creates_lists_views_checks_reviews_and_merges() {
    let desk = desk();
    let (ada, bob) = (&desk.ada, &desk.bob);
    assert_eq!(
        desk.succeed(bob, &["api", "user", "--jq", ".login"]).trim(),
        "bob"
    );
    let created = desk.succeed(
        bob,
        &[
            "pr", "create", "--title", "Add a", "--body", "Why", "--base", "main", "--head", "feat",
        ],
    );
    assert!(
        created.contains("https://github.com/ada/taxi/pull/1"),
        "{created}"
    );
    let (code, again) = desk.gh(
        bob,
        &[
            "pr", "create", "--title", "Add a", "--body", "Why", "--base", "main", "--head", "feat",
        ],
    );
    assert!(code == 1 && again.contains("already exists"), "{again}");
    let (code, none) = desk.gh(bob, &["pr", "checks", "1"]);
    assert!(code == 1 && none.contains("no checks reported"), "{none}");
    desk.forge.protect(&desk.repo, "main", &["test"], 1);
    let run = desk.forge.run(&desk.repo, &json!({"workflow": "CI", "head_sha": desk.sha, "jobs": [
        {"name": "test", "conclusion": "failure", "seconds": 5, "log": "2026-01-01T00:00:00.0000000Z assert 1 == 2\n",
         "steps": [{"name": "Run tests", "conclusion": "failure"}]},
        {"name": "lint", "conclusion": "success", "seconds": 2},
    ]}));
    let (code, checks) = desk.gh(bob, &["pr", "checks", "1"]);
    assert!(
        code == 1 && checks.contains("test\tfail\t5s\t") && checks.contains("lint\tpass\t2s\t"),
        "{checks}"
    );
    let (code, checks) = desk.gh(bob, &["pr", "checks", "1", "--required"]);
    assert!(
        code == 1 && checks.contains("test") && !checks.contains("lint"),
        "{checks}"
    );
    assert!(
        desk.succeed(bob, &["pr", "list"])
            .contains("1\tAdd a\tfeat\tOPEN")
    );
    let view = desk.succeed(bob, &["pr", "view", "1"]);
    assert!(
        view.contains("title:\tAdd a") && view.contains("additions:\t1"),
        "{view}"
    );
    assert!(
        desk.succeed(bob, &["pr", "status"])
            .contains("#1  Add a [feat]")
    );
    assert!(
        desk.succeed(bob, &["run", "view", &run.run.to_string()])
            .contains("X test in 5s")
    );
    assert!(desk.succeed(bob, &["pr", "diff", "1"]).contains("+a"));
    desk.succeed(bob, &["pr", "comment", "1", "--body", "Please look"]);
    desk.succeed(ada, &["pr", "review", "1", "--approve", "--body", "Good"]);
    let blocked = desk.json(&[
        "pr",
        "view",
        "1",
        "--json",
        "mergeStateStatus,reviewDecision,comments",
    ]);
    assert_eq!(
        (&blocked["mergeStateStatus"], &blocked["reviewDecision"]),
        (&json!("BLOCKED"), &json!("APPROVED"))
    );
    assert_eq!(blocked["comments"][0]["body"], "Please look");
    desk.succeed(bob, &["run", "rerun", &run.run.to_string(), "--failed"]);
    let jobs = desk
        .forge
        .rest(
            bob,
            "GET",
            &format!("/repos/ada/taxi/actions/runs/{}/jobs", run.run),
            &Value::Null,
        )
        .1;
    let test = jobs["jobs"]
        .as_array()
        .and_then(|jobs| jobs.iter().find(|job| job["name"] == "test"))
        .expect("the job");
    desk.forge.job(
        &desk.repo,
        test["id"].as_i64().expect("a number"),
        &json!({"conclusion": "success", "seconds": 4}),
    );
    let (code, checks) = desk.gh(bob, &["pr", "checks", "1"]);
    assert_eq!(code, 0, "{checks}");
    desk.succeed(bob, &["pr", "merge", "1", "--squash"]);
    assert_eq!(
        desk.json(&["pr", "view", "1", "--json", "state"])["state"],
        "MERGED"
    );
}
