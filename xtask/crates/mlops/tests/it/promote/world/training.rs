//! What a training job leaves behind, made with a few calls instead of a minute's work: docs/records.md.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xtask_remote::databricks::files;
use xtask_remote::records::artifact_digest;

use super::{Place, World};

const CATALOG: &str = "/api/2.0/mlflow/unity-catalog";

/// A version that is to be trained.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    /// Where its plane starts: tells its predictions, its files and its digest from those of others.
    pub(crate) start: f64,
    /// `passed` or `rejected`; none where it was never validated.
    pub(crate) verdict: Option<&'static str>,
    /// What validation measured.
    pub(crate) metrics: BTreeMap<&'static str, Value>,
    /// The alias that it gets.
    pub(crate) alias: Option<&'static str>,
    /// Further files.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Default for Training {
    /// A good one, that becomes champion where it was trained.
    fn default() -> Training {
        Training {
            start: 1.5,
            verdict: Some("passed"),
            // A share of nothing is no number, and must not hide the others.
            metrics: BTreeMap::from([
                ("candidate_r2", json!(0.9)),
                ("champion_r2", json!(0.8)),
                ("candidate_share", json!("NaN")),
                ("champion_share", json!("Infinity")),
            ]),
            alias: Some("champion"),
            files: BTreeMap::new(),
        }
    }
}

/// A version that was trained.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// Its number.
    pub(crate) number: u64,
    /// The digest of its files.
    pub(crate) digest: String,
    /// The run that logged it.
    pub(crate) run: String,
    /// The run that validated it.
    pub(crate) validation: String,
}

impl World {
    /// Trains and validates a version at the near end.
    pub(crate) fn train(&self, training: &Training) -> Made {
        self.from.train(&self.commit, training)
    }
}

impl Place {
    /// Trains and validates a version of the code of a commit.
    pub(crate) fn train(&self, commit: &str, training: &Training) -> Made {
        let end = self;
        let before = end
            .champion()
            .map_or("none".to_owned(), |number| number.to_string());
        let code = [
            ("mlops_git_commit", commit),
            ("mlops_git_branch", "main"),
            ("mlops_job_id", "1"),
            ("mlops_job_run_id", "1"),
        ];
        let run = self.run("fit", &code, &BTreeMap::from([("fit_r2", json!(0.91))]));
        let validation = self.run("judge", &code, &training.metrics);
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in training.contents() {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let digest = artifact_digest(folder.path()).unwrap();
        let mut tags: Vec<(&str, &str)> = code.to_vec();
        tags.extend([
            ("mlops_training_digest", "sha256:7"),
            ("mlops_test_digest", "sha256:8"),
        ]);
        if training.verdict.is_some() {
            tags.push(("mlops_artifact_digest", &digest));
            tags.push(("mlops_validation_run_id", &validation));
            tags.push(("mlops_champion_at_validation", &before));
            tags.push(("mlops_verdict_reason", "every rule kept"));
            tags.push(("mlops_previous_champion", &before));
        }
        let body = json!({
            "name": end.model, "run_id": run, "tags": pairs(&tags),
            "source": format!("dbfs:/databricks/mlflow-tracking/{}/{run}/artifacts/plane", end.experiment),
        });
        let created = end.post(&format!("{CATALOG}/model-versions/create"), &body);
        let version = created["model_version"]["version"].clone();
        let text = version
            .as_str()
            .map_or_else(|| version.to_string(), str::to_owned);
        let number = text.parse().unwrap();
        let below = format!("/Models/{}/{number}", end.model.replace('.', "/"));
        for name in training.contents().keys() {
            files::upload(
                &end.http,
                &folder.path().join(name),
                &format!("{below}/{name}"),
            )
            .unwrap();
        }
        let which = json!({"name": end.model, "version": text});
        end.post(&format!("{CATALOG}/model-versions/finalize"), &which);
        if let Some(verdict) = training.verdict {
            let about = format!("{}/{number}", end.model);
            for (key, value) in [
                ("mlops_verdict_for", about.as_str()),
                ("mlops_verdict", verdict),
            ] {
                let mut tag = which.clone();
                tag["key"] = key.into();
                tag["value"] = value.into();
                end.post(&format!("{CATALOG}/model-versions/set-tag"), &tag);
            }
        }
        if let Some(alias) = training.alias {
            end.set_alias(alias, number);
        }
        Made {
            number,
            digest,
            run,
            validation,
        }
    }

    fn run(&self, name: &str, tags: &[(&str, &str)], metrics: &BTreeMap<&str, Value>) -> String {
        let end = self;
        let body = json!({"experiment_id": end.experiment, "run_name": name, "tags": pairs(tags)});
        let made = end.post("/api/2.0/mlflow/runs/create", &body);
        let run = made["run"]["info"]["run_id"].as_str().unwrap().to_owned();
        let metrics: Vec<Value> = metrics
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value, "timestamp": 1, "step": 0}))
            .collect();
        let body = json!({"run_id": run, "metrics": metrics});
        end.post("/api/2.0/mlflow/runs/log-batch", &body);
        run
    }
}

impl Training {
    fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let plane = json!({"start": self.start, "calls": 0.006, "bill": 0.002});
        let mut files = self.files.clone();
        files.insert("MLmodel".to_owned(), b"flavors: {}\n".to_vec());
        files.insert("plane.json".to_owned(), plane.to_string().into_bytes());
        files
    }
}

fn pairs(tags: &[(&str, &str)]) -> Vec<Value> {
    let pair = |(key, value): &(&str, &str)| json!({"key": key, "value": value});
    tags.iter().map(pair).collect()
}
