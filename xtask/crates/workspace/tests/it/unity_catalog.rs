//! Schemas, volumes and grants.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::security;
use crate::server::{Server, read};

const API: &str = "/api/2.1/unity-catalog";

#[tokio::test]
async fn a_catalog_comes_with_its_first_schema_and_names_have_no_case() {
    let server = Server::start().await;
    assert_eq!(
        server.get(&format!("{API}/catalogs/staging")).await.0,
        StatusCode::NOT_FOUND
    );
    let schema =
        json!({"catalog_name": "Staging", "name": "Ml", "comment": "c", "properties": {"a": "b"}});
    let (status, body) = server.post(&format!("{API}/schemas"), schema.clone()).await;
    assert_eq!(
        (status, &body["full_name"]),
        (StatusCode::OK, &json!("staging.ml"))
    );
    let (status, body) = server.post(&format!("{API}/schemas"), schema).await;
    assert_eq!(
        (status, &body["error_code"]),
        (StatusCode::BAD_REQUEST, &json!("SCHEMA_ALREADY_EXISTS"))
    );
    let (_, list) = server
        .get(&format!("{API}/schemas?catalog_name=staging"))
        .await;
    assert_eq!(list["schemas"].as_array().unwrap().len(), 2, "with default");
    let patch = server
        .request(Method::PATCH, &format!("{API}/schemas/STAGING.ml"))
        .json(&json!({"comment": "new"}));
    assert_eq!(read(patch.send().await.unwrap()).await.1["comment"], "new");
    for name in ["a.b", "", "a b", "a/b", ".."] {
        let (status, _) = server
            .post(
                &format!("{API}/schemas"),
                json!({"catalog_name": "c", "name": name}),
            )
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_schema_with_a_volume_goes_only_by_force_and_takes_the_files_along() {
    let server = Server::start().await;
    let volume = json!({"catalog_name": "dev", "schema_name": "ml", "name": "data", "volume_type": "MANAGED"});
    let (status, body) = server.post(&format!("{API}/volumes"), volume.clone()).await;
    assert_eq!(
        (status, &body["error_code"]),
        (StatusCode::NOT_FOUND, &json!("SCHEMA_DOES_NOT_EXIST"))
    );
    server
        .post(
            &format!("{API}/schemas"),
            json!({"catalog_name": "dev", "name": "ml"}),
        )
        .await;
    assert_eq!(
        server
            .post(&format!("{API}/volumes"), volume.clone())
            .await
            .0,
        StatusCode::OK
    );
    let upload = server
        .request(Method::PUT, "/api/2.0/fs/files/Volumes/dev/ml/data/x/y")
        .body("1");
    assert!(upload.send().await.unwrap().status().is_success());
    assert_eq!(
        server.delete(&format!("{API}/schemas/dev.ml")).await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        server
            .delete(&format!("{API}/schemas/dev.ml?force=true"))
            .await
            .0,
        StatusCode::OK
    );
    assert!(!server.state().join("volumes/dev/ml/data").exists());
    assert_eq!(
        server.get(&format!("{API}/volumes/dev.ml.data")).await.0,
        StatusCode::NOT_FOUND
    );
    server.stop().await;
}

#[tokio::test]
async fn grants_are_added_and_removed() {
    let server = Server::start().await;
    server
        .post(
            &format!("{API}/schemas"),
            json!({"catalog_name": "dev", "name": "ml"}),
        )
        .await;
    let path = format!("{API}/permissions/schema/dev.ml");
    let change = |changes: serde_json::Value| {
        let request = server
            .request(Method::PATCH, &path)
            .json(&json!({"changes": [changes]}));
        async { read(request.send().await.unwrap()).await }
    };
    let (_, body) = change(json!({"principal": "users", "add": ["USE_SCHEMA", "EXECUTE"]})).await;
    assert_eq!(
        body["privilege_assignments"],
        json!([{"principal": "users", "privileges": ["EXECUTE", "USE_SCHEMA"]}])
    );
    let (_, body) =
        change(json!({"principal": "users", "add": ["SELECT"], "remove": ["ALL_PRIVILEGES"]}))
            .await;
    assert_eq!(
        body["privilege_assignments"][0]["privileges"],
        json!(["SELECT"])
    );
    let (status, _) =
        change(json!({"principal": "users", "add": ["SELECT"], "remove": ["SELECT"]})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    change(json!({"principal": "users", "remove": ["SELECT"]})).await;
    assert_eq!(server.get(&path).await.1, json!({}));
    assert_eq!(
        server
            .get(&format!("{API}/permissions/schema/dev.none"))
            .await
            .0,
        StatusCode::NOT_FOUND
    );
    server.stop().await;
}

/// Each route that reads, without its query: what is lacking is said as Databricks says it, and by no library.
#[tokio::test]
async fn a_query_that_lacks_a_field_is_refused_by_its_name() {
    let server = Server::start().await;
    let mut lacking = Vec::new();
    for path in security::paths() {
        if !path.starts_with("/api/") || path.contains("/mlflow/") {
            continue;
        }
        let (status, body) = server.get(&path).await;
        let message = body["message"].as_str().unwrap_or_default();
        // Models are in MLflow's server, which does not run here.
        let no_mlflow = message.contains("for MLflow");
        assert!(
            no_mlflow || status != StatusCode::INTERNAL_SERVER_ERROR,
            "{path}: {body}"
        );
        assert!(
            !message.contains("deserialize") && !message.contains("missing field"),
            "{path}: {message}"
        );
        if let Some(field) = message.strip_prefix("Missing required field: ") {
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
            lacking.push(format!("{path} {field}"));
        }
    }
    for known in [
        format!("{API}/schemas catalog_name"),
        format!("{API}/volumes catalog_name"),
    ] {
        assert!(lacking.contains(&known), "{known}: {lacking:?}");
    }
    server.stop().await;
}
