//! A temporary copy of the project, to run the commands in as a user would.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use tempfile::TempDir;

use crate::other_workspaces::OtherWorkspaces;
use crate::repository::repository;
use crate::{environment, habits, warm_mlflow};

/// A git repository with a project in it, in a folder of its own, with a home beside it that holds a
/// `~/.databrickscfg`: a test in which a workspace of that file is reached fails.
///
/// Tools and Python environment are those of the repository that is tested, linked in: run
/// `cargo xtask setup` there once. Dropping it ends the local workspace that was started in it.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    xtask: PathBuf,
    /// What [`Project::at`] wrote: files, and what is in them.
    elsewhere: Mutex<Vec<(PathBuf, String)>>,
    others: Option<OtherWorkspaces>,
}

impl Project {
    /// A copy of the repository that is tested: what git tracks, and what it does not ignore.
    ///
    /// `xtask` is the built program (`env!("CARGO_BIN_EXE_xtask")`).
    ///
    /// # Panics
    /// When the copy cannot be made; the message says why.
    #[must_use]
    pub fn of_this_repository(xtask: &str) -> Project {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Project::empty(xtask, folder);
        let listed = read(
            Command::new("git")
                .args([
                    "ls-files",
                    "-z",
                    "--cached",
                    "--others",
                    "--exclude-standard",
                ])
                .current_dir(repository()),
        );
        for name in listed.split('\0').filter(|name| !name.is_empty()) {
            copy(&repository().join(name), &project.root().join(name));
        }
        project.commit("Copy of the repository")
    }

    /// One of the projects below `xtask/crates/mlops/tests/fixtures`, with the tool's files that it needs.
    ///
    /// # Panics
    /// When the copy cannot be made; the message says why.
    #[must_use]
    pub fn of_fixture(name: &str, xtask: &str) -> Project {
        Project::of_fixture_below("project-", name, xtask)
    }

    /// The same, in a folder whose name begins with `folder`; its home is there too.
    ///
    /// # Panics
    /// When the copy cannot be made; the message says why.
    #[must_use]
    pub fn of_fixture_below(folder: &str, name: &str, xtask: &str) -> Project {
        let folder = tempfile::Builder::new().prefix(folder).tempdir();
        let project = Project::empty(xtask, folder.expect("a temporary folder"));
        copy_tree(
            &repository()
                .join("xtask/crates/mlops/tests/fixtures")
                .join(name),
            &project.root(),
        );
        for shared in ["pyproject.toml", "uv.lock", ".gitignore"] {
            let from = repository().join(shared);
            if from.exists() && !project.root().join(shared).exists() {
                copy(&from, &project.root().join(shared));
            }
        }
        project.commit("A project")
    }

    /// A project that a command made in another folder, which is moved here with its repository. Its lock file has
    /// the packages of the repository that is tested.
    ///
    /// # Panics
    /// When it cannot be moved; the message says why.
    #[must_use]
    pub fn moved_from(made: &Path, xtask: &str) -> Project {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Project::empty(xtask, folder);
        for entry in std::fs::read_dir(made).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            let to = project.root().join(path.file_name().expect("a name"));
            std::fs::rename(path, to).expect("the file is moved");
        }
        std::fs::remove_dir(made).expect("the folder is empty");
        project.keep_tools_of_its_own();
        project
    }

    /// Has the project note of its own what its Python environment was made of: the note of the repository that is
    /// tested is of another pyproject.toml, and each of them would install the shared environment anew.
    fn keep_tools_of_its_own(&self) {
        let own = self.root().join(".xtask/tools");
        let shared = std::fs::read_link(&own).expect("a link");
        std::fs::remove_file(&own).expect("a link");
        std::fs::create_dir(&own).expect("a folder");
        for entry in std::fs::read_dir(&shared).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                let link = own.join(path.file_name().expect("a name"));
                std::os::unix::fs::symlink(path, link).expect("a link");
            }
        }
        let digest = |name: &str| {
            let bytes = std::fs::read(self.root().join(name)).unwrap_or_default();
            xtask_remote::sha256(&bytes)
        };
        let note = std::fs::read(shared.join("environment.json")).expect("the environment is made");
        let mut note: serde_json::Value = serde_json::from_slice(&note).expect("a note");
        note["asked"] = ["pyproject.toml", "uv.lock", ".python-version"]
            .map(digest)
            .concat()
            .into();
        std::fs::write(own.join("environment.json"), note.to_string()).expect("a file");
    }

    fn empty(xtask: &str, folder: TempDir) -> Project {
        let mut project = Project {
            folder,
            xtask: PathBuf::from(xtask),
            elsewhere: Mutex::default(),
            others: None,
        };
        std::fs::create_dir_all(project.root().join(".xtask")).expect("a folder");
        std::fs::create_dir_all(project.home()).expect("a folder");
        project.others = Some(OtherWorkspaces::of(&project.home()));
        project.link(&repository().join(".venv"), ".venv");
        project.link(warm_mlflow::tools(), ".xtask/tools");
        project.shim();
        project
    }

    /// The project's folder.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The home folder, which holds a `~/.databrickscfg` and nothing else.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder of programs that come first on PATH.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// git, in the project's folder and a clean environment, as a committer with a name.
    ///
    /// # Panics
    /// When it fails; the message says what it said.
    pub fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "user.name=A Tester",
            "-c",
            "user.email=tester@example.com",
        ]);
        command.args(args);
        self.surround(&mut command);
        read(&mut command).trim_end().to_owned()
    }

    /// `cargo xtask ARGS`, in the project's folder and a clean environment.
    #[must_use]
    pub fn xtask(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.xtask);
        command.args(args);
        self.surround(&mut command);
        command
    }

    /// A line for bash, in which `cargo xtask` is the program that is tested.
    #[must_use]
    pub fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", line]);
        self.surround(&mut command);
        command
    }

    /// Runs `cargo xtask ARGS` and expects it to succeed.
    ///
    /// # Panics
    /// When it does not; the message holds what it said.
    pub fn succeed(&self, args: &[&str]) -> Said {
        let said = self.run(args);
        assert!(
            said.code == Some(0),
            "cargo xtask {} ended with {:?}\n{}{}",
            args.join(" "),
            said.code,
            said.stderr,
            said.stdout
        );
        said
    }

    /// Runs `cargo xtask ARGS`, however it ends.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, args: &[&str]) -> Said {
        Said::of(self.xtask(args))
    }

    /// Replaces text in one of the project's files.
    ///
    /// # Panics
    /// When the file does not hold the text.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.root().join(file);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        assert!(text.contains(from), "{file} does not hold {from:?}");
        std::fs::write(&path, text.replace(from, to)).expect("the file is written");
    }

    /// Gives its home the git settings of a heavy user: signing, hooks, rebasing pulls, `push.default=upstream`,
    /// an fsmonitor, and whatever changes the output of `diff`, `log` and `status`.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn with_habits_of_years(&self) {
        habits::of_years(&self.home());
    }

    /// Has the project take the server at `url` for its local workspace, running since now; `state` is
    /// where it looks for one, such as `.xtask/workspace`. Dropping the project does not end that server.
    ///
    /// # Panics
    /// When the files cannot be written.
    pub fn at(&self, state: &str, url: &str, token: &str) {
        let folder = self.root().join(state);
        std::fs::create_dir_all(&folder).expect("a folder");
        let server = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "port": url.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()),
            "url": url,
            "workspace_id": "",
            "started_at": jiff::Timestamp::now(),
        });
        let mut written = self
            .elsewhere
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (name, text) in [
            ("token", token.to_owned()),
            ("server.json", server.to_string()),
        ] {
            let file = folder.join(name);
            std::fs::write(&file, &text).expect("a file");
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&file, private).expect("a file");
            written.push((file, text));
        }
    }

    fn surround(&self, command: &mut Command) {
        environment::hermetic(command, &self.home());
        let path = command
            .get_envs()
            .find(|(name, _)| *name == "PATH")
            .and_then(|(_, value)| value.map(std::ffi::OsStr::to_owned))
            .or_else(|| std::env::var_os("PATH"))
            .unwrap_or_default();
        let mut folders = vec![self.folder.path().join("bin")];
        folders.extend(std::env::split_paths(&path));
        command.env(
            "PATH",
            std::env::join_paths(folders).expect("folders without colons"),
        );
        command.env("XTASK_WORKSPACE_BIN", workspace_program(&self.xtask));
        command.current_dir(self.root());
    }

    /// Makes a folder of the repository that is tested appear in the copy.
    fn link(&self, from: &Path, name: &str) {
        assert!(
            from.exists(),
            "{} is missing: run `cargo xtask setup` first",
            from.display()
        );
        let to = self.root().join(name);
        std::os::unix::fs::symlink(from, to).expect("a link");
    }

    /// A `cargo` that runs the program which is tested instead of building another.
    fn shim(&self) {
        let folder = self.folder.path().join("bin");
        std::fs::create_dir_all(&folder).expect("a folder");
        // By its whole path: the name alone would find this script again.
        let cargo = env!("CARGO");
        let xtask = self.xtask.display();
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = xtask ]; then shift; exec '{xtask}' \"$@\"; fi\nexec '{cargo}' \"$@\"\n"
        );
        let path = folder.join("cargo");
        std::fs::write(&path, script).expect("a script");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, executable).expect("a script");
    }

    fn commit(self, message: &str) -> Project {
        for args in [
            vec!["init", "--quiet", "--initial-branch=main"],
            vec!["add", "--all"],
            vec!["commit", "--quiet", "--message", message],
        ] {
            let mut git = Command::new("git");
            git.args([
                "-c",
                "user.name=A Tester",
                "-c",
                "user.email=tester@example.com",
            ]);
            git.args(args);
            self.surround(&mut git);
            read(&mut git);
        }
        self
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // Servers that are not the project's own go on without it.
        let written = self
            .elsewhere
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for (file, text) in written.drain(..) {
            if std::fs::read_to_string(&file).is_ok_and(|present| present == text) {
                let _ = std::fs::remove_file(file);
            }
        }
        // A workspace that a test left running would outlive its folder.
        let _ = self.xtask(&["workspace", "down"]).output();
        drop(self.others.take());
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
#[must_use]
pub struct Said {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// The narration.
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The local workspace's program, built beside xtask.
fn workspace_program(xtask: &Path) -> PathBuf {
    let program = xtask.with_file_name("xtask-workspace");
    assert!(
        program.exists(),
        "{} is missing: run `cargo build --workspace --bins` first",
        program.display()
    );
    program
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("its kind is known").is_dir() {
            true => copy_tree(&entry.path(), &target),
            false => copy(&entry.path(), &target),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    // What git lists and is deleted in the working tree is left out.
    if from.is_file() {
        std::fs::copy(from, to).expect("the file is copied");
    }
}

fn read(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
