//! Somebody else than the workspace's own user: who they are, how they get in, and what belongs to them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, job, read};

const SCIM: &str = "/api/2.0/preview/scim/v2";
const USER: &str = "ml.developer@workspace.local";

/// A service principal with a token of its own.
pub(crate) struct Service {
    /// Id in SCIM.
    pub(crate) id: String,
    /// Its name in jobs and permissions.
    pub(crate) application_id: String,
    pub(crate) token: String,
}

impl Service {
    pub(crate) async fn create(server: &Server, name: &str) -> Service {
        let (status, made) = server
            .post(
                &format!("{SCIM}/ServicePrincipals"),
                json!({"displayName": name}),
            )
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let application_id = made["applicationId"].as_str().unwrap().to_owned();
        let (status, token) = server
            .post(
                "/api/2.0/token-management/on-behalf-of/tokens",
                json!({"application_id": application_id, "comment": "test", "lifetime_seconds": 3600}),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{token}");
        Service {
            id: made["id"].as_str().unwrap().to_owned(),
            application_id,
            token: token["token_value"].as_str().unwrap().to_owned(),
        }
    }

    /// A request in the name of the service principal.
    pub(crate) async fn send(
        &self,
        server: &Server,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = server
            .client
            .request(method, format!("{}{path}", server.url))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, server: &Server, path: &str) -> (StatusCode, Value) {
        self.send(server, Method::GET, path, None).await
    }

    pub(crate) async fn post(
        &self,
        server: &Server,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        self.send(server, Method::POST, path, Some(body)).await
    }
}

#[tokio::test]
async fn a_service_principal_is_who_it_is_and_what_it_makes_is_its_own() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let (_, me) = ci.get(&server, &format!("{SCIM}/Me")).await;
    assert_eq!(
        (&me["userName"], &me["displayName"], &me["id"]),
        (&json!(ci.application_id), &json!("ci"), &json!(ci.id))
    );
    let (_, mine) = server.get(&format!("{SCIM}/Me")).await;
    assert_eq!(mine["userName"], USER);
    assert_eq!(mine["groups"][0]["display"], "admins");

    let (_, made) = ci
        .post(&server, "/api/2.2/jobs/create", job("theirs"))
        .await;
    let id = &made["job_id"];
    let (_, shown) = server.get(&format!("/api/2.2/jobs/get?job_id={id}")).await;
    assert_eq!(
        (&shown["creator_user_name"], &shown["run_as_user_name"]),
        (&json!(ci.application_id), &json!(ci.application_id))
    );
    let (_, acl) = server.get(&format!("/api/2.0/permissions/jobs/{id}")).await;
    assert_eq!(
        acl["access_control_list"][0]["service_principal_name"], ci.application_id,
        "{acl}"
    );
    let (status, schema) = ci
        .post(
            &server,
            "/api/2.1/unity-catalog/schemas",
            json!({"catalog_name": "prod", "name": "ml"}),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{schema}");
    assert_eq!(schema["owner"], ci.application_id);
    // A home folder comes with the identity; others' are closed.
    let home = format!("/Workspace/Users/{}/.bundle", ci.application_id);
    let mkdirs = |path: &str| json!({ "path": path });
    let (status, body) = ci
        .post(&server, "/api/2.0/workspace/mkdirs", mkdirs(&home))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    for closed in [
        format!("/Users/{USER}/x"),
        "/x".into(),
        "/Users/other".into(),
    ] {
        let (status, body) = ci
            .post(&server, "/api/2.0/workspace/mkdirs", mkdirs(&closed))
            .await;
        assert_eq!(
            (status, &body["error_code"]),
            (StatusCode::FORBIDDEN, &json!("PERMISSION_DENIED")),
            "{closed}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_job_is_closed_to_whom_its_permissions_do_not_name() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let (_, made) = server.post("/api/2.2/jobs/create", job("mine")).await;
    let id = made["job_id"].as_i64().unwrap();
    let get = format!("/api/2.2/jobs/get?job_id={id}");
    let list = "/api/2.2/jobs/list";
    let run = || json!({ "job_id": id });
    let allow = |level: &str| {
        json!({"access_control_list": [{"user_name": USER, "permission_level": "IS_OWNER"},
            {"service_principal_name": ci.application_id, "permission_level": level}]})
    };
    let permissions = format!("/api/2.0/permissions/jobs/{id}");
    let set = async |body: Value| {
        let request = server.request(Method::PUT, &permissions).json(&body);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    };

    let (status, body) = ci.get(&server, &get).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(
        body["message"],
        format!(
            "User {} does not have View or Admin or Manage Run or Owner permissions on job {id}",
            ci.application_id
        )
    );
    assert_eq!(ci.get(&server, list).await.1["jobs"], Value::Null);

    set(allow("CAN_VIEW")).await;
    assert_eq!(ci.get(&server, &get).await.0, StatusCode::OK);
    assert_eq!(
        ci.get(&server, list).await.1["jobs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let (status, _) = ci.post(&server, "/api/2.2/jobs/run-now", run()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    set(allow("CAN_MANAGE_RUN")).await;
    let (status, started) = ci.post(&server, "/api/2.2/jobs/run-now", run()).await;
    assert_eq!(status, StatusCode::OK, "{started}");
    let path = format!("/api/2.2/jobs/runs/get?run_id={}", started["run_id"]);
    let (_, seen) = ci.get(&server, &path).await;
    assert_eq!(seen["creator_user_name"], ci.application_id);
    let (status, _) = ci.get(&server, &permissions).await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    // Who manages a job may not hand it, and with it its identity, to somebody else.
    set(allow("CAN_MANAGE")).await;
    let mut stolen = allow("CAN_MANAGE");
    stolen["access_control_list"] =
        json!([{"service_principal_name": ci.application_id, "permission_level": "IS_OWNER"}]);
    let (status, _) = ci
        .send(&server, Method::PUT, &permissions, Some(stolen))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let as_user = json!({"job_id": id, "new_settings": {"run_as": {"user_name": USER}}});
    let (status, _) = ci.post(&server, "/api/2.2/jobs/update", as_user).await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    // Gone for the one, as closed as before for the other.
    set(json!({"access_control_list": [{"user_name": USER, "permission_level": "IS_OWNER"}]}))
        .await;
    server.post("/api/2.2/jobs/delete", run()).await;
    assert_eq!(server.get(&get).await.0, StatusCode::NOT_FOUND);
    let (status, body) = ci.post(&server, "/api/2.2/jobs/delete", run()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(
        body["message"],
        format!(
            "User {} does not have Admin or Owner permissions on job {id}",
            ci.application_id
        )
    );
    server.stop().await;
}

#[tokio::test]
async fn privileges_come_from_grants_and_owners_from_the_catalog_down() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    for (path, body) in [
        ("schemas", json!({"catalog_name": "dev", "name": "ml"})),
        (
            "volumes",
            json!({"catalog_name": "dev", "schema_name": "ml", "name": "data", "volume_type": "MANAGED"}),
        ),
    ] {
        let (status, reply) = server
            .post(&format!("/api/2.1/unity-catalog/{path}"), body)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
    }
    let file = "/api/2.0/fs/files/Volumes/dev/ml/data/x.txt";
    let put = server.request(Method::PUT, file).body("secret");
    assert!(put.send().await.unwrap().status().is_success());
    let grant = async |kind: &str, name: &str, privileges: &[&str]| {
        let path = format!("/api/2.1/unity-catalog/permissions/{kind}/{name}");
        let body = json!({"changes": [{"principal": ci.application_id, "add": privileges}]});
        let reply = server
            .request(Method::PATCH, &path)
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.unwrap().status(), StatusCode::OK);
    };
    let read = async || ci.get(&server, file).await;

    let (status, body) = read().await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
    assert_eq!(
        body["message"],
        "User does not have USE SCHEMA on Schema 'dev.ml'."
    );
    grant("schema", "dev.ml", &["USE_SCHEMA"]).await;
    assert_eq!(
        read().await.1["message"],
        "User does not have READ VOLUME on Volume 'dev.ml.data'."
    );
    // Granted on the schema, it holds for the volumes in it.
    grant("schema", "dev.ml", &["READ_VOLUME"]).await;
    assert_eq!(read().await, (StatusCode::OK, json!("secret")));
    let (status, _) = ci.send(&server, Method::DELETE, file, None).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = ci
        .send(
            &server,
            Method::DELETE,
            "/api/2.1/unity-catalog/volumes/dev.ml.data",
            None,
        )
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    // A model is judged before MLflow is asked, which does not run here.
    let model = "/api/2.0/mlflow/unity-catalog/model-versions/create";
    let body = json!({"name": "dev.ml.taxi", "source": "x"});
    let (status, reply) = ci.post(&server, model, body).await;
    assert_eq!(
        (status, &reply["message"]),
        (
            StatusCode::FORBIDDEN,
            &json!("User does not have CREATE MODEL VERSION on Routine or Model 'dev.ml.taxi'.")
        )
    );
    let (status, _) = ci
        .get(&server, "/api/2.0/mlflow/registered-models/search")
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    server.stop().await;
}

#[tokio::test]
async fn only_an_admin_makes_identities_and_no_run_leaves_a_token_behind() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let secrets = format!(
        "/api/2.0/accounts/servicePrincipals/{}/credentials/secrets",
        ci.id
    );
    let on_behalf = "/api/2.0/token-management/on-behalf-of/tokens";
    for (path, body) in [
        (
            format!("{SCIM}/ServicePrincipals"),
            json!({"displayName": "x"}),
        ),
        (format!("{SCIM}/Groups"), json!({"displayName": "x"})),
        (secrets.clone(), json!({})),
        (
            on_behalf.to_owned(),
            json!({"application_id": ci.application_id}),
        ),
        ("/local/v1/shutdown".to_owned(), json!({})),
        ("/local/v1/sign-in".to_owned(), json!({})),
    ] {
        let (status, _) = ci.post(&server, &path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(ci.get(&server, "/").await.0, StatusCode::FORBIDDEN);

    let store = xtask_workspace::store::Store::open(&server.state().join("workspace.db")).unwrap();
    let run = Service {
        token: store.mint_run_token(7, "").unwrap().expose().to_owned(),
        ..ci
    };
    for (path, body) in [
        ("/api/2.0/token/create".to_owned(), json!({})),
        (
            format!("{SCIM}/ServicePrincipals"),
            json!({"displayName": "x"}),
        ),
        (secrets, json!({})),
    ] {
        let (status, _) = run.post(&server, &path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn tokens_are_listed_without_their_value_and_void_when_deleted_expired_or_their_owner_is() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let me = format!("{SCIM}/Me");
    let (_, made) = ci
        .post(
            &server,
            "/api/2.0/token/create",
            json!({"comment": "second", "lifetime_seconds": 1}),
        )
        .await;
    let short = Service {
        id: String::new(),
        application_id: String::new(),
        token: made["token_value"].as_str().unwrap().to_owned(),
    };
    assert_eq!(short.get(&server, &me).await.0, StatusCode::OK);
    let (_, listed) = ci.get(&server, "/api/2.0/token/list").await;
    let infos = listed["token_infos"].as_array().unwrap();
    assert_eq!(infos.len(), 2, "{listed}");
    assert!(!listed.to_string().contains(&ci.token));
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(short.get(&server, &me).await.0, StatusCode::UNAUTHORIZED);

    let (_, all) = server.get("/api/2.0/token-management/tokens").await;
    assert_eq!(all["token_infos"][0]["created_by_username"], USER);
    let patch = json!({"Operations": [{"op": "replace", "path": "active", "value": false}]});
    let path = format!("{SCIM}/ServicePrincipals/{}", ci.id);
    let request = server.request(Method::PATCH, &path).json(&patch);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(ci.get(&server, &me).await.0, StatusCode::UNAUTHORIZED);

    let other = Service::create(&server, "other").await;
    let (_, listed) = other.get(&server, "/api/2.0/token/list").await;
    let id = listed["token_infos"][0]["token_id"].clone();
    let (status, _) = other
        .post(&server, "/api/2.0/token/delete", json!({ "token_id": id }))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(other.get(&server, &me).await.0, StatusCode::UNAUTHORIZED);
    // Nothing of a token's value is in the database.
    let database = std::fs::read(server.state().join("workspace.db")).unwrap();
    let text = String::from_utf8_lossy(&database);
    assert!(!text.contains(&other.token) && !text.contains(&server.token));
    server.stop().await;
}

#[tokio::test]
async fn groups_and_users_are_found_filtered_changed_and_removed() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci for prod").await;
    let find = async |what: &str, filter: &str| {
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        let (_, page) = server.get(&format!("{SCIM}/{what}?filter={filter}")).await;
        page
    };
    let page = find("ServicePrincipals", "displayName eq \"ci for prod\"").await;
    assert_eq!(
        (
            &page["totalResults"],
            &page["Resources"][0]["applicationId"]
        ),
        (&json!(1), &json!(ci.application_id))
    );
    assert_eq!(
        find("ServicePrincipals", "displayName eq \"other\"").await["totalResults"],
        0
    );
    let (status, group) = server
        .post(
            &format!("{SCIM}/Groups"),
            json!({"displayName": "deployers", "members": [{"value": ci.id}]}),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{group}");
    assert_eq!(group["members"][0]["value"], ci.id);
    let again = json!({"displayName": "deployers"});
    let (status, error) = server.post(&format!("{SCIM}/Groups"), again).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(error["detail"].as_str().unwrap().contains("deployers"));

    // A group in a job's permissions is its members.
    let (_, made) = server.post("/api/2.2/jobs/create", job("mine")).await;
    let id = made["job_id"].as_i64().unwrap();
    let acl = json!({"access_control_list": [{"user_name": USER, "permission_level": "IS_OWNER"},
        {"group_name": "deployers", "permission_level": "CAN_VIEW"}]});
    let request = server.request(Method::PUT, &format!("/api/2.0/permissions/jobs/{id}"));
    request.json(&acl).send().await.unwrap();
    let get = format!("/api/2.2/jobs/get?job_id={id}");
    assert_eq!(ci.get(&server, &get).await.0, StatusCode::OK);
    let path = format!("{SCIM}/Groups/{}", group["id"].as_str().unwrap());
    let (status, _) = server.delete(&path).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(ci.get(&server, &get).await.0, StatusCode::FORBIDDEN);

    let (status, user) = server
        .post(&format!("{SCIM}/Users"), json!({"userName": "a@b.c"}))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{user}");
    let (_, mine) = server.get(&format!("{SCIM}/Me")).await;
    let own = format!("{SCIM}/Users/{}", mine["id"].as_str().unwrap());
    assert_eq!(server.delete(&own).await.0, StatusCode::BAD_REQUEST);
    let (status, _) = server
        .post(&format!("{SCIM}/Users"), json!({"userName": "../b"}))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    server.stop().await;
}

#[tokio::test]
async fn run_as_somebody_unknown_is_refused_when_it_runs() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let mut unknown = job("unknown");
    unknown["run_as"] = json!({"user_name": "nobody@b.c"});
    let (_, made) = server.post("/api/2.2/jobs/create", unknown).await;
    let (status, body) = server
        .post("/api/2.2/jobs/run-now", json!({"job_id": made["job_id"]}))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        body["message"].as_str().unwrap().contains("nobody@b.c"),
        "{body}"
    );
    let mut known = job("known");
    known["run_as"] = json!({"service_principal_name": ci.application_id});
    let (_, made) = server.post("/api/2.2/jobs/create", known).await;
    let (status, _) = server
        .post("/api/2.2/jobs/run-now", json!({"job_id": made["job_id"]}))
        .await;
    assert_eq!(status, StatusCode::OK);
    server.stop().await;
}

/// What the workspace does for a run it does for the run's identity, and asks what that one may.
#[tokio::test]
async fn a_run_gets_no_further_than_its_identity() {
    let server = Server::start().await;
    let ci = Service::create(&server, "ci").await;
    let (_, made) = server.post("/api/2.2/jobs/create", job("mine")).await;
    let id = made["job_id"].as_i64().unwrap();
    let set = async |level: &str| {
        let acl = json!({"access_control_list": [{"user_name": USER, "permission_level": "IS_OWNER"},
            {"service_principal_name": ci.application_id, "permission_level": level}]});
        let path = format!("/api/2.0/permissions/jobs/{id}");
        let request = server.request(Method::PUT, &path).json(&acl);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    };
    let submit = async |task: Value| {
        let (status, run) = ci
            .post(
                &server,
                "/api/2.2/jobs/runs/submit",
                json!({"tasks": [task]}),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{run}");
        let run = crate::runs::ended(&server, run["run_id"].as_i64().unwrap()).await;
        crate::runs::output(&server, &run, 0).await["error"].to_string()
    };
    let other_job = json!({"task_key": "a", "run_job_task": {"job_id": id}});
    let in_a_loop = json!({"task_key": "a", "for_each_task": {"inputs": "[1]", "task": other_job}});
    set("CAN_VIEW").await;
    let refused = format!("does not have Admin or Manage Run or Owner permissions on job {id}");
    let why = submit(other_job.clone()).await;
    assert!(why.contains(&refused), "{why}");
    let why = submit(in_a_loop).await;
    assert!(why.contains("1 of 1 iterations failed"), "{why}");
    let runs = format!("/api/2.2/jobs/runs/list?job_id={id}");
    assert_eq!(server.get(&runs).await.1["runs"], Value::Null);

    // Whoever started a run does not have it work again once the right to run the job is gone.
    set("CAN_MANAGE_RUN").await;
    let (_, run) = ci
        .post(&server, "/api/2.2/jobs/run-now", json!({"job_id": id}))
        .await;
    crate::runs::ended(&server, run["run_id"].as_i64().unwrap()).await;
    set("CAN_VIEW").await;
    let again = json!({"run_id": run["run_id"], "rerun_all_failed_tasks": true});
    let (status, body) = ci.post(&server, "/api/2.2/jobs/runs/repair", again).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");

    // Files that a task names.
    let volume = json!({"catalog_name": "dev", "schema_name": "default", "name": "data", "volume_type": "MANAGED"});
    server.post("/api/2.1/unity-catalog/volumes", volume).await;
    let put = server.request(
        Method::PUT,
        "/api/2.0/fs/files/Volumes/dev/default/data/s.py",
    );
    assert!(
        put.body("print(1)")
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    let home = format!("/Workspace/Users/{USER}/private");
    server
        .post("/api/2.0/workspace/mkdirs", json!({"path": home}))
        .await;
    let (status, _) = server
        .import(
            &format!("{home}/n.py"),
            "# Databricks notebook source\n1\n",
            true,
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    let file = |path: &str| json!({"task_key": "a", "spark_python_task": {"python_file": path}});
    let notebook = |path: &str| json!({"task_key": "a", "notebook_task": {"notebook_path": path}});
    let home = format!("/Users/{USER}/private");
    for (task, privilege) in [
        (notebook(&format!("{home}/n")), "View permissions"),
        (
            notebook(&format!("/Workspace{home}/n.py")),
            "View permissions",
        ),
        (
            notebook(&format!("//Workspace/{home}/n")),
            "View permissions",
        ),
        // Whether something is there is not told either.
        (notebook(&format!("{home}/none")), "View permissions"),
        (file(&format!("{home}/n.py")), "View permissions"),
        (file("/Volumes/dev/default/data/s.py"), "READ VOLUME"),
        (file("/Volumes//DEV/default/data/s.py"), "READ VOLUME"),
    ] {
        let why = submit(task.clone()).await;
        assert!(why.contains(privilege), "{task}: {why}");
    }
    server.stop().await;
}
