//! A clone whose main branch feeds one target and whose branch `stable` is to feed the next.

use std::process::Command;

use serde_json::{Value, json};
use xtask_testkit::{Account, Said};

use crate::open_pr::world::World;

/// The branch that feeds the target that code is promoted to.
pub(super) const STABLE: &str = "stable";
/// The branch with main's files as they are.
pub(super) const OURS: &str = "promote-main-to-stable";

const TARGETS: &str = "
[targets.preprod]
branch = \"main\"
promotes-to = \"live\"

[targets.live]
branch = \"stable\"
workflow = \"ship.yml\"
";

/// The workflow that deploys it.
pub(super) const WORKFLOW: &str = ".github/workflows/ship.yml";

/// The clone, the forge, and a reviewer.
pub(super) struct Place {
    pub(super) world: World,
    pub(super) bob: Account,
}

impl Place {
    /// Before the first release.
    pub(super) fn new() -> Place {
        let world = World::on_main();
        let toml = std::fs::read_to_string(world.project.root().join("xtask.toml")).unwrap();
        world.write("xtask.toml", (toml + TARGETS).as_bytes());
        world.commit("Say what feeds which target");
        world.push_as(&world.owner, "origin", "main");
        let bob = world.forge.user("bob");
        world.forge.permit(&world.repository, &bob, "write");
        Place { world, bob }
    }

    /// With a first release.
    pub(super) fn released() -> Place {
        let place = Place::new();
        let opened = place.promote(&[]);
        place.merge(number(&opened));
        place
    }

    /// `promote --code` and more, as a command.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        self.world
            .xtask(&[&["promote", "--code", "--no-wait"], args].concat())
    }

    pub(super) fn run(&self, args: &[&str]) -> Said {
        Said::of(self.command(args))
    }

    /// `promote --code --yes --json` and more; the object that it prints.
    #[track_caller]
    pub(super) fn promote(&self, args: &[&str]) -> Value {
        let said = self.run(&[&["--yes", "--json"], args].concat());
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    /// The same, expected to fail with an exit code; what it said.
    #[track_caller]
    pub(super) fn fails(&self, code: i32, args: &[&str]) -> String {
        let said = self.run(&[&["--yes"], args].concat());
        assert_eq!(said.code, Some(code), "{}", said.stderr);
        assert!(said.stderr.contains("error: "), "{}", said.stderr);
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        said.stderr
    }

    /// Another user's merged pull request into main; its number.
    pub(super) fn land(&self, title: &str, path: &str, content: &str) -> u64 {
        let World {
            forge, repository, ..
        } = &self.world;
        let branch = format!("work-{}", path.replace(['/', '.'], "-"));
        let main = self.head("main").unwrap();
        let name = format!("refs/heads/{branch}");
        let refs = format!("/repos/{}/git/refs", repository.full_name);
        let body = json!({"ref": name, "sha": main});
        let (status, reply) = forge.rest(&self.world.owner, "POST", &refs, &body);
        assert_eq!(status, 201, "{reply}");
        let _ = forge.commit(repository, &self.bob, &branch, path, content, title);
        let number = forge.pull_request(repository, &self.bob, &branch, title);
        self.merge(number);
        let path = format!("{refs}/heads/{branch}");
        let (status, _) = forge.rest(&self.world.owner, "DELETE", &path, &Value::Null);
        assert_eq!(status, 204);
        number
    }

    /// A commit right on a branch.
    pub(super) fn commit(&self, branch: &str, path: &str, content: &str, message: &str) -> String {
        let World {
            forge, repository, ..
        } = &self.world;
        forge.commit(
            repository,
            &self.world.owner,
            branch,
            path,
            content,
            message,
        )
    }

    /// Merges a pull request on its page, by a merge commit; the commit.
    #[track_caller]
    pub(super) fn merge(&self, number: u64) -> String {
        self.merge_by(number, "merge")
    }

    #[track_caller]
    pub(super) fn merge_by(&self, number: u64, method: &str) -> String {
        let path = format!(
            "/repos/{}/pulls/{number}/merge",
            self.world.repository.full_name
        );
        let body = json!({"merge_method": method});
        let (status, reply) = self
            .world
            .forge
            .rest(&self.world.owner, "PUT", &path, &body);
        assert_eq!(status, 200, "{reply}");
        reply["sha"].as_str().unwrap().to_owned()
    }

    pub(super) fn approve(&self, number: u64) {
        let World {
            forge, repository, ..
        } = &self.world;
        forge.review(repository, number, &self.bob, "APPROVE", "fine");
    }

    pub(super) fn head(&self, branch: &str) -> Option<String> {
        self.world.remote_head(branch)
    }

    /// The files of a branch, as one hash.
    #[track_caller]
    pub(super) fn tree(&self, branch: &str) -> String {
        let refspec = format!("refs/heads/{branch}");
        self.world
            .git_as(&self.world.owner, &["fetch", "--quiet", "origin", &refspec]);
        self.world.git(&["rev-parse", "FETCH_HEAD^{tree}"])
    }

    /// Whether a branch has a file.
    pub(super) fn has(&self, branch: &str, path: &str) -> bool {
        self.tree(branch);
        let listed = self
            .world
            .git(&["ls-tree", "--name-only", "FETCH_HEAD", path]);
        !listed.is_empty()
    }

    /// The pull requests into `stable`, newest first.
    pub(super) fn pulls(&self) -> Vec<Value> {
        let mut all = self.world.pulls();
        all.retain(|pull| pull["base"]["ref"] == STABLE);
        all
    }

    pub(super) fn open(&self) -> Vec<Value> {
        let mut all = self.pulls();
        all.retain(|pull| pull["state"] == "open");
        all
    }
}

/// The number of the pull request in an answer.
#[track_caller]
pub(super) fn number(answer: &Value) -> u64 {
    answer["pull"]["number"]
        .as_u64()
        .unwrap_or_else(|| panic!("no pull request: {answer}"))
}
