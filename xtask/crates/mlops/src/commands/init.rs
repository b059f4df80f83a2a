//! `cargo xtask init`: a project of one's own, in a repository of its own, with this tool as its dependency.

mod answers;
mod edits;
mod names;
mod questions;
mod record;
mod template;
mod tool;
mod write;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::context::{self, Surroundings};
use crate::error::Failure;
use crate::git::Git;
use crate::steps::Steps;
use crate::ui::Ui;
use crate::words;
use answers::{Answers, Given};
use record::Version;
use template::Template;
use tool::Tool;
use write::Project;

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to create [default: `../NAME` inside a project, else `NAME`].
    dir: Option<Utf8PathBuf>,
    #[command(flatten)]
    options: questions::Options,
    /// Read answers from this TOML file; options override it.
    ///
    /// It has the fields of `[answers]` in a project's `.xtask-init.toml`, which can be given, too.
    #[arg(long, value_name = "FILE")]
    answers: Option<Utf8PathBuf>,
    /// Git repository of the tool [default: the one that this tool was built from].
    #[arg(long, value_name = "URL")]
    tool: Option<String>,
    /// Tag, branch or commit of the tool [default: the commit that this tool was built from].
    #[arg(long, value_name = "REV")]
    tool_rev: Option<String>,
    /// Copy the tool into the project instead of depending on its repository.
    #[arg(long)]
    vendor: bool,
    /// Print the plan and exit.
    #[arg(long)]
    dry_run: bool,
}

/// What `--json` prints; docs/init.md describes the fields.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    /// `created` or `planned`.
    outcome: &'static str,
    folder: &'a Utf8Path,
    answers: &'a Answers,
    tool: Version,
    files: usize,
    commit: Option<String>,
    branch: &'a str,
    next: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When a name is refused, the folder cannot be made, or git or cargo fail; nothing is left then.
pub(crate) fn run(around: &Surroundings, args: &Args) -> anyhow::Result<()> {
    let ui = &around.ui;
    if !args.dry_run {
        ui.agreed_before()?;
    }
    let file = match &args.answers {
        Some(path) => read_answers(&around.env.cwd.join(path))?,
        None => Given::default(),
    };
    if let Some(dir) = &args.dir {
        must_be_free(around, dir)?;
    }
    let tool = Tool::fetch(around, args.tool.as_deref(), args.tool_rev.as_deref())?;
    let template = Template::open(&tool)?;
    let defaults = template.targets()?;
    let given = args.options.over(file, &defaults)?;
    let called = args.dir.as_deref().and_then(Utf8Path::file_name);
    let name = questions::name(ui, given.name.as_deref(), called)?;
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => folder_for(around, &name),
    };
    let folder = must_be_free(around, &dir)?;
    let git = Git::at(around, tool.folder())?;
    if !args.dry_run && !git.has_identity() {
        return Failure::usage("git does not know who makes the first commit")
            .next("git config --global user.name \"YOUR NAME\" && git config --global user.email YOU@EXAMPLE.COM")
            .err();
    }
    let answers = questions::all(ui, &git, name, &given, &template, &defaults)?;
    let files = template.files(&answers, &defaults, args.vendor)?;
    let branch = answers.main_branch().map_or("main", String::as_str);

    show(ui, &answers, &dir, files.len(), &tool, args.vendor, branch);
    warn_of_repository(around, &folder)?;
    let next = vec![format!("cd {dir}"), "cargo xtask test".to_owned()];
    let answer = |outcome, files: usize, commit| {
        ui.json(&Answer {
            version: 1,
            outcome,
            folder: &folder,
            answers: &answers,
            tool: tool.version(args.vendor),
            files,
            commit,
            branch,
            next: next.clone(),
        })
    };
    // With the lock file and the record, which are made later.
    let count = files.len() + 1 + usize::from(!args.vendor);
    if args.dry_run {
        ui.only_planned();
        return answer("planned", count, None);
    }
    ui.agree(&format!("Create the project in {dir}?"), true)?;
    let project = Project {
        folder: &folder,
        answers: &answers,
        files,
        tool: &tool,
        vendor: args.vendor,
        branch,
    };
    let commit = project.write(around)?;
    ui.status(
        "Created",
        &format!("{} in {dir}: {}", answers.name, words::count(count, "file")),
    );
    for line in &next {
        ui.line(&format!("{:>12} {line}", "next:"));
    }
    answer("created", count, Some(commit))
}

fn read_answers(path: &Utf8Path) -> anyhow::Result<Given> {
    let text = fs_err::read_to_string(path).map_err(|error| Failure::usage(error.to_string()))?;
    Given::parse(&text).map_err(|error| {
        Failure::usage(format!("{path} is no answers file"))
            .details(error.to_string())
            .into()
    })
}

/// Where a project of this name goes if no folder was named: beside the project that we are in.
fn folder_for(around: &Surroundings, name: &str) -> Utf8PathBuf {
    match context::project_root(&around.env.cwd) {
        Ok(root) if root == around.env.cwd => Utf8Path::new("..").join(name),
        Ok(root) => root.with_file_name(name),
        Err(_) => name.into(),
    }
}

/// The whole path, without `.` and `..` at its end.
fn absolute(around: &Surroundings, dir: &Utf8Path) -> Utf8PathBuf {
    let path = around.env.cwd.join(dir);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return path.canonicalize_utf8().unwrap_or(path);
    };
    match parent.canonicalize_utf8() {
        Ok(parent) => parent.join(name),
        Err(_) => path,
    }
}

/// The whole path of a folder that can be created.
fn must_be_free(around: &Surroundings, dir: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let folder = absolute(around, dir);
    let refused = |what: String, next: &str| Failure::usage(what).next(next).err();
    let is_empty = || {
        folder
            .read_dir_utf8()
            .is_ok_and(|mut entries| entries.next().is_none())
    };
    if around.env.cwd.starts_with(&folder) {
        let what = format!("{dir} is the current folder, or holds it");
        return refused(
            what,
            "name a folder that does not exist: `cargo xtask init DIR`",
        );
    }
    if folder.symlink_metadata().is_ok() && !is_empty() {
        let what = format!("{dir} exists and is not an empty folder");
        return refused(
            what,
            "name a folder that does not exist: `cargo xtask init DIR`",
        );
    }
    match folder.parent().filter(|parent| !parent.is_dir()) {
        Some(parent) => refused(
            format!("{parent} is not a folder"),
            &format!("mkdir -p {parent}"),
        ),
        None => Ok(folder),
    }
}

/// Says what happens where the new repository lies in another one.
fn warn_of_repository(around: &Surroundings, folder: &Utf8Path) -> anyhow::Result<()> {
    let parent = folder.parent().unwrap_or(folder);
    if let Ok(outer) = Git::at(around, parent)?.top() {
        around.ui.warn(&format!(
            "{folder} is inside the repository {outer}: the project gets a repository of its own, which the outer one \
             shows as one untracked folder"
        ));
    }
    Ok(())
}

/// Shows the plan.
fn show(
    ui: &Ui,
    answers: &Answers,
    dir: &Utf8Path,
    files: usize,
    tool: &Tool,
    vendor: bool,
    branch: &str,
) {
    let kind = answers.kind.name();
    let spark = if answers.spark { " with Spark" } else { "" };
    let mut lines = vec![format!(
        "write {} to {dir}: a {kind} project{spark}, named {}, with the Python package {}",
        words::count(files, "file"),
        answers.name,
        answers.package
    )];
    for (name, target) in &answers.targets {
        let place = match target.workspace == names::LOCAL {
            true => "the local workspace",
            false => &target.workspace,
        };
        let from = target
            .branch
            .as_ref()
            .map(|branch| format!(", from branch {branch}"));
        lines.push(format!(
            "set target {name} to {place}, with model and data in {}.{}{}",
            target.catalog,
            target.schema,
            from.unwrap_or_default()
        ));
    }
    lines.push(match vendor {
        true => format!("copy the tool from {}", tool.place()),
        false => format!(
            "pin the tool to {}, in xtask/Cargo.toml and Cargo.lock",
            tool.place()
        ),
    });
    lines.push(format!("make the first commit, on branch {branch}"));
    lines.extend(
        answers
            .github
            .as_ref()
            .map(|url| format!("add the remote origin: {url}")),
    );
    Steps::new(lines, String::clone).show(ui);
}
