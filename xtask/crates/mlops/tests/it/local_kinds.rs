//! The kinds of resources and tasks that `deploy` expects of a local workspace are those that it has. Which kinds there
//! are says the Databricks CLI's own schema of a bundle.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use xtask_remote::local::{RESOURCES, TASKS};
use xtask_remote::{Credentials, Error, Http, Method, Request, Transport as _};
use xtask_testkit::Workspace;

/// The call by which the CLI creates a resource of each kind.
const CREATES: &[(&str, &str)] = &[
    ("alerts", "/api/2.0/alerts"),
    ("apps", "/api/2.0/apps"),
    ("catalogs", "/api/2.1/unity-catalog/catalogs"),
    ("clusters", "/api/2.1/clusters/create"),
    ("dashboards", "/api/2.0/lakeview/dashboards"),
    ("database_catalogs", "/api/2.0/database/catalogs"),
    ("database_instances", "/api/2.0/database/instances"),
    ("experiments", "/api/2.0/mlflow/experiments/create"),
    (
        "external_locations",
        "/api/2.1/unity-catalog/external-locations",
    ),
    ("genie_spaces", "/api/2.0/genie/spaces"),
    ("instance_pools", "/api/2.0/instance-pools/create"),
    ("job_runs", "/api/2.2/jobs/run-now"),
    ("jobs", "/api/2.2/jobs/create"),
    ("model_serving_endpoints", "/api/2.0/serving-endpoints"),
    ("models", "/api/2.0/mlflow/registered-models/create"),
    ("pipelines", "/api/2.0/pipelines"),
    ("postgres_branches", "/api/2.0/postgres/projects/p/branches"),
    ("postgres_catalogs", "/api/2.0/postgres/catalogs"),
    (
        "postgres_databases",
        "/api/2.0/postgres/projects/p/branches/b/databases",
    ),
    (
        "postgres_endpoints",
        "/api/2.0/postgres/projects/p/branches/b/endpoints",
    ),
    ("postgres_projects", "/api/2.0/postgres/projects"),
    (
        "postgres_roles",
        "/api/2.0/postgres/projects/p/branches/b/roles",
    ),
    ("postgres_synced_tables", "/api/2.0/postgres/synced_tables"),
    (
        "quality_monitors",
        "/api/2.1/unity-catalog/tables/c.s.t/monitor",
    ),
    ("registered_models", "/api/2.1/unity-catalog/models"),
    ("schemas", "/api/2.1/unity-catalog/schemas"),
    ("secret_scopes", "/api/2.0/secrets/scopes/create"),
    ("sql_warehouses", "/api/2.0/sql/warehouses"),
    ("synced_database_tables", "/api/2.0/database/synced_tables"),
    (
        "vector_search_endpoints",
        "/api/2.0/vector-search/endpoints",
    ),
    ("vector_search_indexes", "/api/2.0/vector-search/indexes"),
    ("volumes", "/api/2.1/unity-catalog/volumes"),
];

/// The kinds of resources, and the kinds of tasks, that a bundle may declare.
fn kinds_of_the_cli() -> (BTreeSet<String>, BTreeSet<String>) {
    let program = std::env::var_os("DATABRICKS_CLI").expect("DATABRICKS_CLI names the real CLI");
    let output = Command::new(program).args(["bundle", "schema"]).output();
    let schema: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let fields = |path: &str| -> BTreeSet<String> {
        let declared = schema.pointer(path).unwrap();
        let fields = declared["oneOf"][0]["properties"].as_object().unwrap();
        fields.keys().cloned().collect()
    };
    let mut tasks = fields("/$defs/github.com/databricks/databricks-sdk-go/service/jobs.Task");
    tasks.retain(|field| field.ends_with("_task"));
    let resources = fields("/$defs/github.com/databricks/cli/bundle/config.Resources");
    (resources, tasks)
}

#[test]
fn what_a_local_workspace_is_said_to_have_it_has() {
    let (resources, tasks) = kinds_of_the_cli();
    let named: BTreeSet<String> = CREATES.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!(named, resources, "name the call that creates each kind");

    let workspace = Workspace::start();
    let token = Credentials::bearer(workspace.token());
    let http = Http::new(workspace.url(), token).unwrap();
    let post = |path: &str, body: &Value| {
        let request = Request::new(Method::Post, path).json(body);
        // MLflow is only starting.
        match http.send(&request.within(Duration::from_secs(120))) {
            Ok(_) => (200, String::new()),
            Err(Error::Refused {
                status, message, ..
            }) => (status, message),
            Err(other) => panic!("{path}: {other}"),
        }
    };
    for (kind, path) in CREATES {
        let (status, message) = post(path, &json!({}));
        let is_there = !(status == 501 || message.contains("No API found"));
        let is_said = RESOURCES.contains(kind);
        assert_eq!(is_there, is_said, "{kind}: {status} {message}");
    }
    for kind in &tasks {
        let mut task = json!({"task_key": "t"});
        task[kind] = json!({});
        let (_, message) = post(
            "/api/2.2/jobs/create",
            &json!({"name": "j", "tasks": [task]}),
        );
        let is_there = !message.contains(&format!("is a {kind}"));
        assert_eq!(is_there, TASKS.contains(&kind.as_str()), "{message}");
    }
}
