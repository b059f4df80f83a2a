//! The local workspace program: built by cargo from xtask/crates/workspace, beside xtask itself.

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::workshop::{Workshop, write_whole};
use super::{Item, Sight, remedies};
use crate::children::Program;
use crate::vars;

/// Package and program have the same name.
const PROGRAM: &str = "xtask-workspace";

/// Building it.
#[derive(Debug)]
pub(crate) struct Plan {
    cargo: Utf8PathBuf,
}

/// A successful build. Sources that are not newer need no cargo, which alone takes longer than all
/// the other looks together.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    program: Utf8PathBuf,
    linked: SystemTime,
    build_began: SystemTime,
}

/// Looks whether it is built from the sources as they are.
pub(crate) fn look(workshop: &Workshop<'_>) -> Sight<Plan> {
    if let Some(path) = workshop.context.env.get(vars::XTASK_WORKSPACE_BIN) {
        let program = workshop.context.env.cwd.join(path);
        if program.is_file() {
            return Sight::Here(program, format!("named by {}", vars::XTASK_WORKSPACE_BIN));
        }
        return Sight::Cannot(remedies::named_program(
            vars::XTASK_WORKSPACE_BIN,
            path,
            "there is no such file",
        ));
    }
    let root = &workshop.context.root;
    if !root.join("xtask/crates/workspace/Cargo.toml").is_file() {
        return Sight::Cannot(remedies::no_workspace_sources());
    }
    if let Some(program) = fresh(workshop) {
        return Sight::Here(program, "built from the sources as they are".to_owned());
    }
    let cargo = workshop.context.env.get(vars::CARGO).map(Utf8PathBuf::from);
    match cargo.or_else(|| workshop.on_path("cargo")) {
        Some(cargo) => Sight::Fetch(Plan { cargo }),
        None => Sight::Cannot(remedies::no_cargo()),
    }
}

/// What building it means.
pub(crate) fn item() -> Item {
    Item {
        what: "the local workspace program".to_owned(),
        how: "compiled from xtask/crates/workspace, 1 to 3 minutes the first time; crates from the registry".to_owned(),
        disk: 700_000_000,
        // Whoever typed `cargo xtask` has had cargo compile already.
        asks: false,
    }
}

/// Builds it into the folder that xtask was built into.
///
/// # Errors
/// [`remedies::failed`] with what cargo says.
pub(crate) fn build(workshop: &Workshop<'_>, plan: &Plan) -> anyhow::Result<Utf8PathBuf> {
    let context = workshop.context;
    let what = "the local workspace program";
    let progress = context.ui.progress("Compiling", what);
    let output = Output::of_this_program(&context.root);
    let build_began = SystemTime::now();
    let mut command = workshop.command(Program::Cargo, &plan.cargo);
    command
        .args([
            "build",
            "--package",
            PROGRAM,
            "--bin",
            PROGRAM,
            "--target-dir",
            output.target.as_str(),
        ])
        .args(["--profile", &output.profile])
        .env("CARGO_TERM_COLOR", "never");
    if context.env.offline {
        command.arg("--offline");
    }
    let mut compiled = 0;
    let done = workshop.run(command, |line| {
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
    let program = output.folder.join(PROGRAM);
    let linked = fs_err::metadata(&program)?.modified()?;
    let stamp = Stamp {
        program: program.clone(),
        linked,
        build_began,
    };
    write_whole(&stamp_file(workshop), &serde_json::to_vec_pretty(&stamp)?)?;
    if compiled > 0 {
        progress.finish("Compiled", what);
    }
    Ok(program)
}

/// Where cargo puts programs.
#[derive(Debug)]
struct Output {
    target: Utf8PathBuf,
    profile: String,
    folder: Utf8PathBuf,
}

impl Output {
    /// The one that holds the running program, or cargo's default when that was installed elsewhere.
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

/// The program, when nothing that it is made of is newer.
fn fresh(workshop: &Workshop<'_>) -> Option<Utf8PathBuf> {
    let stamp: Stamp = serde_json::from_slice(&fs_err::read(stamp_file(workshop)).ok()?).ok()?;
    let root = &workshop.context.root;
    let output = Output::of_this_program(root);
    let same = stamp.program == output.folder.join(PROGRAM)
        && fs_err::metadata(&stamp.program).ok()?.modified().ok()? == stamp.linked;
    let newest = ["Cargo.toml", "Cargo.lock", "xtask/crates"]
        .iter()
        .filter_map(|path| newest_change(&root.join(path)))
        .max()?;
    (same && newest < stamp.build_began).then_some(stamp.program)
}

/// When anything below a path last changed; a removed file changes its folder.
fn newest_change(path: &Utf8Path) -> Option<SystemTime> {
    let file = fs_err::symlink_metadata(path).ok()?;
    let own = file.modified().ok();
    if !file.is_dir() {
        return own;
    }
    let below = path.read_dir_utf8().ok()?.filter_map(Result::ok);
    below
        // Running Python tests beside the kernel writes these.
        .filter(|entry| entry.file_name() != "__pycache__")
        .filter_map(|entry| newest_change(entry.path()))
        .chain(own)
        .max()
}
