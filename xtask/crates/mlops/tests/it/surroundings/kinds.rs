//! The surroundings: what each puts in place before the journey, and what it does to every command of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use xtask_testkit::{Project, Said};

use super::hooks::Hooks;
use super::slow_disk;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surrounding {
    /// The settings, hooks and signing key of a heavy user of git, and git's monitor of the file system.
    GitOfYears,
    /// Each command is called by a hook of git: of another repository, of one that receives a push, of this one.
    GitHooks,
    /// A pager, an editor, a browser and programs that ask for passwords, which never end.
    ProgramsThatWait,
    /// Another language than English, and terminal settings for colour.
    Language,
    /// A umask of 077.
    FilesForTheOwnerAlone,
    /// Temporary files go to a folder with an awkward name.
    AwkwardTemporaryFolder,
    /// `HOME` names no folder, as that of many a service's account.
    NoHome,
    /// Each call that changes a folder or waits for the disk takes long.
    SlowDisk,
    /// All processors are at work for others.
    LoadedMachine,
}

/// Some of them, in place.
#[derive(Debug)]
pub(super) struct Place {
    all: Vec<Surrounding>,
    folder: PathBuf,
    hooks: Option<Hooks>,
    /// Programs that run beside the journey.
    beside: Vec<Child>,
}

impl Place {
    pub(super) fn new(all: &[Surrounding], project: &Project) -> Place {
        let mut place = Place {
            all: all.to_vec(),
            folder: project.home().join("surroundings"),
            hooks: None,
            beside: Vec::new(),
        };
        std::fs::create_dir(&place.folder).unwrap();
        for one in all {
            place.prepare(*one, project);
        }
        place
    }

    fn prepare(&mut self, one: Surrounding, project: &Project) {
        match one {
            Surrounding::GitOfYears => {
                project.with_habits_of_years();
                // The daemon, where git has one for this system.
                project.git(&["config", "core.fsmonitor", "true"]);
            }
            Surrounding::GitHooks => self.hooks = Some(Hooks::new(project, &self.folder)),
            Surrounding::ProgramsThatWait => {
                let script = format!("echo \"$0\" >> '{}'\nsleep 600", self.waited().display());
                program(&self.folder.join("waits"), &script);
            }
            Surrounding::AwkwardTemporaryFolder => {
                std::fs::create_dir(self.temporary()).unwrap();
            }
            Surrounding::SlowDisk => slow_disk::write(&self.folder),
            Surrounding::LoadedMachine => {
                let processors = std::thread::available_parallelism().unwrap().get();
                self.beside.extend((0..processors).map(|_| busy()));
            }
            Surrounding::Language | Surrounding::FilesForTheOwnerAlone | Surrounding::NoHome => {}
        }
    }

    /// Runs a command of the journey in them.
    pub(super) fn run(&mut self, mut command: Command) -> Said {
        for one in self.all.clone() {
            self.around(one, &mut command);
        }
        let said = match &mut self.hooks {
            Some(hooks) => hooks.run(&command),
            None => Said::of(&mut command),
        };
        let waited = std::fs::read_to_string(self.waited()).unwrap_or_default();
        assert!(waited.is_empty(), "{command:?} called {waited}");
        said
    }

    fn around(&self, one: Surrounding, command: &mut Command) {
        match one {
            Surrounding::ProgramsThatWait => {
                let program = format!("'{}'", self.folder.join("waits").display());
                for name in ["PAGER", "GIT_PAGER", "EDITOR", "VISUAL", "GIT_EDITOR"] {
                    command.env(name, &program);
                }
                let program = self.folder.join("waits");
                for name in ["BROWSER", "GIT_ASKPASS", "SSH_ASKPASS", "PIP_KEYRING"] {
                    command.env(name, &program);
                }
            }
            Surrounding::Language => {
                command.env_remove("LC_ALL").env_remove("NO_COLOR");
                command
                    .env("LANG", "de_DE.UTF-8")
                    .env("LANGUAGE", "de:fr")
                    .env("LC_NUMERIC", "de_DE.UTF-8")
                    .env("CLICOLOR_FORCE", "1")
                    .env("FORCE_COLOR", "1")
                    .env("GREP_OPTIONS", "--color=always");
            }
            Surrounding::FilesForTheOwnerAlone => {
                *command = through(command, "sh", &["-c", "umask 077; exec \"$@\"", "sh"]);
            }
            Surrounding::AwkwardTemporaryFolder => {
                command.env("TMPDIR", self.temporary());
            }
            Surrounding::NoHome => {
                command.env("HOME", "/dev/null");
            }
            Surrounding::SlowDisk => slow_disk::wrap(&self.folder, command),
            Surrounding::GitOfYears | Surrounding::GitHooks | Surrounding::LoadedMachine => {}
        }
    }

    fn waited(&self) -> PathBuf {
        self.folder.join("waited")
    }

    fn temporary(&self) -> PathBuf {
        self.folder.join("tmp für #1")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for child in &mut self.beside {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program of the shell.
pub(super) fn program(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The same command, run by another program.
pub(super) fn through(command: &Command, by: &str, args: &[&str]) -> Command {
    let mut wrapped = Command::new(by);
    wrapped.args(args).arg(command.get_program());
    wrapped.args(command.get_args()).stdin(Stdio::null());
    wrapped.env_clear();
    wrapped.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    wrapped.current_dir(command.get_current_dir().unwrap());
    wrapped
}

fn busy() -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", "while :; do :; done"]);
    command.spawn().unwrap()
}
