//! A clone of the second project with a branch, pushed to a forge, and a pull request for it.

use std::process::Command;

use serde_json::{Value, json};
use xtask_testkit::{Account, Forge, Project, Repository, Said};

/// The branch under test.
pub(crate) const BRANCH: &str = "cents";

/// What a test starts from.
pub(crate) struct World {
    pub(crate) forge: Forge,
    pub(crate) project: Project,
    pub(crate) ann: Account,
    pub(crate) repository: Repository,
}

impl World {
    /// A repository with `main`, and a clone of it with a branch of one commit that is pushed.
    pub(crate) fn new() -> World {
        let forge = Forge::start();
        let ann = forge.user("ann");
        let repository = forge.repository(&ann, "fares");
        let world = World {
            project: Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops")),
            forge,
            ann,
            repository,
        };
        let origin = world.repository.clone_url.clone();
        world.git(&["remote", "add", "origin", &origin]);
        world.push("main");
        world.git(&["switch", "--quiet", "--create", BRANCH]);
        world.commit("round fares");
        world.push(BRANCH);
        world
    }

    /// The same with a pull request; returns its number too.
    pub(crate) fn with_pull_request() -> (World, u64) {
        let world = World::new();
        let number = world.forge.pull_request(
            &world.repository,
            &world.ann,
            BRANCH,
            "Round fares to cents",
        );
        (world, number)
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "user.name=Ann",
            "-c",
            "user.email=ann@example.com",
            "-c",
            "credential.helper=",
        ]);
        // The token goes by the environment: it is in no argument.
        let helper =
            "credential.helper=!f() { echo username=x; echo \"password=$FORGE_TOKEN\"; }; f";
        command.args(["-c", helper]).args(args);
        command
            .current_dir(self.project.root())
            .env("HOME", self.project.home())
            .env("FORGE_TOKEN", &self.ann.token)
            .env("GIT_TERMINAL_PROMPT", "0");
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        let file = self.project.root().join("NOTES.md");
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::write(&file, format!("{before}{message}\n")).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.head()
    }

    pub(crate) fn push(&self, branch: &str) {
        self.git(&[
            "push",
            "--quiet",
            "--force",
            "--set-upstream",
            "origin",
            branch,
        ]);
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// `cargo xtask ARGS` with Ann's token.
    pub(crate) fn xtask(&self, args: &[&str]) -> Command {
        let mut command = self.project.xtask(args);
        command.env("GH_ENTERPRISE_TOKEN", &self.ann.token);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let said = Said::of(self.xtask(args));
        self.no_token_in(&said.stdout);
        self.no_token_in(&said.stderr);
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        said
    }

    /// What `status --json` prints.
    pub(crate) fn facts(&self) -> Value {
        let said = self.run(&["status", "--json"]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    pub(crate) fn no_token_in(&self, text: &str) {
        assert!(
            !text.contains(&self.ann.token),
            "the token is shown: {text}"
        );
    }

    /// Reports a failed job with a log.
    pub(crate) fn failed(&self, sha: &str, name: &str, log: &str) {
        let job = json!({"name": name, "conclusion": "failure", "seconds": 92, "log": log});
        let run =
            json!({"workflow": "Tests", "event": "pull_request", "head_sha": sha, "jobs": [job]});
        self.forge.run(&self.repository, &run);
    }
}

/// A log of the corpus.
pub(crate) fn log(name: &str) -> String {
    let path = format!("xtask/crates/mlops/tests/fixtures/check-logs/{name}.log");
    std::fs::read_to_string(xtask_testkit::repository().join(path)).unwrap()
}
