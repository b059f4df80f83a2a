//! Transfers a model version's files: with the Files API for a local workspace, with MLflow's client for
//! Databricks.

use std::collections::BTreeMap;
use std::path::Path;

use camino::Utf8PathBuf;
use xtask_promotion::{Carrier, Error, OnBytes, OverArtifacts, OverRest, Refusal};
use xtask_remote::databricks::registry::RegistryKind;
use xtask_remote::databricks::workspace_models;
use xtask_remote::{Request, Transport};

use crate::databricks::{ANSWER, Target};
use crate::tools::Toolbox;

/// Fetches a version's files into a folder.
const FETCH: &str = include_str!("model_files/fetch.py");
/// Uploads a folder into a version that is pending registration.
const STORE: &str = include_str!("model_files/store.py");

/// The transfer for the models of a target.
pub(crate) fn carrier<'a>(
    toolbox: &'a Toolbox,
    target: &'a Target<'a>,
    registry: RegistryKind,
) -> Box<dyn Carrier + 'a> {
    match (&target.local, registry) {
        (Some(_), RegistryKind::UnityCatalog) => Box::new(OverRest),
        (Some(_), RegistryKind::Workspace) => Box::new(OverArtifacts),
        (None, _) => Box::new(ByMlflow {
            target,
            python: &toolbox.mlflow,
            registry,
        }),
    }
}

/// MLflow's client, signed in by the Databricks CLI: neither the token nor the storage credentials reach
/// this process.
struct ByMlflow<'a> {
    target: &'a Target<'a>,
    python: &'a Utf8PathBuf,
    registry: RegistryKind,
}

impl ByMlflow<'_> {
    /// Runs a script with these arguments, and behind them where MLflow finds runs and models.
    fn run(&self, script: &str, args: &[&str], what: &str) -> Result<(), Error> {
        let (tracking, registry) = self.addresses();
        let mut args = [&["-c", script], args].concat();
        args.extend([tracking.as_str(), &registry]);
        let ran = self
            .target
            .run_signed_in(self.python.as_str(), &args, &mut |_| ());
        let details = match ran {
            Ok(ran) if ran.ok() => return Ok(()),
            Ok(ran) => ran.tail,
            Err(_) if self.target.is_interrupted() => return Err(Error::Interrupted),
            Err(error) => format!("{error:#}"),
        };
        Refusal::new(format!("MLflow could not {what}"))
            .details(details)
            .next("run it again with --explain")
            .err()
    }
}

impl ByMlflow<'_> {
    /// MLflow's names for the tracking server and the registry. The profile is explicit: MLflow would use
    /// DEFAULT.
    fn addresses(&self) -> (String, String) {
        let known = self.target.signed_in(ANSWER).ok();
        let profile = known.and_then(|known| known.profile.as_ref());
        let of = |kind: &str| match profile {
            Some(profile) => format!("{kind}://{profile}"),
            None => kind.to_owned(),
        };
        let registry = match self.registry {
            RegistryKind::UnityCatalog => "databricks-uc",
            RegistryKind::Workspace => "databricks",
        };
        (of("databricks"), of(registry))
    }
}

impl Carrier for ByMlflow<'_> {
    fn list(
        &self,
        transport: &dyn Transport,
        model: &str,
        version: u64,
    ) -> Result<BTreeMap<String, u64>, Error> {
        match self.registry {
            RegistryKind::UnityCatalog => OverRest.list(transport, model, version),
            RegistryKind::Workspace => Ok(workspace_models::files(transport, model, version)?),
        }
    }

    fn fetch(
        &self,
        _transport: &dyn Transport,
        model: &str,
        version: u64,
        folder: &Path,
        _on_bytes: OnBytes<'_>,
    ) -> Result<(), Error> {
        // MLflow downloads everything again.
        let failed = |source| Error::local(folder, source);
        std::fs::remove_dir_all(folder).map_err(failed)?;
        std::fs::create_dir_all(folder).map_err(failed)?;
        let source = format!("models:/{model}/{version}");
        let folder = folder.to_string_lossy();
        let what = format!("fetch version {version} of {model}");
        self.run(FETCH, &[&source, &folder], &what)
    }

    fn uploads(&self, model: &str, version: &str, folder: &Path, names: &[&str]) -> Vec<Request> {
        match self.registry {
            // The calls that MLflow's client makes for registries that store files.
            RegistryKind::UnityCatalog => OverRest.uploads(model, version, folder, names),
            RegistryKind::Workspace => Vec::new(),
        }
    }

    fn store(
        &self,
        _transport: &dyn Transport,
        model: &str,
        version: u64,
        folder: &Path,
        calls: &[(Request, u64)],
        _on_bytes: OnBytes<'_>,
    ) -> Result<(), Error> {
        if calls.is_empty() {
            return Ok(());
        }
        let (version, folder) = (version.to_string(), folder.to_string_lossy());
        let what = format!("send the files of version {version} of {model}");
        self.run(STORE, &[model, &version, &folder], &what)
    }
}
