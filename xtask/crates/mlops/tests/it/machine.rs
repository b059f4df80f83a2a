//! A machine to run xtask on: a home with a `~/.databrickscfg`, a PATH with only what the test puts there, a project.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use xtask_testkit::{OtherWorkspaces, hermetic};

/// What a uv does that has everything in its cache: makes an environment with an interpreter.
pub(crate) const UV: &str = r#"
case "$1" in
  --version) echo "uv 0.13.9" ;;
  sync) case "$*" in *--only-group*) mkdir -p "$5/server/bin"; ln -sf /usr/bin/true "$5/server/bin/python"; exit 0 ;; esac
        env > "$HOME/environment-of-uv"
        mkdir -p .venv/bin .venv/lib/python3.11/site-packages
        ln -sf /bin/sh .venv/bin/python ;;
esac"#;
/// A Databricks CLI that is new enough.
pub(crate) const CLI: &str = r#"echo "Databricks CLI v1.10.0""#;

/// The machine; its folders go with it.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: TempDir,
    _others: OtherWorkspaces,
}

impl Machine {
    /// A machine with a project, git's and Rust's absence included: PATH is one empty folder.
    pub(crate) fn bare() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "bin", "project"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let _others = OtherWorkspaces::of(&folder.path().join("home"));
        let machine = Machine { folder, _others };
        machine.write("xtask.toml", include_str!("../../../../../xtask.toml"));
        machine.write(
            "pyproject.toml",
            "[project]\nname = \"p\"\nversion = \"1\"\n",
        );
        machine.write("uv.lock", "version = 1\n");
        machine
    }

    /// A machine that has all but the Databricks CLI.
    pub(crate) fn without_cli() -> Machine {
        let machine = Machine::bare();
        machine.program("uv", UV);
        machine.program("git", "echo git version 2.50.0");
        machine.real_python();
        machine
    }

    /// A machine that has everything.
    pub(crate) fn complete() -> Machine {
        let machine = Machine::without_cli();
        machine.program("databricks", CLI);
        machine
    }

    /// The project's folder.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The home folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.project().join(path), text).unwrap();
    }

    /// Puts a shell script on PATH; each call of it adds a line to [`Machine::calls`].
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join("bin").join(name);
        let calls = self.home().join("calls");
        let text = format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\necho \"{name} $*\" >> {}\n{script}\n",
            calls.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Puts the python3 of the machine that runs the tests on PATH; its package index answers.
    pub(crate) fn real_python(&self) {
        let real = real_python();
        let index = r#"[ "$1 $2" = "-m pip" ] && exit 0"#;
        self.program(
            "python3",
            &format!(
                "{index}
exec {} \"$@\"",
                real.display()
            ),
        );
    }

    /// The calls of the programs on PATH so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.home().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// The command `xtask ARGS`, with a local workspace program that is there.
    pub(crate) fn xtask(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-mlops"));
        hermetic(&mut command, &self.home());
        command
            .env("PATH", self.folder.path().join("bin"))
            .args(args)
            .current_dir(self.project())
            .env("XTASK_WORKSPACE_BIN", "/bin/sh");
        command
    }

    /// What lies in the folder of fetched tools, but for what is only remembered there.
    pub(crate) fn fetched(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.project().join(".xtask/tools")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                name != "lock"
                    && !name.starts_with("workspace-python")
                    && !name.ends_with(".json")
                    && !name.ends_with(".partial")
            })
            .collect();
        names.sort();
        names
    }
}

/// A Python of the machine that runs the tests: the interpreter, not a version manager's shim.
pub(crate) fn real_python() -> PathBuf {
    let asked = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable, end='')"])
        .output()
        .expect("python3 on PATH");
    PathBuf::from(String::from_utf8(asked.stdout).unwrap())
}

/// What a run of xtask came to.
#[derive(Debug)]
#[must_use]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs to the end.
pub(crate) fn run(mut command: Command) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Run {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

impl Run {
    /// Fails the test unless the run succeeded.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Run {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Fails the test unless something was missing (exit code 3) and `words` say what.
    #[track_caller]
    pub(crate) fn misses(self, words: &[&str]) -> Run {
        assert_eq!(self.code, Some(3), "{self:#?}");
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is not said: {self:#?}"
            );
        }
        assert!(
            self.stderr.contains("next:"),
            "no way out is named: {self:#?}"
        );
        self
    }

    /// What the reader is told to type next.
    pub(crate) fn next(&self) -> Vec<&str> {
        let line = |line: &'_ str| line.trim().starts_with("next: ");
        self.stderr
            .lines()
            .filter(|l| line(l))
            .map(str::trim)
            .collect()
    }
}

/// A zip archive with one member, as bytes.
pub(crate) fn zip(member: &str, content: &str, scratch: &Path) -> Vec<u8> {
    let file = scratch.join("made.zip");
    let made = Command::new(real_python())
        .args(["-c", "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').writestr(sys.argv[2], sys.argv[3])"])
        .arg(&file)
        .args([member, content])
        .status()
        .unwrap();
    assert!(made.success());
    fs::read(file).unwrap()
}
