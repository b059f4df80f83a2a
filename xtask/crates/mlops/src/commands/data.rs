//! `cargo xtask data`: makes the project's data sets, and puts them where a target's jobs read them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use xtask_remote::Transport;
use xtask_remote::databricks::files;

use crate::bundle;
use crate::context::Context;
use crate::databricks::{Purpose, Summary, Target, Writer, guard};
use crate::error::{Failure, Kind};
use crate::python;
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
    Upload {
        /// Bundle target to upload to.
        #[arg(long, short, default_value = "dev")]
        target: String,
        /// Allow generated data on a target that a branch deploys to.
        #[arg(long)]
        generated: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// When the data sets cannot be made, or the target is not deployed.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Make { options } => {
            let toolbox = tools::ready(context, &[Need::Python])?;
            let folder = python::data_sets(context, &toolbox, options)?;
            for file in data_files(&folder)? {
                context.ui.answer(python::relative(context, &file).as_str());
            }
            Ok(())
        }
        Command::Upload { target, generated } => {
            let purpose = Purpose::GeneratedData { agreed: *generated };
            let pass = guard::check(context, target, purpose)?;
            let toolbox = bundle::ready(context, &[target.as_str()], &[Need::Python])?;
            let folder = python::data_sets(context, &toolbox, &[])?;
            let target = Target::open(context, &toolbox, target)?;
            upload(context, &pass.on(&target)?, &target.deployed()?, &folder)
        }
    }
}

/// Uploads the data sets that the volume does not hold yet.
///
/// # Errors
/// [`Kind::Usage`] when the volume is not deployed; or when the workspace does not take them.
pub(crate) fn upload(
    context: &Context,
    writer: &Writer<'_, '_>,
    summary: &Summary,
    folder: &Utf8Path,
) -> anyhow::Result<()> {
    let volume = volume_path(context, writer.target(), summary)?;
    let transport = writer.transport();
    let digests_file = format!("{volume}/{DIGESTS}");
    let there = files::list(&*transport, &volume)?;
    let mut digests = match there.contains_key(DIGESTS) {
        true => read_digests(&*transport, &digests_file)?,
        false => BTreeMap::new(),
    };
    for file in data_files(folder)? {
        let name = file.file_name().unwrap_or_default().to_owned();
        let digest = xtask_remote::sha256(&fs_err::read(&file)?);
        let remote = format!("{volume}/{name}");
        let present = digests.get(&name) == Some(&digest)
            && there.get(&name) == Some(&fs_err::metadata(&file)?.len());
        if present {
            continue;
        }
        let progress = context.ui.progress("Uploading", &name);
        files::upload(&*transport, file.as_std_path(), &remote)
            .with_context(|| format!("uploading {name} to {volume}"))?;
        progress.finish("Uploaded", &remote);
        digests.insert(name, digest);
    }
    let local = context.local().join("cache").join(DIGESTS);
    fs_err::create_dir_all(context.local().join("cache"))?;
    fs_err::write(&local, serde_json::to_vec_pretty(&digests)?)?;
    files::upload(&*transport, local.as_std_path(), &digests_file)?;
    Ok(())
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
    let what = format!("volume {key} is not deployed to {}", target.name);
    Failure::new(Kind::Usage, what)
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
