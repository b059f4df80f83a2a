//! A rehearsal and a live target of the other bundle, each deployed to a local workspace of its own behind a proxy
//! that can do harm. They are deployed once for all tests; each test has them for itself, and finds them empty.

mod end;
mod training;

use std::ops::Deref;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xtask_testkit::{Project, Said};

pub(crate) use end::{End, Place};
pub(crate) use training::{Made, Training};

/// The target that versions come from, the one that they go to, and that one's profile.
pub(crate) const FROM: &str = "preprod";
pub(crate) const TO: &str = "live";
const VAULT: &str = "vault";

static WORLD: Mutex<Option<World>> = Mutex::new(None);

/// The two ends, and a clone from which one promotes.
pub(crate) struct World {
    /// The clone; both of its workspaces are behind proxies.
    pub(crate) project: Project,
    /// Where versions are trained.
    pub(crate) from: End,
    /// Where they go.
    pub(crate) to: End,
    /// The commit that is deployed to both.
    pub(crate) commit: String,
    _undertaker: Undertaker,
}

/// The world while one test has it.
pub(crate) struct Alone(MutexGuard<'static, Option<World>>);

impl Deref for Alone {
    type Target = World;

    fn deref(&self) -> &World {
        self.0.as_ref().unwrap()
    }
}

impl World {
    /// The world, for one test at a time: without versions, without locks, and with proxies that do no harm.
    pub(crate) fn alone() -> Alone {
        // A test that failed while it had the world leaves nothing in it that `clear` does not take away.
        let mut world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
        world.get_or_insert_with(World::deployed).clear();
        Alone(world)
    }

    /// `cargo xtask promote --from … --to … ARGS`.
    pub(crate) fn promote(&self, args: &[&str]) -> Said {
        Said::of(self.promotion(args))
    }

    /// The same, to be started.
    pub(crate) fn promotion(&self, args: &[&str]) -> Command {
        let ends = ["promote", "--from", FROM, "--to", TO];
        self.project.xtask(&[&ends, args].concat())
    }

    /// Takes all versions, locks and rules away; a promotion that is at work must have ended.
    pub(crate) fn clear(&self) {
        for end in [&self.from, &self.to] {
            end.clear();
        }
        let journals = self.project.root().join(".xtask/promotions");
        let _ = std::fs::remove_dir_all(journals);
    }

    /// Another clone, for which the destination is a workspace that it knows by its address alone.
    pub(crate) fn seen_from_afar(&self) -> Project {
        let project = project();
        let host = format!("host: {}", self.to.workspace.url());
        project.edit("databricks.yml", &format!("profile: {VAULT}"), &host);
        let (url, token) = (self.from.proxy.url(), self.from.workspace.token());
        project.at(".xtask/workspace", &url, token);
        project
    }

    fn deployed() -> World {
        let project = project();
        let (mut from, mut to) = (End::new(FROM), End::new(TO));
        let places = [
            (".xtask/workspace", &from),
            (".xtask/workspaces/vault", &to),
        ];
        for (state, end) in places {
            project.at(state, &end.proxy.url(), end.workspace.token());
        }
        for target in [FROM, TO] {
            let _ = project.succeed(&["deploy", "--target", target, "--yes"]);
        }
        from.find();
        to.find();
        World {
            _undertaker: Undertaker::of(&[&from, &to], &project),
            commit: project.git(&["rev-parse", "HEAD"]),
            project,
            from,
            to,
        }
    }
}

fn project() -> Project {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let first = "profile = \"mlops-local\"";
    let way = format!(
        "{first}\nothers = [\"{VAULT}\"]\n\n[targets.{FROM}]\npromotes-to = \"{TO}\"\n\n[targets.{TO}]"
    );
    project.edit("xtask.toml", first, &way);
    let bundle = project.root().join("databricks.yml");
    let yaml = std::fs::read_to_string(&bundle).unwrap();
    let start = format!("  {TO}:\n");
    let (before, after) = yaml.split_once(&start).unwrap();
    let after = after.replacen("mlops-local", VAULT, 1);
    std::fs::write(bundle, format!("{before}{start}{after}")).unwrap();
    project.git(&["commit", "--quiet", "--all", "--message", "Two places"]);
    project
}

/// Statics are never dropped: they must be cleaned up after all tests, however they ended. A shell
/// waits for the end of its input, which comes with the end of this process.
struct Undertaker(
    #[expect(dead_code, reason = "its input stays open as long as it is held")] Child,
);

impl Undertaker {
    fn of(ends: &[&End], project: &Project) -> Undertaker {
        const SCRIPT: &str = "pids=$1; shift; read -r line; kill $pids; \
             for second in 1 2 3 4 5 6 7 8 9; do kill -0 $pids 2>/dev/null || break; sleep 1; done; rm -rf \"$@\"";
        let pids: Vec<String> = ends
            .iter()
            .map(|end| end.workspace.pid().to_string())
            .collect();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "undertaker", &pids.join(" ")]);
        command.args(ends.iter().map(|end| end.workspace.state().join("..")));
        command.arg(project.root().join(".."));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // Away from the terminal's Ctrl-C, which ends the tests.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Undertaker(command.spawn().unwrap())
    }
}
