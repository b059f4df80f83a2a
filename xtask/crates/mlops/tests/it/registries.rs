//! This project in a workspace's own, older registry: trained, promoted, taken back; with aliases, and with stages
//! where the server has none. The recipe is that of docs/registries.md.

use serde_json::{Value, json};
use xtask_testkit::{Project, Said, Workspace};

use crate::status::environments::{environment, facts};

const SOURCE: &str = "test";
const DESTINATION: &str = "dev";
const MODEL: &str = "[dev ml_developer] dev-mlops_stacks-model";
const ALIAS: &str = "/api/2.0/mlflow/registered-models/alias";

/// This project, with its model in the workspace's own registry.
fn project() -> Project {
    let project = Project::of_this_repository(env!("CARGO_BIN_EXE_xtask-mlops"));
    let model = std::fs::read_to_string(project.root().join("resources/model.yml")).unwrap();
    let start = model.find("  registered_models:").unwrap();
    let end = model.find("  experiments:").unwrap();
    let own =
        "  models:\n    mlops_stacks_model:\n      name: ${bundle.target}-mlops_stacks-model\n\n";
    let model = format!("{}{own}{}", &model[..start], &model[end..]);
    std::fs::write(project.root().join("resources/model.yml"), model).unwrap();
    for file in [
        "resources/training-job.yml",
        "resources/batch-inference-job.yml",
    ] {
        project.edit(file, "resources.registered_models.", "resources.models.");
    }
    project.edit(
        "xtask.toml",
        "[model]\n",
        "[model]\nregistry = \"workspace\"\n",
    );
    project.git(&[
        "commit",
        "--quiet",
        "--all",
        "--message",
        "The older registry",
    ]);
    project
}

fn train(project: &Project) {
    let _ = project.succeed(&["test", "integration", "--force"]);
}

fn promote(project: &Project, more: &[&str]) -> Value {
    let ends = ["promote", "--yes", "--json"];
    let said = project.succeed(&[&ends[..], more].concat());
    serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}", said.stderr))
}

fn forward(project: &Project, more: &[&str]) -> Value {
    promote(
        project,
        &[&["--from", SOURCE, "--to", DESTINATION], more].concat(),
    )
}

/// Champion and challenger of a target, as `status` tells.
fn standing(project: &Project, target: &str) -> (Value, Value) {
    let facts = facts(project);
    let there = environment(&facts, target);
    assert_eq!(there["unknown"], json!([]), "{there}");
    let number = |what: &str| there[what]["version"].clone();
    (number("champion"), number("challenger"))
}

/// The calls that a plan names, without those of the lock.
fn calls(answer: &Value) -> Vec<String> {
    let steps = answer["steps"].as_array().unwrap().iter();
    let calls = steps.flat_map(|step| step["calls"].as_array().unwrap());
    calls
        .map(|call| {
            format!(
                "{} {}",
                call["method"].as_str().unwrap(),
                call["path"].as_str().unwrap()
            )
        })
        .filter(|call| call.contains("/mlflow/"))
        .collect()
}

/// The stages of all versions of the destination, in the order of their numbers.
fn stages(project: &Project) -> String {
    python(
        project,
        &format!(
            "found = MlflowClient().search_model_versions(\"name='{MODEL}'\")\n\
             print([v.current_stage for v in sorted(found, key=lambda v: int(v.version))])"
        ),
    )
}

/// What a script with MLflow's client prints.
fn python(project: &Project, script: &str) -> String {
    let script = format!("from mlflow import MlflowClient\n{script}");
    std::fs::write(project.root().join(".xtask/script.py"), script).unwrap();
    let line =
        "eval \"$(cargo xtask workspace env)\" && .venv/bin/python .xtask/script.py 2>/dev/null";
    let said = Said::from(project.shell(line).output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    said.stdout.trim().to_owned()
}

/// A day of the model. `moves` is the call by which a version gets an alias.
fn day(project: &Project, moves: &str) {
    let nobody = (Value::Null, Value::Null);
    train(project);
    assert_eq!(standing(project, SOURCE), (json!(1), Value::Null));
    let _ = project.succeed(&["deploy", "--target", DESTINATION, "--yes"]);
    assert_eq!(standing(project, DESTINATION), nobody);

    // The plan names the calls, and nothing is sent.
    let planned = forward(project, &["--dry-run"]);
    let named = calls(&planned);
    assert!(
        named.contains(&"POST /api/2.0/mlflow/model-versions/create".to_owned()),
        "{named:?}"
    );
    assert_eq!(
        named.iter().filter(|call| *call == moves).count(),
        2,
        "{named:?}"
    );
    assert!(
        named.iter().all(|call| !call.contains("unity-catalog")),
        "{named:?}"
    );
    assert_eq!(standing(project, DESTINATION), nobody);

    let first = forward(project, &[]);
    assert_eq!(
        (&first["outcome"], &first["promoted"]),
        (&json!("promoted"), &json!(1))
    );
    assert_eq!(standing(project, DESTINATION), (json!(1), Value::Null));
    assert_eq!(forward(project, &[])["outcome"], "unchanged");

    // Its files are those that were validated.
    let pulled = project.succeed(&["model", "pull", "--target", DESTINATION]);
    assert!(
        pulled.stderr.contains("those that were validated"),
        "{}",
        pulled.stderr
    );

    // Undo of the first promotion: there is no champion; the version stays and is reused.
    let undone = promote(project, &["--to", DESTINATION, "--undo"]);
    assert_eq!(undone["outcome"], "undone", "{undone}");
    assert_eq!(standing(project, DESTINATION), nobody);
    assert_eq!(forward(project, &[])["promoted"], 1);

    // The links are those of this registry, and nothing drifts.
    let facts = facts(project);
    let there = environment(&facts, DESTINATION);
    assert_eq!(
        (&there["model"], &there["drift"]["changes"]),
        (&json!(MODEL), &json!({}))
    );
    let links = there["links"].as_array().unwrap();
    let versions = &links[0];
    assert_eq!(versions["state"], "right", "{there}");
    let page = "/ml/models/%5Bdev%20ml_developer%5D%20dev-mlops_stacks-model";
    assert!(
        versions["url"].as_str().unwrap().ends_with(page),
        "{versions}"
    );
}

/// A second version, and back to the first; the names of the predictions say which version made them.
fn next_day(project: &Project) {
    let _ = project.succeed(&["data", "upload", "--target", DESTINATION, "--yes"]);
    train(project);
    assert_eq!(standing(project, SOURCE).0, json!(2));
    let second = forward(project, &[]);
    assert_eq!(
        (&second["promoted"], &second["previous_champion"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(standing(project, DESTINATION), (json!(2), Value::Null));
    infer(project);
    let made = predictions(project);
    assert!(
        made.contains("-version-2.parquet") && !made.contains("-version-1.parquet"),
        "{made}"
    );
    let _ = promote(project, &["--to", DESTINATION, "--undo"]);
    assert_eq!(standing(project, DESTINATION), (json!(1), Value::Null));
    infer(project);
    let made = predictions(project);
    assert!(made.contains("-version-1.parquet"), "{made}");
    let history = promote(project, &["--to", DESTINATION, "--history"]);
    assert_eq!(
        history["promotions"].as_array().unwrap().len(),
        3,
        "{history}"
    );
}

fn infer(project: &Project) {
    let _ = project.succeed(&["run", "batch_inference_job", "--target", DESTINATION]);
}

/// The files of the folder of predictions.
fn predictions(project: &Project) -> String {
    let folder = "Volumes/dev/dev_ml_developer_mlops_stacks/mlops_stacks_data/predictions";
    let line = format!(
        "eval \"$(cargo xtask workspace env)\" && curl --silent --fail-with-body --noproxy '*' \
         -H \"Authorization: Bearer $DATABRICKS_TOKEN\" \"$DATABRICKS_HOST/api/2.0/fs/directories/{folder}\""
    );
    let said = Said::from(project.shell(&line).output().unwrap());
    assert_eq!(said.code, Some(0), "{}{}", said.stderr, said.stdout);
    said.stdout
}

#[test]
fn with_stages_where_the_server_has_no_aliases() {
    let workspace = Workspace::without(
        &["GET", "POST", "DELETE"]
            .map(|method| format!("{method} {ALIAS}"))
            .each_ref()
            .map(|route| route.as_str()),
    );
    let project = project();
    project.at(".xtask/workspace", workspace.url(), workspace.token());
    day(
        &project,
        "POST /api/2.0/mlflow/model-versions/transition-stage",
    );
    next_day(&project);
    assert_eq!(stages(&project), "['Production', 'Archived']");
    let _ = project.succeed(&["destroy", "--target", DESTINATION, "--yes"]);
}

#[test]
fn with_aliases_where_the_server_has_them() {
    let project = project();
    // What is deployed beside the commit is said wherever the commit is.
    std::fs::write(project.root().join("notebooks/stray.py"), "# stray\n").unwrap();
    let edits = "1 edited file";
    day(&project, &format!("POST {ALIAS}"));
    let facts = facts(&project);
    let there = environment(&facts, SOURCE);
    assert_eq!(there["deployment"]["edits"], edits, "{there}");
    let screen = project.succeed(&["status"]);
    assert!(
        screen.stdout.contains(&format!("+ {edits}")),
        "{}",
        screen.stdout
    );
    let planned = project.succeed(&[
        "promote",
        "--to",
        DESTINATION,
        "--from",
        SOURCE,
        "--dry-run",
    ]);
    let said = format!("{}{}", planned.stdout, planned.stderr);
    assert!(said.contains(&format!(" + {edits}")), "{said}");
    assert!(said.contains("which were not reviewed"), "{said}");
    // So is a training run that was deleted, with the metrics that the version rests on.
    let run = forward(&project, &["--dry-run"])["evidence"]["run"].to_string();
    python(&project, &format!("MlflowClient().delete_run({run})"));
    let evidence = forward(&project, &["--dry-run"])["evidence"].take();
    assert_eq!(evidence["run_is_deleted"], true, "{evidence}");
    let warned = evidence["warnings"].to_string();
    assert!(warned.contains("was deleted"), "{warned}");
    assert_eq!(stages(&project), "['None']");
}
