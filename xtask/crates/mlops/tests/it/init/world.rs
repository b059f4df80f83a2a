//! A clone of the tool, a user with a name, and cargo with what this machine has fetched.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask_testkit::{Project, Said, hermetic};

/// The clone that projects are made from, in a folder of its own.
pub(super) struct World {
    pub(super) tool: Project,
}

impl World {
    pub(super) fn new() -> World {
        let world = World {
            tool: Project::of_this_repository(env!("CARGO_BIN_EXE_xtask-mlops")),
        };
        world.config("");
        // cargo's copies of the tool's repository go here; crates of registries are those of this machine.
        fs::create_dir(world.cargo_home()).unwrap();
        let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let own = set.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cargo"));
        for name in ["registry", "config.toml", "credentials.toml"] {
            if own.join(name).exists() {
                symlink(own.join(name), world.cargo_home().join(name)).unwrap();
            }
        }
        world
    }

    /// The folder that projects are made in.
    pub(super) fn beside(&self) -> PathBuf {
        self.tool.root().parent().unwrap().to_owned()
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.beside().join(name)
    }

    pub(super) fn cargo_home(&self) -> PathBuf {
        self.tool.home().join("cargo")
    }

    /// The user's settings of git, with more of them.
    pub(super) fn config(&self, more: &str) {
        let settings = format!("[user]\nname = Ann\nemail = ann@example.com\n{more}");
        fs::write(self.tool.home().join(".gitconfig"), settings).unwrap();
    }

    /// Gives the user a hook that runs before each commit.
    pub(super) fn hook(&self, folder: &Path, script: &str) {
        fs::create_dir_all(folder).unwrap();
        let path = folder.join("pre-commit");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self.config(&format!("[core]\nhooksPath = {}\n", folder.display()));
    }

    /// Sets the environment of a command of this user's.
    pub(super) fn around<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        hermetic(command, &self.tool.home());
        command.env("CARGO_HOME", self.cargo_home())
    }

    pub(super) fn git(&self, folder: &Path, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(args).current_dir(folder);
        let said = Said::from(self.around(&mut git).output().unwrap());
        assert_eq!(said.code, Some(0), "git {args:?}: {}", said.stderr);
        said.stdout.trim_end().to_owned()
    }

    /// `cargo xtask ARGS` in the clone.
    pub(super) fn xtask(&self, args: &[&str]) -> Command {
        let mut command = self.tool.xtask(args);
        command.env("CARGO_HOME", self.cargo_home());
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Said {
        Said::of(self.xtask(args))
    }

    /// `cargo xtask init ../NAME ARGS` in the clone.
    pub(super) fn init(&self, name: &str, args: &[&str]) -> Said {
        self.run(&[&["init", &format!("../{name}")], args].concat())
    }

    /// The same, expected to make the project.
    pub(super) fn make(&self, name: &str, args: &[&str]) -> PathBuf {
        let said = self.init(name, &[&["--yes"], args].concat());
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let next = format!("next: cd ../{name}\n       next: cargo xtask test\n");
        assert!(said.stderr.ends_with(&next), "{}", said.stderr);
        self.folder(name)
    }
}

/// What is in a folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every file of a new project, without those of git.
pub(super) fn files(folder: &Path) -> Vec<String> {
    fn below(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with(".git") => {}
                true => below(root, &path, found),
                false => found.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                ),
            }
        }
    }
    let mut found = Vec::new();
    below(folder, folder, &mut found);
    found.sort();
    found
}
