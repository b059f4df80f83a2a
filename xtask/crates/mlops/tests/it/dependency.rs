//! A repository of a team's own, that has none of the tool's sources: it depends on the tool, and adds the
//! command of docs/own-commands.md.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use xtask_testkit::{Project, hermetic, repository};

impl Drop for Team {
    fn drop(&mut self) {
        self.forget_the_tool();
    }
}

/// What of a project is no source of the tool's.
const OF_THE_PROJECT: &[&str] = &[
    "databricks.yml",
    "xtask.toml",
    "pyproject.toml",
    "uv.lock",
    "resources",
    "src",
];

/// The team's clone, and the machine that it is on.
struct Team {
    folder: TempDir,
}

#[test]
fn a_repository_that_depends_on_the_tool_has_its_commands_and_its_own() {
    let tool = Project::of_this_repository(env!("CARGO_BIN_EXE_xtask-mlops"));
    let team = Team::new();
    let clone = team.clone_of("first");
    let published = team.publish(&tool);
    let url = format!("file://{}", published.display());
    let commit = tool.git(&["rev-parse", "HEAD"]);
    team.depend(&clone, &format!("git = \"{url}\", rev = \"{commit}\""));

    let hello = team.cargo(&clone, &["xtask", "hello", "Ann"]);
    let root = clone.display();
    assert_eq!(
        said(&hello),
        format!("Hello Ann, {root} trains with fit_churn\n"),
        "{hello:?}"
    );
    let refused = team.xtask(&clone, &["hello", ""]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        told(&refused).contains("next: cargo xtask hello NAME"),
        "{}",
        told(&refused)
    );
    let help = said(&team.xtask(&clone, &["--help"]));
    assert!(
        help.contains("hello") && help.contains("Say hello") && help.contains("open-pr"),
        "{help}"
    );
    assert!(said(&team.xtask(&clone, &["hello", "--help"])).contains("Who to greet"));

    // A project that this one's tool makes depends on the same commit, so that cargo has compiled it already.
    team.name_the_user();
    let made = team.xtask(&clone, &["init", "../made", "--yes"]);
    assert!(made.status.success(), "{}", told(&made));
    let made = team.folder.path().join("made");
    let manifest = fs::read_to_string(made.join("xtask/Cargo.toml")).unwrap();
    let line = format!("xtask-mlops = {{ git = \"{url}\", rev = \"{commit}\" }}");
    assert!(manifest.contains(&line), "{manifest}");
    let listed = team.cargo(&made, &["xtask", "ci", "--list"]);
    assert!(said(&listed).contains("test       project"), "{listed:?}");
    assert!(
        !told(&listed).contains("Compiling xtask-mlops"),
        "{listed:?}"
    );

    let up = team.cargo(&clone, &["xtask", "workspace", "up"]);
    assert!(up.status.success(), "{}", told(&up));
    // From here on the tool's sources are nowhere on this machine.
    fs::remove_dir_all(published).unwrap();
    team.forget_the_tool();
    drop(tool);
    let status = said(&team.xtask(&clone, &["workspace", "status"]));
    assert!(status.contains("http://127.0.0.1:"), "{status}");
    let deployed = team.xtask(&clone, &["deploy", "--target", "sandbox", "--yes"]);
    assert!(deployed.status.success(), "{}", told(&deployed));
    let down = team.xtask(&clone, &["workspace", "down"]);
    assert!(down.status.success(), "{}", told(&down));

    // A second clone takes the program of the first; nothing is left that it could be built from.
    let second = team.clone_of("second");
    fs::copy(clone.join("Cargo.lock"), second.join("Cargo.lock")).unwrap();
    let up = team.xtask(&second, &["workspace", "up"]);
    assert!(up.status.success(), "{}", told(&up));
    let down = team.xtask(&second, &["workspace", "down"]);
    assert!(down.status.success(), "{}", told(&down));

    // A path dependency is built from its folder, and again only when that changes.
    let path = "[[package]]\nname = \"xtask-mlops\"\nversion = \"0.1.0\"\n";
    fs::write(second.join("Cargo.lock"), path).unwrap();
    team.depend(
        &second,
        &format!(
            "path = \"{}\"",
            repository().join("xtask/crates/mlops").display()
        ),
    );
    let installs = team.replace_cargo();
    for _ in 0..2 {
        let up = team.xtask(&second, &["workspace", "up"]);
        assert!(up.status.success(), "{}", told(&up));
        let _ = team.xtask(&second, &["workspace", "down"]);
    }
    let installs = fs::read_to_string(installs).unwrap();
    let package = repository().join("xtask/crates/workspace");
    assert_eq!(installs.lines().count(), 1, "{installs}");
    assert!(
        installs.contains("--locked")
            && installs.contains(&format!("--path {}", package.display())),
        "{installs}"
    );
}

impl Team {
    /// A machine that has compiled the crates of registries already, as this one has.
    fn new() -> Team {
        let team = Team {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(team.home()).unwrap();
        team.share_compiled_crates();
        team
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The user's own: cargo takes no crate as compiled whose sources lie elsewhere.
    fn cargo_home() -> PathBuf {
        let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        set.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cargo"))
    }

    /// A bare repository of the tool, by a name that no other has.
    fn publish(&self, tool: &Project) -> PathBuf {
        let bare = self.folder.path().join(self.name());
        tool.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
        bare
    }

    fn name(&self) -> String {
        format!(
            "tool{}",
            self.folder.path().file_name().unwrap().to_str().unwrap()
        )
    }

    /// Removes what cargo has kept of the repository of the tool.
    fn forget_the_tool(&self) {
        for kept in ["git/db", "git/checkouts"] {
            let entries = fs::read_dir(Team::cargo_home().join(kept))
                .into_iter()
                .flatten();
            let of_ours = |path: &PathBuf| {
                let name = path.file_name().unwrap().to_str().unwrap();
                name.starts_with(&self.name())
            };
            for path in entries.map(|entry| entry.unwrap().path()).filter(of_ours) {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }

    fn name_the_user(&self) {
        let settings = "[user]\nname = Ann\nemail = ann@example.com\n";
        fs::write(self.home().join(".gitconfig"), settings).unwrap();
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    /// Takes what cargo has compiled for the repository that is tested, less its own crates. What cargo writes
    /// in place is copied, the rest linked.
    fn share_compiled_crates(&self) {
        let built = Path::new(env!("CARGO_BIN_EXE_xtask-mlops"))
            .parent()
            .unwrap();
        for name in ["deps", "build", ".fingerprint"] {
            let mut link = Command::new("cp");
            link.arg(if name == ".fingerprint" { "-a" } else { "-al" });
            for entry in fs::read_dir(built.join(name)).unwrap() {
                let path = entry.unwrap().path();
                let own = path
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .contains("xtask");
                if !own && !path.ends_with("it") {
                    link.arg(path);
                }
            }
            let to = self.target().join("debug").join(name);
            fs::create_dir_all(&to).unwrap();
            assert!(link.arg(to).status().unwrap().success());
        }
    }

    /// A clone of the team's repository.
    fn clone_of(&self, name: &str) -> PathBuf {
        let clone = self.folder.path().join(name);
        fs::create_dir_all(clone.join(".xtask/tools")).unwrap();
        let fixture = repository().join("xtask/crates/mlops/tests/fixtures/other-bundle");
        for name in OF_THE_PROJECT {
            let from = [&fixture, &repository()].map(|folder| folder.join(name));
            let from = from.into_iter().find(|path| path.exists()).unwrap();
            let copied = Command::new("cp").arg("-r").arg(from).arg(&clone).status();
            assert!(copied.unwrap().success());
        }
        symlink(repository().join(".venv"), clone.join(".venv")).unwrap();
        for entry in fs::read_dir(repository().join(".xtask/tools")).unwrap() {
            let path = entry.unwrap().path();
            if !path.ends_with("workspace-program.json") {
                symlink(
                    &path,
                    clone.join(".xtask/tools").join(path.file_name().unwrap()),
                )
                .unwrap();
            }
        }
        fs::create_dir_all(clone.join("xtask/src")).unwrap();
        fs::create_dir_all(clone.join(".cargo")).unwrap();
        let profile =
            "[workspace]\nmembers = [\"xtask\"]\nresolver = \"3\"\n[profile.dev]\ndebug = false\n";
        fs::write(clone.join("Cargo.toml"), profile).unwrap();
        fs::copy(repository().join("Cargo.lock"), clone.join("Cargo.lock")).unwrap();
        fs::write(clone.join(".cargo/config.toml"), fence("toml", "[alias]")).unwrap();
        fs::write(clone.join("xtask/src/main.rs"), fence("rust", "fn main")).unwrap();
        let begun = Command::new("git")
            .args(["init", "-q"])
            .current_dir(&clone)
            .status();
        assert!(begun.unwrap().success());
        clone
    }

    /// Writes xtask/Cargo.toml as the page has it, with another place for the tool.
    fn depend(&self, clone: &Path, place: &str) {
        let manifest = fence("toml", "[package]");
        let published = "git = \"https://github.com/OWNER/REPOSITORY\", tag = \"v0.1.0\"";
        assert!(manifest.contains(published), "{manifest}");
        fs::write(
            clone.join("xtask/Cargo.toml"),
            manifest.replace(published, place),
        )
        .unwrap();
    }

    fn surround(&self, command: &mut Command, clone: &Path) {
        hermetic(command, &self.home());
        command
            .env("CARGO_HOME", Team::cargo_home())
            .env("CARGO_TARGET_DIR", self.target())
            .env(
                "XTASK_DATABRICKS_CLI",
                std::env::var_os("DATABRICKS_CLI").unwrap_or_default(),
            )
            .current_dir(clone);
    }

    fn cargo(&self, clone: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO"));
        command.args(args);
        self.surround(&mut command, clone);
        command.output().unwrap()
    }

    /// The program that cargo built, without cargo.
    fn xtask(&self, clone: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(self.target().join("debug/xtask"));
        command.args(args);
        self.surround(&mut command, clone);
        let path = std::env::var_os("PATH").unwrap();
        let mut folders = vec![self.folder.path().join("bin")];
        folders.extend(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap());
        command.output().unwrap()
    }

    /// Puts a cargo on PATH that installs what was built before; returns the file that its installs are written to.
    fn replace_cargo(&self) -> PathBuf {
        let installs = self.folder.path().join("installs");
        let program =
            Path::new(env!("CARGO_BIN_EXE_xtask-mlops")).with_file_name("xtask-workspace");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" != install ]; then exec '{}' \"$@\"; fi\n\
             echo \"$*\" >> '{}'\n\
             while [ \"$1\" != --root ]; do shift; done\n\
             mkdir -p \"$2/bin\" && cp '{}' \"$2/bin/\"\n",
            env!("CARGO"),
            installs.display(),
            program.display(),
        );
        let path = self.folder.path().join("bin/cargo");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        installs
    }
}

/// The fence of the page that has these words.
fn fence(language: &str, words: &str) -> String {
    let page = fs::read_to_string(repository().join("docs/own-commands.md")).unwrap();
    let start = format!("```{language}\n");
    let mut fences = page.split(&start).skip(1);
    let found =
        fences.find_map(|rest| rest.split("```").next().filter(|text| text.contains(words)));
    found.unwrap().to_owned()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", told(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
