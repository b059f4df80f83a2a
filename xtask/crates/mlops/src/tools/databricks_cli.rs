//! The Databricks CLI: the one on PATH if new enough, else an official archive, else built from source.

use camino::{Utf8Path, Utf8PathBuf};

use super::workshop::Workshop;
use super::{Item, Sight, archive, cli_build, go, python, remedies};
use crate::error::Failure;
use crate::vars;

/// The CLI's licence, shown before the download.
const LICENCE: &str = "Databricks License, https://www.databricks.com/legal/db-license";

/// How to get it.
#[derive(Debug)]
pub(crate) struct Plan {
    source: Source,
    /// Why the one on PATH is not used.
    pub(crate) note: Option<String>,
}

#[derive(Debug)]
enum Source {
    /// The official archive with this digest.
    Archive {
        name: String,
        sha256: String,
        python: Utf8PathBuf,
    },
    /// Its sources, through Go's module proxy; `go` is the item for Go, if Go is missing.
    Build { go: Option<Item> },
}

/// Checks XTASK_DATABRICKS_CLI, PATH and the installed tools, in this order.
pub(crate) fn look(workshop: &Workshop<'_>) -> Sight<Plan> {
    let pinned = &workshop.lock.databricks_cli;
    if let Some(path) = workshop.context.env.get(vars::XTASK_DATABRICKS_CLI) {
        return named(workshop, path);
    }
    let mut note = None;
    if let Some(path) = workshop.on_path("databricks") {
        match workshop.version(&path, &["--version"]) {
            Some(version) if version >= pinned.minimum => {
                return Sight::Here(path, version.to_string());
            }
            Some(version) => {
                note = Some(remedies::too_old(
                    "Databricks CLI",
                    &path,
                    version,
                    pinned.minimum,
                ))
            }
            None => {
                note = Some(format!(
                    "{path} does not report its version; using a separate Databricks CLI for this project"
                ))
            }
        }
    }
    if let Some(home) = workshop.installed(&name(workshop)) {
        return Sight::Here(home.join("databricks"), pinned.version.to_string());
    }
    let source = match pinned.archives.get(&platform()) {
        Some(sha256) => python::find(workshop).map(|python| Source::Archive {
            name: format!("databricks_cli_{}_{}.zip", pinned.version, platform()),
            sha256: sha256.clone(),
            python: python.path,
        }),
        None => match go::look(workshop) {
            Sight::Here(..) => Ok(Source::Build { go: None }),
            Sight::Fetch(_) => Ok(Source::Build {
                go: Some(go::item(workshop)),
            }),
            Sight::Cannot(failure) => Err(failure),
        },
    };
    match source {
        Ok(source) => Sight::Fetch(Plan { source, note }),
        Err(failure) => Sight::Cannot(failure),
    }
}

/// The one that XTASK_DATABRICKS_CLI names. If it does not work that is an error, without a fallback.
fn named(workshop: &Workshop<'_>, path: &str) -> Sight<Plan> {
    let minimum = workshop.lock.databricks_cli.minimum;
    let program = workshop.context.env.cwd.join(path);
    let why = match workshop.version(&program, &["--version"]) {
        Some(version) if version >= minimum => return Sight::Here(program, version.to_string()),
        Some(version) => format!("version {version} is older than {minimum}"),
        None if program.is_file() => "it does not run, or is not the Databricks CLI".to_owned(),
        None => "no such file".to_owned(),
    };
    Sight::Cannot(remedies::named_program(
        vars::XTASK_DATABRICKS_CLI,
        path,
        &why,
    ))
}

/// The item for the prompt.
pub(crate) fn items(workshop: &Workshop<'_>, plan: &Plan) -> Vec<Item> {
    let what = format!("Databricks CLI {}", workshop.lock.databricks_cli.version);
    match &plan.source {
        Source::Archive { .. } => vec![Item {
            what,
            how: format!("from {}, about 30 MB. {LICENCE}", archives(workshop)),
            disk: 150_000_000,
            asks: true,
        }],
        Source::Build { go } => {
            let build = Item {
                what,
                how: format!("built from its Go module, 2 to 4 minutes. {LICENCE}"),
                disk: cli_build::DISK,
                asks: true,
            };
            go.clone().into_iter().chain([build]).collect()
        }
    }
}

/// Installs it and checks that it reports its version.
pub(crate) fn fetch(workshop: &Workshop<'_>, plan: &Plan) -> anyhow::Result<Utf8PathBuf> {
    let version = workshop.lock.databricks_cli.version;
    let home = match &plan.source {
        Source::Archive {
            name: file,
            sha256,
            python,
        } => {
            let url = format!("{}/v{version}/{file}", archives(workshop));
            workshop.install(&name(workshop), |folder| {
                archive::fetch(workshop, &url, sha256, python, folder)?;
                tried(workshop, folder)
            })
        }
        Source::Build { .. } => {
            let go = go::get(workshop)?;
            workshop.install(&name(workshop), |folder| {
                cli_build::build(workshop, &go, folder)?;
                tried(workshop, folder)
            })
        }
    }?;
    Ok(home.join("databricks"))
}

fn tried(workshop: &Workshop<'_>, folder: &Utf8Path) -> anyhow::Result<()> {
    let program = folder.join("databricks");
    match workshop.version(&program, &["--version"]) {
        Some(version) if version >= workshop.lock.databricks_cli.minimum => Ok(()),
        other => Failure::missing(match other {
            Some(version) => {
                format!("the download reports Databricks CLI {version}")
            }
            None => "the downloaded Databricks CLI does not run on this machine".to_owned(),
        })
        .next("install it yourself: https://docs.databricks.com/dev-tools/cli/install.html")
        .next(remedies::AGAIN)
        .err(),
    }
}

fn archives<'w>(workshop: &'w Workshop<'_>) -> &'w str {
    workshop
        .context
        .env
        .get(vars::XTASK_CLI_ARCHIVES)
        .unwrap_or("https://github.com/databricks/cli/releases/download")
        .trim_end_matches('/')
}

fn name(workshop: &Workshop<'_>) -> String {
    format!("databricks-{}", workshop.lock.databricks_cli.version)
}

/// The platform as in the archives' names.
fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}_{arch}")
}
