//! A model version is copied as MLflow's own client does it: within a workspace from catalog to catalog, and from one
//! workspace to another that runs beside it. Its files stay the same.

use std::process::Command;

use serde_json::{Value, json};

use crate::runs::python;
use crate::server::Server;

/// Registers a model in the profile `one`, copies it there from `dev` to `prod`, and on to the profile `two`. Prints the
/// digest of the files of each.
const SCRIPT: &str = r#"
import hashlib, json, pathlib, tempfile
import mlflow
from mlflow.models import infer_signature
from mlflow.store._unity_catalog.registry.rest_store import UcModelRegistryStore

def predict(model_input):
    return model_input

def digest(folder):
    total = hashlib.sha256()
    for file in sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        # Unity Catalog adds this one when a model is registered.
        if name != "registered_model_meta":
            content = file.read_bytes()
            total.update(f"{name} {len(content)} {hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()

def download(profile, name, version):
    mlflow.set_registry_uri(f"databricks-uc://{profile}")
    return mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=tempfile.mkdtemp())

def register(profile, name, source, folder):
    store = UcModelRegistryStore(f"databricks-uc://{profile}", f"databricks://{profile}")
    store.create_registered_model(name)
    made = store.create_model_version(name, source, local_model_path=folder, model_id=None)
    assert made.status == "READY", made
    store.set_registered_model_alias(name, "champion", made.version)
    return made.version

model = tempfile.mkdtemp() + "/model"
mlflow.pyfunc.save_model(model, python_model=predict, signature=infer_signature(["a"], ["a"]),
                         pip_requirements=["mlflow"])
digests = {"saved": digest(model)}
version = register("one", "dev.ml.taxi", model, model)
for profile, name, source_profile, source in [
    ("one", "prod.ml.taxi", "one", "dev.ml.taxi"),
    ("two", "prod.ml.taxi", "one", "prod.ml.taxi"),
]:
    folder = download(source_profile, source, "1")
    register(profile, name, f"models:/{source}/1", folder)
    digests[f"{profile}/{name}"] = digest(download(profile, name, "1"))
print(json.dumps(digests))
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_the_same_files_across_catalogs_and_across_workspaces() {
    let begin = || Server::start_with(tempfile::tempdir().unwrap(), None, python());
    let (one, two) = (begin().await, begin().await);
    assert_ne!(
        (&one.port, &one.workspace_id),
        (&two.port, &two.workspace_id)
    );
    let dir = tempfile::tempdir().unwrap();
    let mut profiles = String::new();
    for (name, server) in [("one", &one), ("two", &two)] {
        for catalog in ["dev", "prod"] {
            let schema = json!({"catalog_name": catalog, "name": "ml"});
            let (status, reply) = server.post("/api/2.1/unity-catalog/schemas", schema).await;
            assert!(status.is_success(), "{reply}");
        }
        profiles += &format!(
            "[{name}]\nhost = {}\ntoken = {}\n",
            server.url, server.token
        );
    }
    let config = dir.path().join("databrickscfg");
    std::fs::write(&config, profiles).unwrap();
    let mut command = Command::new(python());
    command
        .args(["-c", SCRIPT])
        .current_dir(dir.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir.path())
        .env("DATABRICKS_CONFIG_FILE", &config)
        .env("NO_PROXY", "127.0.0.1")
        .env(
            "MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC",
            "true",
        )
        .env("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let said = String::from_utf8_lossy(&output.stdout);
    let digests: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    for copy in ["one/prod.ml.taxi", "two/prod.ml.taxi"] {
        assert_eq!(digests[copy], digests["saved"], "{digests}");
    }
    let path = "/api/2.1/unity-catalog/models/prod.ml.taxi/aliases/champion";
    let (_, version) = two.get(path).await;
    assert_eq!(
        (&version["version"], &version["source"]),
        (&json!(1), &json!("models:/prod.ml.taxi/1")),
        "{version}"
    );
    // What is only in the first workspace is only there.
    let missing = "/api/2.1/unity-catalog/models/dev.ml.taxi";
    assert!(one.get(missing).await.0.is_success());
    assert_eq!(two.get(missing).await.0.as_u16(), 404);
    one.stop().await;
    two.stop().await;
}
