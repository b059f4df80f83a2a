//! The journey: a change is tested and tried on a target of one's own, goes through a pull request, its code is
//! deployed and its model promoted, and that is taken back.

use serde_json::{Value, json};
use xtask_testkit::{Project, Said};

use crate::open_pr::world::{NOTEBOOK, World};
use crate::promote::world::{Place, Training};

use super::kinds::{self, Surrounding};

/// The folder of the project and the home, whose name programs like to misread.
const FOLDER: &str = "Jörg Groß & Söhne #1 ";
const BRANCH: &str = "careful";
/// The targets: one's own, the one of tests, the one that main feeds, and production.
const OWN: &str = "sandbox";
const TEST: &str = "check";
const STAGING: &str = "preprod";
const LIVE: &str = "live";
const TARGETS: &str = "\n[targets.preprod]\nbranch = \"main\"\npromotes-to = \"live\"\n\n[targets.live]\nbranch = \"main\"\n";

/// A unit test that works with a repository of its own, as a hook's variables would not let it.
const UNIT_TEST: &str = "import subprocess


def test_a_repository_of_its_own(tmp_path):
    def git(*args):
        command = ['git', '-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false', *args]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git('init', '--quiet', '.')
    git('-c', 'core.hooksPath=/dev/null', 'commit', '--quiet', '--allow-empty', '--message', 'alone')
    assert git('rev-list', '--count', 'HEAD').strip() == '1'
";

struct Journey {
    world: World,
    place: kinds::Place,
    all: Vec<Surrounding>,
}

/// Goes on the journey; it ends as it does in no surroundings at all.
pub(super) fn in_surroundings(all: &[Surrounding]) {
    let xtask = env!("CARGO_BIN_EXE_xtask-mlops");
    let world = World::of(Project::of_fixture_below(FOLDER, "other-bundle", xtask));
    let settings = std::fs::read_to_string(world.project.root().join("xtask.toml")).unwrap();
    world.write("xtask.toml", (settings + TARGETS).as_bytes());
    world.write("checks/test_churn.py", UNIT_TEST.as_bytes());
    in_one_task(&world.project);
    world.commit("Say what feeds which target");
    world.push_as(&world.owner, "origin", "main");
    world.git_as(&world.owner, &["fetch", "--quiet", "origin"]);
    let place = kinds::Place::new(all, &world.project);
    let mut journey = Journey {
        world,
        place,
        all: all.to_vec(),
    };
    journey.on_the_laptop();
    journey.through_a_pull_request();
    journey.promoted_and_taken_back();
}

/// One notebook trains and publishes: what it does is not the question here, and each takes seconds.
fn in_one_task(project: &Project) {
    let bundle = project.root().join("resources/churn.yml");
    let text = std::fs::read_to_string(&bundle).unwrap();
    let (before, rest) = text.split_once("        - task_key: Judge\n").unwrap();
    let (_, after) = rest.split_once("../src/publish.py\n").unwrap();
    std::fs::write(&bundle, format!("{before}{after}")).unwrap();
    project.edit("xtask.toml", "\"Judge\"", "\"Fit\"");
    let published = "churn.publish(dbutils.widgets.get(\"registered_as\"), fitted[\"version\"])";
    let last = "dbutils.notebook.exit";
    project.edit("src/fit.py", last, &format!("{published}\n{last}"));
}

impl Journey {
    fn run(&mut self, args: &[&str]) -> Said {
        let said = self.place.run(self.world.xtask(args));
        let all = &self.all;
        assert_eq!(
            said.code,
            Some(0),
            "{args:?} in {all:?}: {}{}",
            said.stdout,
            said.stderr
        );
        said
    }

    /// The object that a command prints.
    fn told(&mut self, args: &[&str]) -> Value {
        let said = self.run(&[args, &["--json"]].concat());
        let parsed = serde_json::from_str(&said.stdout);
        parsed.unwrap_or_else(|error| panic!("{args:?}: {error}: {}", said.stdout))
    }

    fn on_the_laptop(&mut self) {
        self.world
            .git(&["switch", "--quiet", "--create", BRANCH, "origin/main"]);
        self.world.change(BRANCH);
        let tested = self.told(&["test"]);
        assert_eq!(
            (&tested["verdict"], &tested["unit"]["passed"]),
            (&json!("passed"), &json!(1)),
            "{tested}"
        );
        assert_eq!(tested["integration"]["model"]["version"], 1, "{tested}");
        let _ = self.run(&["run", "score_churn", "--target", TEST]);
        let _ = self.run(&["deploy", "--target", OWN, "--yes"]);
        let logs = self.run(&["logs"]);
        assert!(!logs.stderr.contains("panicked"), "{}", logs.stderr);
    }

    fn through_a_pull_request(&mut self) {
        let bob = self.world.forge.user("bob");
        let repository = self.world.repository.clone();
        self.world.forge.permit(&repository, &bob, "write");
        self.world.forge.protect(&repository, "main", &["unit"], 1);
        let main = self.world.remote_head("main");
        let open = ["open-pr", "--yes", "--no-wait", "--no-test"];
        let opened = self.told(&[&open[..], &["--commit", "Fit with more care"]].concat());
        assert_eq!(opened["branch"], BRANCH, "{opened}");
        let sha = opened["commit"].as_str().unwrap();
        assert_eq!(self.world.remote_head(BRANCH).as_deref(), Some(sha));
        assert_eq!(self.world.remote_head("main"), main);
        let listed = [
            "show",
            "--format=%p",
            "--no-show-signature",
            "--no-ext-diff",
        ];
        let changed = self
            .world
            .git(&[&listed[..], &["--no-relative", "--name-only", sha]].concat());
        assert_eq!(changed.lines().last(), Some(NOTEBOOK), "{changed}");
        let author = ["log", "--no-show-signature", "-1", "--format=%ae", sha];
        assert_eq!(self.world.git(&author), "tester@example.com");

        let facts = self.told(&["status"]);
        assert_eq!(facts["github"]["pull_request"]["number"], 1, "{facts}");
        let environments = facts["environments"].as_array().unwrap();
        let deployed = |target: &str| {
            let of = environments.iter().find(|one| one["target"] == target);
            of.unwrap()["deployed"].clone()
        };
        assert_eq!(deployed(TEST), true, "{facts}");
        assert_eq!(deployed(OWN), true, "{facts}");
        assert_eq!(deployed(LIVE), false, "{facts}");

        self.world
            .forge
            .checks(&repository, sha, &[("unit", "success")]);
        self.world
            .forge
            .review(&repository, 1, &bob, "APPROVE", "fine");
        let merged = self.told(&["merge", "--yes"]);
        assert_eq!(
            (&merged["outcome"], &merged["head"]),
            (&json!("merged"), &json!(sha)),
            "{merged}"
        );
    }

    fn promoted_and_taken_back(&mut self) {
        let fetch = ["fetch", "--quiet", "origin"];
        self.world.git_as(&self.world.owner, &fetch);
        self.world.git(&["switch", "--quiet", "main"]);
        self.world
            .git(&["reset", "--quiet", "--hard", "origin/main"]);
        for target in [STAGING, LIVE] {
            let _ = self.run(&["deploy", "--target", target, "--yes"]);
        }
        // A version that needs no minute of training.
        let staging = self.deployed(STAGING);
        let commit = self.world.git(&["rev-parse", "HEAD"]);
        let made = staging.train(&commit, &Training::default());
        let live = self.deployed(LIVE);
        let promote = ["promote", "--from", STAGING, "--to", LIVE, "--yes"];
        let promoted = self.told(&promote);
        assert_eq!(promoted["digest"], made.digest.as_str(), "{promoted}");
        assert_eq!(live.champion(), promoted["promoted"].as_u64());
        let _ = self.run(&["promote", "--to", LIVE, "--undo", "--yes"]);
        assert_eq!(live.champion(), None);
        let _ = self.run(&["destroy", "--target", OWN, "--yes"]);
        let _ = self.run(&["workspace", "down"]);
    }

    fn deployed(&self, target: &'static str) -> Place {
        let folder = self.world.project.root().join(".xtask/workspace");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let server: Value = serde_json::from_str(&read("server.json")).unwrap();
        let url = server["url"].as_str().unwrap();
        let mut place = Place::new(target, url, read("token").trim());
        place.find();
        place
    }
}
