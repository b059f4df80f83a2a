//! Secrets: written and read by the real CLI, used by notebooks, hidden in what they give out.

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cli::{attempted, databricks};
use crate::identities::Service;
use crate::runs::{ended, output, start, task, workspace};
use crate::server::Server;

const VALUE: &str = "correct horse battery staple";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cli_keeps_scopes_secrets_and_access() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let args: Vec<&str> = ["secrets"]
            .into_iter()
            .chain(args.iter().copied())
            .chain(["-o", "json"])
            .collect();
        let done = tokio::task::block_in_place(|| databricks(&server, folder.path(), &args));
        serde_json::from_slice::<Value>(&done.stdout).unwrap_or(Value::Null)
    };
    let refused = |args: &[&str], why: &str| {
        let args: Vec<&str> = ["secrets"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        let done = tokio::task::block_in_place(|| attempted(&server, folder.path(), &args));
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(why), "{said}");
    };
    run(&["create-scope", "ml"]);
    refused(&["create-scope", "ml"], "Scope ml already exists!");
    refused(&["create-scope", "no blanks"], "scope must have");
    run(&["put-secret", "ml", "index", "--string-value", VALUE]);
    run(&["put-secret", "ml", "other", "--string-value", "x"]);
    refused(
        &["put-secret", "lost", "a", "--string-value", "x"],
        "Scope lost does not exist!",
    );
    let secrets = run(&["list-secrets", "ml"]);
    assert_eq!(
        (&secrets[0]["key"], &secrets[1]["key"]),
        (&json!("index"), &json!("other"))
    );
    assert!(!secrets.to_string().contains(VALUE));
    let got = run(&["get-secret", "ml", "index"]);
    assert_eq!(
        got["value"],
        base64::engine::general_purpose::STANDARD.encode(VALUE)
    );
    run(&["delete-secret", "ml", "other"]);
    refused(
        &["get-secret", "ml", "other"],
        "Secret does not exist with scope: ml and key: other",
    );

    run(&["put-acl", "ml", "users", "READ"]);
    let acls = run(&["list-acls", "ml"]);
    assert_eq!(
        acls[0],
        json!({"principal": "ml.developer@workspace.local", "permission": "MANAGE"})
    );
    assert_eq!(run(&["get-acl", "ml", "users"])["permission"], "READ");
    run(&["delete-acl", "ml", "users"]);
    refused(&["get-acl", "ml", "users"], "users");
    assert_eq!(
        run(&["list-scopes"]),
        json!([{"name": "ml", "backend_type": "DATABRICKS"}])
    );
    run(&["delete-scope", "ml"]);
    refused(&["list-secrets", "ml"], "Scope ml does not exist!");
    for file in std::fs::read_dir(server.state())
        .unwrap()
        .map(Result::unwrap)
    {
        if file
            .file_name()
            .to_string_lossy()
            .starts_with("workspace.db")
        {
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file:?}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn another_identity_has_what_it_was_given() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    for (path, body) in [
        ("scopes/create", json!({"scope": "ml"})),
        (
            "put",
            json!({"scope": "ml", "key": "index", "string_value": VALUE}),
        ),
    ] {
        server.post(&format!("/api/2.0/secrets/{path}"), body).await;
    }
    let read = "/api/2.0/secrets/get?scope=ml&key=index";
    let (status, body) = ci.get(&server, read).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("does not have READ permission on scope ml")
    );
    let acl = json!({"scope": "ml", "principal": ci.application_id, "permission": "READ"});
    server.post("/api/2.0/secrets/acls/put", acl).await;
    assert_eq!(ci.get(&server, read).await.0, StatusCode::OK);
    let write = json!({"scope": "ml", "key": "index", "string_value": "x"});
    assert_eq!(
        ci.post(&server, "/api/2.0/secrets/put", write).await.0,
        StatusCode::FORBIDDEN
    );
    // What it makes is its own.
    let own = json!({"scope": "own"});
    assert_eq!(
        ci.post(&server, "/api/2.0/secrets/scopes/create", own.clone())
            .await
            .0,
        StatusCode::OK
    );
    let acls = ci
        .get(&server, "/api/2.0/secrets/acls/list?scope=own")
        .await
        .1;
    assert_eq!(acls["items"][0]["principal"], ci.application_id);
    assert_eq!(
        ci.post(&server, "/api/2.0/secrets/scopes/delete", own)
            .await
            .0,
        StatusCode::OK
    );
    server.stop().await;
}

#[tokio::test]
async fn a_notebook_uses_a_secret_and_nothing_shows_it() {
    let server = workspace().await;
    for (path, body) in [
        ("scopes/create", json!({"scope": "ml"})),
        (
            "put",
            json!({"scope": "ml", "key": "index", "string_value": VALUE}),
        ),
        (
            "put",
            json!({"scope": "ml", "key": "raw", "bytes_value": "AAEC"}),
        ),
    ] {
        let (status, reply) = server.post(&format!("/api/2.0/secrets/{path}"), body).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
    }
    let source = "value = dbutils.secrets.get('ml', 'index')\nprint('it is', value, len(value))\n\
        print(dbutils.secrets.listScopes()[0].name, [s.key for s in dbutils.secrets.list('ml')])\n\
        print(dbutils.secrets.getBytes('ml', 'raw'))\n\
        displayHTML('<b>' + value + '</b>')\nimport os\nos.environ['VALUE'] = value\n# COMMAND ----------\n\
        # MAGIC %sh\n# MAGIC echo \"the shell has $VALUE\"\n# COMMAND ----------\nvalue\n";
    let run_id = start(
        &server,
        &[
            ("Uses", &format!("{source}# COMMAND ----------\nraise ValueError(value)\n")),
            ("Exits", "dbutils.notebook.exit(dbutils.secrets.get('ml', 'index'))\n"),
            ("Lost", "dbutils.secrets.get('ml', 'nothing')\n"),
            (
                "Dies",
                "value = dbutils.secrets.get('ml', 'index')\nimport os, subprocess\n\
                 subprocess.run('echo the child has $VALUE', shell=True, env={**os.environ, 'VALUE': value})\n\
                 os.write(2, f'dying with {value}{\"!\" * 3990}'.encode())\nos._exit(3)\n",
            ),
        ],
        json!({"name": "secrets", "tasks": [
            task("Uses", &[], &json!({})), task("Exits", &[], &json!({})), task("Lost", &[], &json!({})),
            task("Dies", &[], &json!({})),
        ]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    let uses = output(&server, &run, 0).await;
    assert_eq!(
        uses["logs"],
        format!(
            "it is [REDACTED] {}\nml ['index', 'raw']\nb'\\x00\\x01\\x02'\nthe shell has [REDACTED]\n",
            VALUE.len()
        )
    );
    assert!(
        uses["error"]
            .as_str()
            .unwrap()
            .starts_with("ValueError: [REDACTED] ("),
        "{uses}"
    );
    assert_eq!(
        output(&server, &run, 1).await["notebook_output"]["result"],
        "[REDACTED]"
    );
    let lost = output(&server, &run, 2).await;
    assert!(
        lost["error"]
            .as_str()
            .unwrap()
            .contains("databricks secrets put-secret ml nothing"),
        "{lost}"
    );
    let dies = output(&server, &run, 3).await;
    let trace = dies["error_trace"].as_str().unwrap();
    assert!(trace.ends_with("!!!"), "{dies}");
    // The end of the log begins within the value, and shows no part of it.
    assert!(!dies.to_string().contains("staple"), "{dies}");
    let page = server
        .page(&format!("/jobs/{}/runs/{run_id}", run["job_id"]))
        .await;
    assert!(
        page.contains("[REDACTED]") && !page.contains(VALUE),
        "{page}"
    );
    for task in run["tasks"].as_array().unwrap() {
        // The log on disk has them neither.
        let folder = server.state().join("runs").join(task["run_id"].to_string());
        for file in std::fs::read_dir(folder)
            .unwrap()
            .map(Result::unwrap)
            .filter(|file| file.path().is_file())
        {
            let text = std::fs::read(file.path()).unwrap();
            assert!(!String::from_utf8_lossy(&text).contains(VALUE), "{file:?}");
        }
    }
    server.stop().await;
}
