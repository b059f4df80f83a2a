//! `cargo xtask data`: makes the project's data sets, and puts them where a target's jobs read them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use xtask_remote::Transport;
use xtask_remote::databricks::files;

use crate::bundle;
use crate::context::Context;
use crate::databricks::{Purpose, Summary, Target, Writer, guard};
use crate::error::Failure;
use crate::python;
use crate::steps::Steps;
use crate::tools::{self, Need};

/// Name of the file in a volume that says which content each data set there has.
const DIGESTS: &str = "xtask-digests.json";

/// Options of `data`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Generate the data sets in `.xtask/data`
    Make {
        /// Arguments of the project's generator.
        #[arg(last = true, value_name = "ARGS")]
        options: Vec<String>,
    },
    /// Upload the data sets to a target's volume
    Upload(Upload),
}

/// Options of `data upload`.
#[derive(Debug, clap::Args)]
struct Upload {
    /// Bundle target to upload to.
    #[arg(long, short, default_value = "dev")]
    target: String,
    /// Allow generated data on a target that a branch deploys to.
    #[arg(long)]
    generated: bool,
    /// Print the plan and exit.
    #[arg(long)]
    dry_run: bool,
}

/// What `data make --json` prints.
#[derive(Debug, Serialize)]
struct Made {
    version: u32,
    files: Vec<String>,
}

/// What `data upload --json` prints.
#[derive(Debug, Serialize)]
struct Uploaded<'a> {
    version: u32,
    /// `uploaded`, `planned` or `unchanged`.
    outcome: &'static str,
    target: &'a str,
    volume: &'a str,
    /// The files that the volume did not have.
    files: Vec<&'a File>,
}

/// A data set.
#[derive(Debug, Serialize)]
struct File {
    name: String,
    bytes: u64,
    sha256: String,
    #[serde(skip)]
    path: Utf8PathBuf,
}

/// What a volume lacks of the data sets.
struct Plan {
    volume: String,
    steps: Steps<File>,
    /// The digests of what it holds already.
    present: BTreeMap<String, String>,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Make { options } => {
            let toolbox = tools::ready(context, &[Need::Python])?;
            let folder = python::data_sets(context, &toolbox, options)?;
            let files = data_files(&folder)?;
            let files = files.iter().map(|file| python::relative(context, file));
            let files: Vec<String> = files.map(|file| file.to_string()).collect();
            files.iter().for_each(|file| context.ui.answer(file));
            context.ui.json(&Made { version: 1, files })
        }
        Command::Upload(args) => to_target(context, args),
    }
}

fn to_target(context: &Context, args: &Upload) -> anyhow::Result<()> {
    let ui = &context.ui;
    let purpose = Purpose::GeneratedData {
        agreed: args.generated,
    };
    let pass = guard::check(context, &args.target, purpose)?;
    let toolbox = bundle::ready(context, &[&args.target], &[Need::Python])?;
    let folder = python::data_sets(context, &toolbox, &[])?;
    let target = Target::open(context, &toolbox, &args.target)?;
    let plan = Plan::make(context, &target, &target.deployed()?, &folder)?;
    let answer = |outcome| {
        ui.json(&Uploaded {
            version: 1,
            outcome,
            target: &target.name,
            volume: &plan.volume,
            files: plan.steps.iter().collect(),
        })
    };
    if plan.steps.is_empty() {
        ui.status("Unchanged", &format!("{} has the data sets", plan.volume));
        return answer("unchanged");
    }
    plan.steps.show(ui);
    if args.dry_run {
        ui.only_planned();
        return answer("planned");
    }
    ui.agree(&format!("Upload to {}?", target.name), true)?;
    plan.apply(context, &pass.on(&target)?)?;
    answer("uploaded")
}

/// Uploads the data sets that the volume does not hold yet.
pub(crate) fn upload(
    context: &Context,
    writer: &Writer<'_, '_>,
    summary: &Summary,
    folder: &Utf8Path,
) -> anyhow::Result<()> {
    Plan::make(context, writer.target(), summary, folder)?.apply(context, writer)
}

impl Plan {
    fn make(
        context: &Context,
        target: &Target<'_>,
        summary: &Summary,
        folder: &Utf8Path,
    ) -> anyhow::Result<Plan> {
        let volume = volume_path(context, target, summary)?;
        let transport = target.transport();
        let there = files::list(&*transport, &volume)?;
        let known = match there.contains_key(DIGESTS) {
            true => read_digests(&*transport, &format!("{volume}/{DIGESTS}"))?,
            false => BTreeMap::new(),
        };
        let (mut missing, mut present) = (Vec::new(), BTreeMap::new());
        for path in data_files(folder)? {
            let content = fs_err::read(&path)?;
            let file = File {
                name: path.file_name().unwrap_or_default().to_owned(),
                bytes: content.len() as u64,
                sha256: xtask_remote::sha256(&content),
                path,
            };
            let is_there = known.get(&file.name) == Some(&file.sha256)
                && there.get(&file.name) == Some(&file.bytes);
            match is_there {
                true => drop(present.insert(file.name, file.sha256)),
                false => missing.push(file),
            }
        }
        let words = |file: &File| format!("upload {} to {volume}", file.name);
        Ok(Plan {
            steps: Steps::new(missing, words),
            volume,
            present,
        })
    }

    fn apply(&self, context: &Context, writer: &Writer<'_, '_>) -> anyhow::Result<()> {
        if self.steps.is_empty() {
            return Ok(());
        }
        let (volume, transport) = (&self.volume, writer.transport());
        self.steps.apply(context, |file| {
            let remote = format!("{volume}/{}", file.name);
            let progress = context.ui.progress("Uploading", &file.name);
            files::upload(&*transport, file.path.as_std_path(), &remote)
                .with_context(|| format!("uploading {} to {volume}", file.name))?;
            progress.finish("Uploaded", &remote);
            Ok(())
        })?;
        let uploaded = self.steps.iter();
        let uploaded = uploaded.map(|file| (file.name.clone(), file.sha256.clone()));
        let digests: BTreeMap<_, _> = self.present.clone().into_iter().chain(uploaded).collect();
        let local = context.local().join("cache").join(DIGESTS);
        fs_err::create_dir_all(context.local().join("cache"))?;
        fs_err::write(&local, serde_json::to_vec_pretty(&digests)?)?;
        files::upload(
            &*transport,
            local.as_std_path(),
            &format!("{volume}/{DIGESTS}"),
        )?;
        Ok(())
    }
}

fn volume_path(
    context: &Context,
    target: &Target<'_>,
    summary: &Summary,
) -> anyhow::Result<String> {
    if let Some(folder) = summary.resources.data_folder(&context.config) {
        return Ok(folder);
    }
    let key = &context.config.data.volume;
    Failure::usage(format!("volume {key} is not deployed to {}", target.name))
        .details("xtask.toml names it in data.volume")
        .next(format!("cargo xtask deploy --target {}", target.name))
        .err()
}

fn read_digests(transport: &dyn Transport, file: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let bytes = files::read(transport, file)?;
    // What cannot be read names nothing as present, so everything is uploaded again.
    Ok(xtask_remote::json::from_slice(&bytes).unwrap_or_default())
}

fn data_files(folder: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.into_path());
        }
    }
    files.sort();
    Ok(files)
}
