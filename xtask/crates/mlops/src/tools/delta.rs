//! Delta Lake for the Spark sessions of notebooks: jars from Maven Central. Only environments with the
//! matching pyspark need them, and notebooks without Delta run without them.

use camino::{Utf8Path, Utf8PathBuf};

use super::lock::Jars;
use super::workshop::Workshop;
use super::{Item, archive, consent, remedies, venv};
use crate::vars;

/// The folder of the jars, whether installed or not; `None` if tools.lock has none.
pub(crate) fn folder(workshop: &Workshop<'_>) -> Option<Utf8PathBuf> {
    let pinned = workshop.lock.delta.as_ref()?;
    Some(workshop.folder.join(name(pinned)))
}

/// Downloads the jars if the environment has the matching pyspark.
pub(crate) fn get(workshop: &Workshop<'_>, python: &Utf8Path) -> anyhow::Result<()> {
    let Some(pinned) = &workshop.lock.delta else {
        return Ok(());
    };
    if !fits(pinned, python) || workshop.installed(&name(pinned)).is_some() {
        return Ok(());
    }
    let what = format!("Delta Lake {}", pinned.version);
    if workshop.context.env.offline {
        return remedies::offline(&what).err();
    }
    consent::ask(workshop.context, &[item(&what)])?;
    let _alone = workshop.alone()?;
    if workshop.installed(&name(pinned)).is_some() {
        return Ok(());
    }
    let progress = workshop.context.ui.progress("Fetching", &what);
    workshop.install(&name(pinned), |folder| {
        for (jar, sha256) in &pinned.jars {
            let file = format!("{jar}-{}.jar", pinned.version);
            let url = format!(
                "{}/io/delta/{jar}/{}/{file}",
                server(workshop),
                pinned.version
            );
            let source = archive::Source {
                url: &url,
                sha256,
                mirror: vars::XTASK_MAVEN,
            };
            archive::download(workshop, &what, &source, &folder.join(file), &progress)?;
        }
        Ok(())
    })?;
    progress.finish("Fetched", &what);
    Ok(())
}

/// Whether an environment has the matching pyspark.
fn fits(pinned: &Jars, python: &Utf8Path) -> bool {
    let environment = python.parent().and_then(Utf8Path::parent);
    let Some(packages) = environment.and_then(venv::packages) else {
        return false;
    };
    let start = format!("pyspark-{}.", pinned.spark.minor());
    let entries = packages.read_dir_utf8().into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().starts_with(&start))
}

fn item(what: &str) -> Item {
    Item {
        what: what.to_owned(),
        how: "from Maven Central, 10 MB, for Delta tables in Spark notebooks".to_owned(),
        disk: 20_000_000,
        asks: true,
    }
}

fn server<'w>(workshop: &'w Workshop<'_>) -> &'w str {
    workshop
        .context
        .env
        .get(vars::XTASK_MAVEN)
        .unwrap_or("https://repo.maven.apache.org/maven2")
        .trim_end_matches('/')
}

fn name(pinned: &Jars) -> String {
    format!("delta-{}", pinned.version)
}
