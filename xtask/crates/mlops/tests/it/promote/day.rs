//! A person's day with this repository's own project: two versions are trained, taken through staging into production,
//! which is another workspace, and one of them back; the predictions prove each time which version made them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use xtask_testkit::{Project, repository};

const PRODUCTION: &str = "mlops-local-prod";
const DATA: &str = "/Volumes/prod/mlops_stacks/mlops_stacks_data";
/// Prints the versions that the rows of each part name, and how far its predictions are from those of each model.
const COMPARE: &str = r#"
import json, sys
import mlflow, pandas as pd
from mlops_stacks.columns import INPUTS
from mlops_stacks.schema import with_exact_types
part, *models = sys.argv[1:]
rows = pd.read_parquet(part)
good = rows[rows["prediction"].notna()]
apart = []
for folder in models:
    again = mlflow.pyfunc.load_model(folder).predict(with_exact_types(good[list(INPUTS)]))
    apart.append(float(abs(again - good["prediction"]).max()))
print(json.dumps({"versions": sorted(set(rows["model_version"])), "rows": len(good), "apart": apart}))
"#;

struct Day {
    project: Project,
}

impl Day {
    /// A clone whose branches are where the targets want them, with production on a workspace of its own.
    fn begin() -> Day {
        let project = Project::of_this_repository(env!("CARGO_BIN_EXE_xtask-mlops"));
        let profile = "profile = \"mlops-local\"";
        let yaml = project.root().join("databricks.yml");
        let text = std::fs::read_to_string(&yaml).unwrap();
        let (before, after) = text.split_once("\n  prod:\n").unwrap();
        let after = after.replacen("mlops-local", PRODUCTION, 1);
        std::fs::write(yaml, format!("{before}\n  prod:\n{after}")).unwrap();
        project.edit(
            "xtask.toml",
            profile,
            &format!("others = [\"{PRODUCTION}\"]\n{profile}"),
        );
        let remote = project.home().join("origin.git");
        let remote = remote.to_str().unwrap();
        project.git(&["init", "--quiet", "--bare", remote]);
        project.git(&["remote", "add", "origin", remote]);
        let day = Day { project };
        day.commit("Production on a workspace of its own");
        day
    }

    fn commit(&self, message: &str) {
        self.project
            .git(&["commit", "--quiet", "--all", "--message", message]);
        let both = ["HEAD:refs/heads/main", "HEAD:refs/heads/release"];
        self.project
            .git(&[&["push", "--quiet", "origin"], &both[..]].concat());
    }

    fn deploy(&self) {
        for target in ["staging", "prod"] {
            let _ = self
                .project
                .succeed(&["deploy", "--target", target, "--yes"]);
        }
    }

    /// Trains and validates a version on the test target; its number.
    fn train(&self) -> u64 {
        let said = self.project.succeed(&["test", "integration", "--json"]);
        let told: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(told["verdict"], "passed", "{told}");
        told["integration"]["model"]["version"].as_u64().unwrap()
    }

    /// Takes the champion of test to production, by way of staging.
    fn promote(&self) {
        for (from, to) in [("test", "staging"), ("staging", "prod")] {
            let ends = ["promote", "--from", from, "--to", to, "--yes"];
            let said = self.project.succeed(&ends);
            assert!(said.stderr.contains("Predicted"), "{}", said.stderr);
        }
    }

    /// Runs the inference job of production; the part that it wrote.
    fn infer(&self, folder: &str) -> PathBuf {
        let output = format!("output={DATA}/{folder}");
        let known = self.parts(folder);
        let _ = self.project.succeed(&[
            "run",
            "batch_inference_job",
            "--target",
            "prod",
            "--param",
            &output,
        ]);
        let mut new = self.parts(folder);
        new.retain(|part| !known.contains(part));
        assert_eq!(new.len(), 1, "one part for one version");
        new.remove(0)
    }

    fn parts(&self, folder: &str) -> Vec<PathBuf> {
        let state = self
            .project
            .root()
            .join(".xtask/workspaces")
            .join(PRODUCTION);
        let path = state.join(format!(
            "volumes/prod/mlops_stacks/mlops_stacks_data/{folder}"
        ));
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The files of a version, as it was trained.
    fn model(&self, number: u64) -> PathBuf {
        let said = self.project.succeed(&[
            "model",
            "pull",
            "--target",
            "test",
            "--number",
            &number.to_string(),
        ]);
        self.project.root().join(said.stdout.trim())
    }

    /// Which version the rows of a part name, and whether it is one of these models that made the predictions.
    fn proves(&self, part: &Path, version: &str, models: [&Path; 2], made_by: usize) {
        let mut python = Command::new(repository().join(".venv/bin/python"));
        python.args(["-c", COMPARE]).arg(part).args(models);
        let said = python
            .env("PYTHONPATH", self.project.root().join("notebooks"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&said.stdout).into_owned();
        let told: Value = serde_json::from_str(told.lines().last().unwrap_or_default())
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said.stderr)));
        assert_eq!(told["versions"], serde_json::json!([version]), "{told}");
        let apart = [0, 1].map(|index| told["apart"][index].as_f64().unwrap());
        assert!(apart[made_by] < 1e-9, "{told}");
        assert!(apart[1 - made_by] > 0.01, "{told}");
    }

    fn production(&self) -> Value {
        let said = self.project.succeed(&["status", "--json"]);
        let facts: Value = serde_json::from_str(&said.stdout).unwrap();
        let environments = facts["environments"].as_array().unwrap();
        environments
            .iter()
            .find(|one| one["target"] == "prod")
            .unwrap()
            .clone()
    }
}

#[test]
fn the_predictions_prove_which_version_answered() {
    let day = Day::begin();
    day.deploy();
    let upload = ["data", "upload", "--target", "prod", "--generated", "--yes"];
    let _ = day.project.succeed(&upload);
    let first = day.train();
    day.promote();
    let one = day.infer("predictions");
    // Where it was trained is another workspace, which status asks for what was measured there.
    let champion = &day.production()["champion"];
    let rmse = champion["metrics"]["holdout_rmse"].as_f64();
    assert!(rmse.is_some_and(|rmse| rmse > 1.0), "{champion}");
    let run = champion["run_id"].as_str();
    assert_eq!(run.map(str::len), Some(32), "{champion}");

    // Another model, a little worse than the first one and good enough.
    day.project.edit(
        "notebooks/mlops_stacks/training.py",
        "rounds: int = 300",
        "rounds: int = 260",
    );
    day.commit("Grow fewer trees");
    day.deploy();
    let second = day.train();
    day.promote();
    let two = day.infer("predictions");

    // The same trips anew, beside the predictions that both versions have made of them.
    let undo = ["promote", "--to", "prod", "--undo", "--yes"];
    let _ = day.project.succeed(&undo);
    let back = day.infer("predictions_after_undo");

    let models = [day.model(first), day.model(second)];
    let models = [models[0].as_path(), models[1].as_path()];
    day.proves(&one, "1", models, 0);
    day.proves(&two, "2", models, 1);
    day.proves(&back, "1", models, 0);
    // Monitoring in production compares with the training set of the version that is champion: it came along.
    let production = day.production();
    assert_eq!(production["champion"]["version"], 1);
    let watched = &production["monitoring"];
    assert_eq!(watched["version"], 1, "{watched}");
    let reason = watched["reason"].as_str().unwrap();
    let compared = reason.contains("drift_trip_distance") && reason.contains("in training");
    assert!(compared, "{reason}");
}
