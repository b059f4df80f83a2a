//! Commands that hooks of git call, with all that git sets for a hook. The hook then stops what git was about to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xtask_testkit::{Project, Said};

use super::kinds::{program, through};

/// Runs what `JOURNEY_COMMAND` says, and has git stop. git sends what a hook prints to standard error.
const HOOK: &str = "[ -n \"$JOURNEY_COMMAND\" ] || exit 0
env > \"$JOURNEY_SAID.env\"
cd \"$JOURNEY_FOLDER\" && sh -c \"$JOURNEY_COMMAND\" > \"$JOURNEY_SAID.out\" 2> \"$JOURNEY_SAID.err\"
echo $? > \"$JOURNEY_SAID.code\"
exit 1";

/// The repositories whose hooks call.
#[derive(Debug)]
pub(super) struct Hooks {
    clone: PathBuf,
    other: PathBuf,
    said: PathBuf,
    calls: usize,
}

impl Hooks {
    pub(super) fn new(project: &Project, folder: &Path) -> Hooks {
        let (other, central) = (folder.join("other"), folder.join("central.git"));
        let paths = [&other, &central].map(|path| path.display().to_string());
        project.git(&["init", "--quiet", &paths[0]]);
        project.git(&["init", "--quiet", "--bare", &paths[1]]);
        std::fs::write(other.join("kept.txt"), "as it was\n").unwrap();
        for args in [
            &["add", "--all"][..],
            &[
                "-c",
                "commit.gpgSign=false",
                "commit",
                "--quiet",
                "--no-verify",
                "--message",
                "Begin",
            ],
            &["remote", "add", "origin", &paths[1]],
            &["config", "user.email", "private@example.com"],
        ] {
            project.git(&[&["-C", &paths[0]], args].concat());
        }
        // Before that of the user's settings.
        project.git(&["-C", &paths[1], "config", "core.hooksPath", "hooks"]);
        let clone = project.root();
        for (repository, hook) in [
            (other.join(".git"), "pre-commit"),
            (clone.join(".git"), "pre-commit"),
            (central, "pre-receive"),
        ] {
            std::fs::create_dir_all(repository.join("hooks")).unwrap();
            program(&repository.join("hooks").join(hook), HOOK);
        }
        Hooks {
            clone,
            other,
            said: folder.join("said"),
            // The commit of the journey is made from a hook of the other repository.
            calls: 2,
        }
    }

    /// Runs a command from the next of the hooks.
    pub(super) fn run(&mut self, command: &Command) -> Said {
        let own_hooks = "core.hooksPath=.git/hooks";
        let commit = ["commit", "--quiet", "--message", "never", "--allow-empty"];
        let (folder, args, sets) = match self.calls % 3 {
            // With `--all` git keeps the next index in a file of its own.
            0 => (
                &self.other,
                [&["-c", own_hooks], &commit[..], &["--all"]].concat(),
                "GIT_INDEX_FILE",
            ),
            1 => (
                &self.other,
                vec!["push", "--quiet", "--no-verify", "origin", "HEAD:main"],
                "GIT_QUARANTINE_PATH",
            ),
            _ => (
                &self.clone,
                [&["-c", own_hooks], &commit[..]].concat(),
                "GIT_INDEX_FILE",
            ),
        };
        self.calls += 1;
        let before = files(&self.other);
        let file = |kind: &str| self.said.with_extension(kind);
        for kind in ["env", "out", "err", "code"] {
            let _ = std::fs::remove_file(file(kind));
        }
        let called = through(command, "git", &[]);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
        let mut git = Command::new("git");
        git.args(args).env_clear();
        git.envs(
            called
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("JOURNEY_COMMAND", words.join(" "))
        .env("JOURNEY_FOLDER", command.get_current_dir().unwrap())
        .env("JOURNEY_SAID", &self.said)
        .current_dir(folder)
        .stdin(Stdio::null());
        let stopped = git.output().unwrap();
        let read = |kind: &str| std::fs::read_to_string(file(kind)).unwrap_or_default();
        let said = Said {
            code: read("code").trim().parse().ok(),
            stdout: read("out"),
            stderr: read("err"),
        };
        let git_said = String::from_utf8_lossy(&stopped.stderr);
        assert!(said.code.is_some(), "no hook was called: {git_said}");
        assert!(
            read("env").contains(&format!("{sets}=")),
            "{sets} is not set by {args:?}",
            args = git.get_args()
        );
        assert_eq!(files(&self.other), before, "{words:?}");
        said
    }
}

/// What a repository holds: its refs and settings, what is changed, how many objects there are.
fn files(repository: &Path) -> String {
    let script = "git for-each-ref; git config --local --list; git status --porcelain; \
                  git count-objects; git stash list; git worktree list; ls";
    let mut sh = Command::new("sh");
    sh.args(["-c", script]).current_dir(repository);
    sh.env("GIT_CONFIG_GLOBAL", "/dev/null");
    String::from_utf8_lossy(&sh.output().unwrap().stdout).into_owned()
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
