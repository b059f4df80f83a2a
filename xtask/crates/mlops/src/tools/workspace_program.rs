//! The local workspace program: built by cargo from the same sources as this tool. In the tool's own repository
//! it lands beside xtask; a project that depends on the tool gets it by `cargo install`.

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use xshell::{Cmd, cmd};

use super::own_source::OwnSource;
use super::workshop::Workshop;
use super::{Item, Sight, remedies};
use crate::child_env::{Program, sh};
use crate::files;
use crate::vars;

/// Package and program have the same name.
const PROGRAM: &str = "xtask-workspace";
/// All crates of the tool have the same version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Building it.
#[derive(Debug)]
pub(crate) struct Plan {
    cargo: Utf8PathBuf,
    source: OwnSource,
}

/// A successful build. If no source is newer, cargo is not run: it takes longer than all other checks
/// together.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    program: Utf8PathBuf,
    /// The repository that it was built from.
    sources: Utf8PathBuf,
    linked: SystemTime,
    build_began: SystemTime,
}

/// Checks whether it is built from the current sources.
pub(crate) fn look(workshop: &Workshop<'_>) -> Sight<Plan> {
    if let Some(path) = workshop.context.env.get(vars::XTASK_WORKSPACE_BIN) {
        let program = workshop.context.env.cwd.join(path);
        if program.is_file() {
            return Sight::Here(program, format!("named by {}", vars::XTASK_WORKSPACE_BIN));
        }
        return Sight::Cannot(remedies::named_program(
            vars::XTASK_WORKSPACE_BIN,
            path,
            "no such file",
        ));
    }
    let cargo = workshop.context.env.get(vars::CARGO).map(Utf8PathBuf::from);
    let cargo = cargo.or_else(|| workshop.on_path("cargo"));
    let source = match OwnSource::find(workshop, cargo.as_deref()) {
        Ok(source) => source,
        Err(failure) => return Sight::Cannot(failure),
    };
    let found = match &source {
        OwnSource::Project => fresh(workshop, &workshop.context.root),
        OwnSource::Folder(folder) => fresh(workshop, folder),
        OwnSource::Git { commit, .. } => {
            let home = workshop.installed(&folder_name(commit));
            home.map(|home| home.join("bin").join(PROGRAM))
        }
    };
    match (found, cargo) {
        (Some(program), _) => Sight::Here(program, "up to date with its sources".to_owned()),
        (None, Some(cargo)) => Sight::Fetch(Plan { cargo, source }),
        (None, None) => Sight::Cannot(remedies::no_cargo()),
    }
}

/// Two commits may have the same version.
fn folder_name(commit: &str) -> String {
    format!("{PROGRAM}-{VERSION}-{}", commit.get(..12).unwrap_or(commit))
}

/// The item for the prompt.
pub(crate) fn item() -> Item {
    Item {
        what: "the local workspace program".to_owned(),
        how: "compiled by cargo, 1 to 3 minutes the first time; crates from the registry"
            .to_owned(),
        disk: 700_000_000,
        // Anyone who ran `cargo xtask` has compiled with cargo already.
        asks: false,
    }
}

/// Builds it, with what cargo has compiled for xtask.
pub(crate) fn build(workshop: &Workshop<'_>, plan: &Plan) -> anyhow::Result<Utf8PathBuf> {
    let root = &workshop.context.root;
    let output = Output::of_this_program(root);
    let cargo = &plan.cargo;
    // For debugging, as xtask itself: a build for release takes several times as long.
    let install = ["install", "--locked", "--no-track", "--debug"];
    match &plan.source {
        OwnSource::Project => {
            let profile = &output.profile;
            let line = cmd!(
                sh(),
                "{cargo} build --package {PROGRAM} --bin {PROGRAM} --profile {profile}"
            );
            let began = SystemTime::now();
            compile(workshop, line, &output)?;
            remember(workshop, root, output.folder.join(PROGRAM), began)
        }
        OwnSource::Folder(folder) => {
            let home = workshop.folder.join(format!("{PROGRAM}-{VERSION}"));
            let package = folder.join("xtask/crates/workspace");
            let line = cmd!(
                sh(),
                "{cargo} {install...} --root {home} --path {package} --force"
            );
            let began = SystemTime::now();
            compile(workshop, line, &output)?;
            remember(workshop, folder, home.join("bin").join(PROGRAM), began)
        }
        OwnSource::Git { url, commit } => {
            let name = folder_name(commit);
            let home = workshop.install(&name, |home| {
                if !shared(workshop, &name, home)? {
                    let line = cmd!(
                        sh(),
                        "{cargo} {install...} --root {home} --git {url} --rev {commit} {PROGRAM}"
                    );
                    compile(workshop, line, &output)?;
                    share(workshop, &name, home);
                }
                Ok(())
            })?;
            Ok(home.join("bin").join(PROGRAM))
        }
    }
}

fn compile(workshop: &Workshop<'_>, line: Cmd<'_>, output: &Output) -> anyhow::Result<()> {
    let context = workshop.context;
    let what = "the local workspace program";
    let progress = context.ui.progress("Compiling", what);
    let line = line
        .args(["--target-dir", output.target.as_str()])
        .args(context.env.offline.then_some("--offline"))
        .env("CARGO_TERM_COLOR", "never");
    let command = workshop.command(Program::Cargo, line);
    let mut compiled = 0;
    let done = workshop.run(command, &mut |line| {
        if let Some(name) = line.trim().strip_prefix("Compiling ") {
            compiled += 1;
            let name = name.split(" (").next().unwrap_or(name);
            progress.message(format!("{what}: crate {compiled}, {name}"));
        } else if line.trim_start().starts_with("Blocking")
            || line.trim_start().starts_with("Download")
        {
            progress.message(format!("{what}: {}", line.trim()));
        }
    })?;
    if !done.ok() {
        if context.env.offline && done.tail.contains("--offline") {
            return remedies::offline("a crate that the local workspace program is built from")
                .details(done.tail)
                .err();
        }
        return remedies::failed(&format!("compiling {what}"), &done.tail).err();
    }
    if compiled > 0 {
        progress.finish("Compiled", what);
    }
    Ok(())
}

fn remember(
    workshop: &Workshop<'_>,
    sources: &Utf8Path,
    program: Utf8PathBuf,
    build_began: SystemTime,
) -> anyhow::Result<Utf8PathBuf> {
    let stamp = Stamp {
        linked: fs_err::metadata(&program)?.modified()?,
        program: program.clone(),
        sources: sources.to_owned(),
        build_began,
    };
    files::replace(&stamp_file(workshop), &serde_json::to_vec_pretty(&stamp)?)?;
    Ok(program)
}

/// The user's cache of programs shared by clones; `None` without a home folder.
fn shared_folder(workshop: &Workshop<'_>, name: &str) -> Option<Utf8PathBuf> {
    let env = &workshop.context.env;
    let cache = env.get("XDG_CACHE_HOME").map(Utf8PathBuf::from);
    let cache = cache.or_else(|| Some(Utf8Path::new(env.get("HOME")?).join(".cache")))?;
    Some(cache.join("xtask").join(name))
}

/// Copies the program that another clone has built.
fn shared(workshop: &Workshop<'_>, name: &str, home: &Utf8Path) -> anyhow::Result<bool> {
    let Some(program) = shared_folder(workshop, name).filter(|path| path.is_file()) else {
        return Ok(false);
    };
    fs_err::create_dir_all(home.join("bin"))?;
    fs_err::copy(program, home.join("bin").join(PROGRAM))?;
    Ok(true)
}

/// Shares the program with other clones, atomically and best effort.
fn share(workshop: &Workshop<'_>, name: &str, home: &Utf8Path) {
    let Some(shared) = shared_folder(workshop, name) else {
        return;
    };
    let partial = shared.with_extension(format!("partial-{}", std::process::id()));
    let folder = shared.parent().map(fs_err::create_dir_all).transpose();
    let copied = folder.and_then(|_| fs_err::copy(home.join("bin").join(PROGRAM), &partial));
    if copied
        .and_then(|_| fs_err::rename(&partial, &shared))
        .is_err()
    {
        let _ = fs_err::remove_file(&partial);
    }
}

/// Where cargo puts programs.
#[derive(Debug)]
struct Output {
    target: Utf8PathBuf,
    profile: String,
    folder: Utf8PathBuf,
}

impl Output {
    /// The target folder of the running program, or cargo's default if that is elsewhere.
    fn of_this_program(root: &Utf8Path) -> Output {
        let running = std::env::current_exe()
            .ok()
            .and_then(|path| Utf8PathBuf::try_from(path).ok());
        running
            .as_deref()
            .and_then(Output::around)
            .unwrap_or_else(|| Output {
                target: root.join("target"),
                profile: "dev".to_owned(),
                folder: root.join("target/debug"),
            })
    }

    fn around(program: &Utf8Path) -> Option<Output> {
        let folder = program.parent()?;
        if !folder.join("deps").is_dir() {
            return None;
        }
        let profile = match folder.file_name()? {
            "debug" => "dev",
            other => other,
        };
        Some(Output {
            target: folder.parent()?.to_owned(),
            profile: profile.to_owned(),
            folder: folder.to_owned(),
        })
    }
}

fn stamp_file(workshop: &Workshop<'_>) -> Utf8PathBuf {
    workshop.folder.join("workspace-program.json")
}

/// The program, if it was built from these sources and none of them is newer.
fn fresh(workshop: &Workshop<'_>, sources: &Utf8Path) -> Option<Utf8PathBuf> {
    let stamp: Stamp =
        xtask_remote::json::from_slice(&fs_err::read(stamp_file(workshop)).ok()?).ok()?;
    let output = Output::of_this_program(&workshop.context.root);
    let beside_us = stamp.program == output.folder.join(PROGRAM);
    let same = stamp.sources == sources
        && (beside_us || stamp.program.starts_with(&workshop.folder))
        && fs_err::metadata(&stamp.program).ok()?.modified().ok()? == stamp.linked;
    let newest = ["Cargo.toml", "Cargo.lock", "xtask/crates"]
        .iter()
        .filter_map(|path| newest_change(&sources.join(path)))
        .max()?;
    (same && newest < stamp.build_began).then_some(stamp.program)
}

/// The newest modification time below a path; removing a file changes its folder's.
fn newest_change(path: &Utf8Path) -> Option<SystemTime> {
    let file = fs_err::symlink_metadata(path).ok()?;
    let own = file.modified().ok();
    if !file.is_dir() {
        return own;
    }
    let below = path.read_dir_utf8().ok()?.filter_map(Result::ok);
    below
        // Running Python tests beside the kernel writes the first; the others are no part of the program.
        .filter(|entry| !["__pycache__", "tests", "mlops"].contains(&entry.file_name()))
        .filter_map(|entry| newest_change(entry.path()))
        .chain(own)
        .max()
}
