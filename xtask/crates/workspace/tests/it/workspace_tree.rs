//! Files, folders and notebooks of the workspace tree.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use base64::Engine as _;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::server::Server;

const NOTEBOOK: &str = "# Databricks notebook source\nprint(1)\n";

#[tokio::test]
async fn files_and_notebooks_follow_the_rules_that_the_cli_leans_on() {
    let server = Server::start().await;
    let (status, body) = server.import("/Workspace/Shared/a/f.txt", "1", false).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
    server
        .post(
            "/api/2.0/workspace/mkdirs",
            json!({"path": "/Workspace/Shared/a/b"}),
        )
        .await;
    for (overwrite, expected) in [
        (false, StatusCode::OK),
        (false, StatusCode::CONFLICT),
        (true, StatusCode::OK),
    ] {
        assert_eq!(
            server
                .import("/Workspace/Shared/a/f.txt", "1", overwrite)
                .await
                .0,
            expected
        );
    }
    assert_eq!(
        server
            .import("Workspace/Shared/a/Train.py", NOTEBOOK, false)
            .await
            .0,
        StatusCode::OK
    );
    let (status, body) = server
        .import("/Workspace/Shared/a/Train.py", NOTEBOOK, false)
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .ends_with("already exists."),
        "{body}"
    );
    let (status, _) = server
        .import("/Shared/a/Train", "not a notebook", true)
        .await;
    assert_eq!(
        status,
        StatusCode::BAD_REQUEST,
        "a file does not replace a notebook"
    );

    let (_, train) = server
        .get("/api/2.0/workspace/get-status?path=/Shared/a/Train")
        .await;
    assert_eq!(
        (&train["object_type"], &train["language"], &train["path"]),
        (
            &json!("NOTEBOOK"),
            &json!("PYTHON"),
            &json!("/Shared/a/Train")
        )
    );
    let (_, file) = server.get("/api/2.0/workspace/get-status?path=%2FWorkspace%2FShared%2Fa%2Ff.txt&return_export_info=true").await;
    assert_eq!(
        (&file["object_type"], &file["size"], &file["path"]),
        (
            &json!("FILE"),
            &json!(1),
            &json!("/Workspace/Shared/a/f.txt")
        )
    );
    let (status, gone) = server
        .get("/api/2.0/workspace/get-status?path=/Shared/a/Train.py")
        .await;
    assert_eq!(
        (status, &gone["message"]),
        (
            StatusCode::NOT_FOUND,
            &json!("Path (/Shared/a/Train.py) doesn't exist.")
        )
    );
    let (_, list) = server.get("/api/2.0/workspace/list?path=/Shared/a").await;
    let kinds: Vec<_> = list["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["object_type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["NOTEBOOK", "DIRECTORY", "FILE"]);

    let raw = server.request(
        Method::GET,
        "/api/2.0/workspace/export?path=/Shared/a/Train&direct_download=true",
    );
    assert_eq!(raw.send().await.unwrap().text().await.unwrap(), NOTEBOOK);
    let (_, encoded) = server
        .get("/api/2.0/workspace/export?path=/Shared/a/Train")
        .await;
    assert_eq!(
        encoded["content"],
        base64::engine::general_purpose::STANDARD.encode(NOTEBOOK)
    );
    let download = server.request(
        Method::GET,
        "/api/2.0/workspace-files/%2FWorkspace%2FShared%2Fa%2Ff.txt",
    );
    let download = download.send().await.unwrap();
    assert_eq!(download.headers()["content-security-policy"], "sandbox");
    assert_eq!(download.text().await.unwrap(), "1");

    let delete = |recursive: bool| {
        server.post(
            "/api/2.0/workspace/delete",
            json!({"path": "/Shared/a", "recursive": recursive}),
        )
    };
    assert_eq!(delete(false).await.1["error_code"], "DIRECTORY_NOT_EMPTY");
    assert_eq!(delete(true).await.0, StatusCode::OK);
    assert_eq!(delete(true).await.0, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn of_many_who_take_a_lock_file_one_wins() {
    let server = Server::start().await;
    let attempts = (0..12).map(|i| {
        let content = i.to_string();
        let server = &server;
        async move {
            server
                .import("/Shared/deploy.lock", &content, false)
                .await
                .0
        }
    });
    let statuses = futures_util::future::join_all(attempts).await;
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == StatusCode::OK)
            .count(),
        1,
        "{statuses:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn no_path_leaves_the_tree_and_everything_is_private() {
    let server = Server::start().await;
    let outside = server.state().parent().unwrap().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "s").unwrap();
    std::os::unix::fs::symlink(&outside, server.state().join("files/Shared/link")).unwrap();
    std::os::unix::fs::symlink(
        outside.join("secret"),
        server.state().join("files/Shared/file"),
    )
    .unwrap();
    let hostile = [
        "../x",
        "/../x",
        "/Shared/../../x",
        "/Shared/./x",
        "/Shared/..%2f..%2fx",
        "/Shared/%2e%2e/x",
        "/Workspace/../x",
        "/Shared/a\\..\\..\\x",
        "/Shared/a\0b",
        "/Shared/link/x",
        "/Shared/link/../x",
        "/Shared/file/x",
        "//..//x",
        "/Shared/\u{7}x",
        "/Workspace/Workspace/../../x",
        "/Shared/..",
    ];
    for path in hostile {
        let escaped: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let upload = server.request(
            Method::POST,
            &format!("/api/2.0/workspace-files/import-file/{escaped}?overwrite=true"),
        );
        let status = upload.body("x").send().await.unwrap().status();
        // Percent signs that are left after decoding are a plain name.
        assert!(
            status.is_client_error() || status.is_server_error() || path.contains('%'),
            "{path}: {status}"
        );
        server
            .post("/api/2.0/workspace/mkdirs", json!({"path": path}))
            .await;
        server
            .post(
                "/api/2.0/workspace/delete",
                json!({"path": path, "recursive": true}),
            )
            .await;
        for read in [
            "workspace/export?direct_download=true&path=",
            "workspace-files/",
            "workspace/get-status?path=",
        ] {
            let reply = server
                .request(Method::GET, &format!("/api/2.0/{read}{escaped}"))
                .send()
                .await
                .unwrap();
            assert_ne!(reply.text().await.unwrap(), "s", "{path}");
        }
        for area in ["Volumes/c/s/v", "Models/c/s/m/1"] {
            let escaped = format!("/api/2.0/fs/files/{area}/{escaped}?overwrite=true");
            server
                .request(Method::PUT, &escaped)
                .body("x")
                .send()
                .await
                .unwrap();
        }
    }
    for path in ["/Shared/file", "/Shared/link/secret"] {
        let form = [
            ("path", "/Shared/d.py"),
            ("format", "AUTO"),
            ("overwrite", "true"),
            ("content", NOTEBOOK),
        ]
        .map(|(name, value)| {
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        let upload = server
            .request(Method::POST, "/api/2.0/workspace/import")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(format!("{}--b--\r\n", form.concat()));
        assert_eq!(upload.send().await.unwrap().status(), StatusCode::OK);
        let (_, object) = server
            .get("/api/2.0/workspace/get-status?path=/Shared/d")
            .await;
        assert_eq!(object["object_type"], "NOTEBOOK", "{object}");
        let (status, _) = server
            .get(&format!(
                "/api/2.0/workspace/export?path={path}&direct_download=true"
            ))
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(
        std::fs::read_to_string(outside.join("secret")).unwrap(),
        "s"
    );
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(
        std::fs::read_dir(server.state().parent().unwrap())
            .unwrap()
            .count(),
        2,
        "outside and state"
    );

    server.import("/Shared/f", "x", true).await;
    server
        .post("/api/2.0/workspace/mkdirs", json!({"path": "/Shared/d/e"}))
        .await;
    let mut left = vec![server.state().into_std_path_buf()];
    while let Some(path) = left.pop() {
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        if metadata.is_symlink() {
            continue;
        }
        let mode = metadata.permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        assert_eq!(
            metadata.uid(),
            std::fs::metadata(server.state()).unwrap().uid()
        );
        if metadata.is_dir() {
            left.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn import_takes_base64_with_a_language_or_decides_by_content() {
    let server = Server::start().await;
    let content = base64::engine::general_purpose::STANDARD.encode(NOTEBOOK);
    for (path, format, language, found) in [
        ("/Shared/a", "SOURCE", Some("PYTHON"), "/Shared/a"),
        ("/Shared/b.py", "AUTO", None, "/Shared/b"),
    ] {
        let body =
            json!({"path": path, "format": format, "language": language, "content": content});
        let (status, reply) = server.post("/api/2.0/workspace/import", body).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let (_, object) = server
            .get(&format!("/api/2.0/workspace/get-status?path={found}"))
            .await;
        assert_eq!(object["object_type"], "NOTEBOOK", "{object}");
    }
    let (status, _) = server
        .post(
            "/api/2.0/workspace/import",
            json!({"path": "/Shared/c", "content": "***"}),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    server.stop().await;
}
