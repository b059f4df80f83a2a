//! Notebooks that really run: in Python processes, with MLflow behind the workspace.
//!
//! `XTASK_TEST_PYTHON` names the Python of an environment that has IPython and MLflow.

use reqwest::StatusCode;
use serde_json::json;

use crate::runs::{
    FOLDER, ended, output, processes_with, python, result, start, task, until, workspace,
};
use crate::server::Server;

#[tokio::test]
async fn a_later_task_gets_values_and_parameters_of_the_earlier_one() {
    let server = workspace().await;
    let run_id = start(
        &server,
        &[
            (
                "First",
                "dbutils.jobs.taskValues.set('n', 3)\ndbutils.notebook.exit('left early')\n",
            ),
            (
                "Second",
                "w = dbutils.widgets.getAll()\nprint(w['n'], w['who'], w['run'], \
                 dbutils.jobs.taskValues.get('First', 'n') + 1)\n",
            ),
        ],
        json!({"name": "values", "parameters": [{"name": "who", "default": "job"}], "tasks": [
            task("First", &[], &json!({})),
            task("Second", &["First"], &json!({"n": "{{tasks.First.values.n}}", "who": "task", "run": "{{job.run_id}}"})),
        ]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{run}");
    let first = output(&server, &run, 0).await;
    assert_eq!(first["notebook_output"]["result"], "left early");
    let second = output(&server, &run, 1).await;
    assert_eq!(second["logs"], format!("3 job {run_id} 4\n"));
    server.stop().await;
}

#[tokio::test]
async fn a_failing_notebook_names_cell_and_line_and_stops_what_follows() {
    let server = workspace().await;
    let source = "print('fine')\n# COMMAND ----------\n\nx = 1\nraise ValueError('no rows')\n";
    let run_id = start(
        &server,
        &[("Bad", source), ("Next", "print('never')\n")],
        json!({"name": "fails", "tasks": [task("Bad", &[], &json!({})), task("Next", &["Bad"], &json!({}))]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    assert_eq!(
        (
            &run["state"]["life_cycle_state"],
            &run["state"]["result_state"]
        ),
        (&json!("INTERNAL_ERROR"), &json!("FAILED"))
    );
    assert_eq!(
        (result(&run, 0), result(&run, 1)),
        ("FAILED", "UPSTREAM_FAILED")
    );
    let bad = output(&server, &run, 0).await;
    assert_eq!(
        bad["error"],
        format!("ValueError: no rows ({FOLDER}/Bad, cell 2, line 6)")
    );
    assert!(
        bad["error_trace"].as_str().unwrap().contains("Bad:6"),
        "{bad}"
    );
    let page = server
        .page(&format!("/jobs/{}/runs/{run_id}", run["job_id"]))
        .await;
    assert!(
        page.contains("failing cell 2") && page.contains("ValueError: no rows"),
        "{page}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_cancel_ends_every_process_of_the_run() {
    let server = workspace().await;
    let marker = format!("xtask-orphan-{}", std::process::id());
    let source = format!(
        "import subprocess, time\nsubprocess.Popen(['sh', '-c', 'sleep 300; : {marker}'])\n\
         print('began')\ntime.sleep(300)\n"
    );
    let run_id = start(
        &server,
        &[("Sleeps", &source), ("Next", "print('never')\n")],
        json!({"name": "sleeps", "tasks": [task("Sleeps", &[], &json!({})), task("Next", &["Sleeps"], &json!({}))]}),
    )
    .await;
    until(&server, run_id, |_| processes_with(&marker) > 0).await;
    let (status, body) = server
        .post("/api/2.2/jobs/runs/cancel", json!({"run_id": run_id}))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let run = ended(&server, run_id).await;
    assert_eq!(run["state"]["result_state"], "CANCELED", "{run}");
    assert_eq!((result(&run, 0), result(&run, 1)), ("CANCELED", "CANCELED"));
    assert_eq!(processes_with(&marker), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_ended() {
    let server = workspace().await;
    let mut slow = task("Slow", &[], &json!({}));
    slow["timeout_seconds"] = json!(2);
    let run_id = start(
        &server,
        &[("Slow", "import time\ntime.sleep(300)\n")],
        json!({"name": "slow", "tasks": [slow]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    assert_eq!(result(&run, 0), "TIMEDOUT", "{run}");
    server.stop().await;
}

#[tokio::test]
async fn the_token_of_a_run_is_void_when_it_has_ended() {
    let server = workspace().await;
    let source = "import os, urllib.request\ntoken = os.environ['DATABRICKS_TOKEN']\n\
        request = urllib.request.Request(os.environ['DATABRICKS_HOST'] + '/api/2.0/preview/scim/v2/Me',\n\
            headers={'Authorization': 'Bearer ' + token})\n\
        print(urllib.request.urlopen(request).status)\ndbutils.notebook.exit(token)\n";
    let run_id = start(
        &server,
        &[("Token", source)],
        json!({"name": "token", "tasks": [task("Token", &[], &json!({}))]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    let output = output(&server, &run, 0).await;
    assert_eq!(output["logs"], "200\n", "{output}");
    let token = output["notebook_output"]["result"].as_str().unwrap();
    assert_ne!(token, server.token.trim());
    let refused = server
        .client
        .get(format!("{}/api/2.0/preview/scim/v2/Me", server.url))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert!(
        matches!(
            refused.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ),
        "{}",
        refused.status()
    );
    server.stop().await;
}

#[tokio::test]
async fn what_ran_when_the_workspace_ended_is_closed() {
    let server = workspace().await;
    let marker = format!("xtask-restart-{}", std::process::id());
    let source =
        format!("import subprocess\nsubprocess.run(['sh', '-c', 'sleep 300; : {marker}'])\n");
    let run_id = start(
        &server,
        &[("Sleeps", &source)],
        json!({"name": "sleeps", "tasks": [task("Sleeps", &[], &json!({}))]}),
    )
    .await;
    until(&server, run_id, |_| processes_with(&marker) > 0).await;
    let state = server.stop().await;
    assert_eq!(processes_with(&marker), 0);
    let server = Server::start_with(state, None, python()).await;
    let run = ended(&server, run_id).await;
    assert_eq!(run["state"]["result_state"], "CANCELED", "{run}");
    server.stop().await;
}

#[tokio::test]
async fn a_model_is_logged_registered_named_and_loaded() {
    let server = workspace().await;
    for (path, body) in [
        ("/api/2.1/unity-catalog/catalogs", json!({"name": "dev"})),
        (
            "/api/2.1/unity-catalog/schemas",
            json!({"catalog_name": "dev", "name": "ml"}),
        ),
    ] {
        server.post(path, body).await;
    }
    let run_id = start(
        &server,
        &[
            ("Train", include_str!("notebooks/train.py")),
            ("Score", include_str!("notebooks/score.py")),
        ],
        json!({"name": "model", "tasks": [
            task("Train", &[], &json!({})),
            task("Score", &["Train"], &json!({"version": "{{tasks.Train.values.version}}"})),
        ]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    let (train, score) = (
        output(&server, &run, 0).await,
        output(&server, &run, 1).await,
    );
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{train} {score}");
    assert_eq!(
        score["notebook_output"]["result"], "prediction 6.0",
        "{score}"
    );

    // The same model from outside, and Databricks' tags on the run that made it.
    let path =
        "/api/2.0/mlflow/unity-catalog/registered-models/alias?name=dev.ml.taxi&alias=champion";
    let (_, champion) = server.get(path).await;
    assert_eq!(champion["model_version"]["status"], "READY", "{champion}");
    let mlflow_run = champion["model_version"]["run_id"].as_str().unwrap();
    let (_, found) = server
        .get(&format!("/api/2.0/mlflow/runs/get?run_id={mlflow_run}"))
        .await;
    let tags = found["run"]["data"]["tags"].as_array().unwrap();
    let tag = tags
        .iter()
        .find(|tag| tag["key"] == "mlflow.databricks.jobRunID")
        .unwrap();
    assert_eq!(tag["value"], run["tasks"][0]["run_id"].to_string());
    let (_, view) = server
        .get("/api/2.1/unity-catalog/models/dev.ml.taxi")
        .await;
    assert_eq!(view["full_name"], "dev.ml.taxi", "{view}");

    let (_, by_alias) = server
        .get("/api/2.1/unity-catalog/models/dev.ml.taxi/aliases/champion")
        .await;
    assert_eq!(by_alias["version"], 1, "{by_alias}");
    let (_, versions) = server
        .get("/api/2.1/unity-catalog/models/dev.ml.taxi/versions")
        .await;
    assert_eq!(versions["model_versions"][0]["run_id"], mlflow_run);

    // A run's page leads to both; a page somebody logged cannot act in the reader's name.
    let page = server
        .page(&format!("/jobs/{}/runs/{run_id}", run["job_id"]))
        .await;
    assert!(
        page.contains(&format!("/runs/{mlflow_run}"))
            && page.contains("/explore/data/models/dev/ml/taxi/version/1"),
        "{page}"
    );
    let report = server
        .request(
            reqwest::Method::GET,
            &format!("/mlflow/get-artifact?path=report.html&run_id={mlflow_run}"),
        )
        .send()
        .await
        .unwrap();
    assert_eq!(report.status(), StatusCode::OK);
    assert_eq!(report.headers()["content-security-policy"], "sandbox");

    // An experiment that was deleted can be made again.
    let name = json!({"name": "/Workspace/Users/ml.developer@workspace.local/again"});
    for _ in 0..2 {
        let (status, made) = server
            .post("/api/2.0/mlflow/experiments/create", name.clone())
            .await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let id = json!({"experiment_id": made["experiment_id"]});
        let address = format!(
            "/api/2.0/mlflow/experiments/get?experiment_id={}",
            made["experiment_id"].as_str().unwrap()
        );
        let (_, found) = server.get(&address).await;
        assert_eq!(
            found["experiment"]["name"],
            "/Users/ml.developer@workspace.local/again"
        );
        assert!(made["experiment_id"].as_str().unwrap().len() >= 8, "{made}");
        let tags = found["experiment"]["tags"].as_array().unwrap();
        let owner = json!({"key": "mlflow.ownerEmail", "value": "ml.developer@workspace.local"});
        assert!(tags.contains(&owner), "{found}");
        server.post("/api/2.0/mlflow/experiments/delete", id).await;
        assert_eq!(server.get(&address).await.0, StatusCode::NOT_FOUND);
    }
    server.stop().await;
}
