//! A clone of a repository on a local GitHub, with a branch that changes a notebook.

use std::process::Command;

use serde_json::Value;
use xtask_testkit::{Account, Forge, Project, Repository, Said};

/// The notebook that the branch changes.
pub(crate) const NOTEBOOK: &str = "src/fit.py";
/// The subject of its commit.
pub(crate) const SUBJECT: &str = "Fit with more care";
/// The branch.
pub(crate) const BRANCH: &str = "more-care";

/// The forge, who works there, and the clone.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) forge: Forge,
    pub(crate) owner: Account,
    pub(crate) repository: Repository,
    pub(crate) project: Project,
    /// Whose token the commands get.
    pub(crate) me: Account,
}

impl World {
    /// The clone on its branch, with one commit that is not pushed; its owner sits at it.
    pub(crate) fn new() -> World {
        let world = World::on_main();
        world.change("with more care");
        world.git(&["switch", "--quiet", "--create", BRANCH]);
        world.git(&[
            "commit",
            "--quiet",
            "--all",
            "--message",
            SUBJECT,
            "--message",
            "It was careless.",
        ]);
        world
    }

    /// The clone on main, which is pushed.
    pub(crate) fn on_main() -> World {
        let xtask = env!("CARGO_BIN_EXE_xtask-mlops");
        World::of(Project::of_fixture("other-bundle", xtask))
    }

    /// The same with a project as the clone.
    pub(crate) fn of(project: Project) -> World {
        let forge = Forge::start();
        let owner = forge.user("ann");
        let repository = forge.repository(&owner, "churn");
        let world = World {
            me: owner.clone(),
            forge,
            owner,
            repository,
            project,
        };
        world.git(&["config", "user.name", "A Tester"]);
        world.git(&["config", "user.email", "tester@example.com"]);
        world.git(&["remote", "add", "origin", &world.repository.clone_url]);
        world.push_as(&world.owner, "origin", "main");
        world
    }

    /// Changes the notebook; not committed.
    pub(crate) fn change(&self, what: &str) {
        let mark = "# COMMAND ----------";
        let path = self.project.root().join(NOTEBOOK);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(
            &path,
            text.replacen(mark, &format!("# {what}\n\n{mark}"), 1),
        )
        .unwrap();
    }

    /// Writes a file of the project; not committed.
    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let path = self.project.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.project.git(args)
    }

    /// git, signed in as a user.
    pub(crate) fn git_as(&self, account: &Account, args: &[&str]) -> String {
        let helper = format!(
            "credential.helper=!f() {{ echo username=x; echo password={}; }}; f",
            account.token
        );
        self.git(&[&["-c", &helper], args].concat())
    }

    /// Pushes as a user.
    pub(crate) fn push_as(&self, account: &Account, remote: &str, branch: &str) {
        self.git_as(account, &["push", "--quiet", remote, branch]);
    }

    /// `cargo xtask ARGS` with my token in the environment.
    pub(crate) fn xtask(&self, args: &[&str]) -> Command {
        let mut command = self.project.xtask(args);
        command.env("GH_ENTERPRISE_TOKEN", &self.me.token);
        // A scanner that was fetched is used; none is fetched for each test.
        command.env("XTASK_OFFLINE", "1");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::of(self.xtask(args))
    }

    /// `open-pr --yes --no-wait --json` and more; the object that it prints.
    #[track_caller]
    pub(crate) fn open(&self, args: &[&str]) -> Value {
        let all = [&["open-pr", "--yes", "--no-wait", "--json"], args].concat();
        let said = self.run(&all);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    /// The same, expected to fail with an exit code; what it said.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, args: &[&str]) -> String {
        let all = [&["open-pr", "--yes", "--no-wait"], args].concat();
        let said = self.run(&all);
        assert_eq!(said.code, Some(code), "{}", said.stderr);
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        said.stderr
    }

    /// The pull requests of the repository, newest first.
    pub(crate) fn pulls(&self) -> Vec<Value> {
        let path = format!(
            "/repos/{}/pulls?state=all&per_page=100",
            self.repository.full_name
        );
        let (status, reply) = self.forge.rest(&self.owner, "GET", &path, &Value::Null);
        assert_eq!(status, 200, "{reply}");
        reply.as_array().unwrap().clone()
    }

    /// Where a branch of a remote is, as the remote says.
    pub(crate) fn remote_head(&self, branch: &str) -> Option<String> {
        let listed = self.git_as(
            &self.owner,
            &["ls-remote", "origin", &format!("refs/heads/{branch}")],
        );
        listed
            .split('\t')
            .next()
            .filter(|sha| !sha.is_empty())
            .map(str::to_owned)
    }
}
