//! The Files API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::Server;

async fn with_volume() -> Server {
    let server = Server::start().await;
    server
        .post(
            "/api/2.1/unity-catalog/schemas",
            json!({"catalog_name": "Test", "name": "Ml"}),
        )
        .await;
    let volume = json!({"catalog_name": "test", "schema_name": "ml", "name": "Data", "volume_type": "MANAGED"});
    let (status, body) = server.post("/api/2.1/unity-catalog/volumes", volume).await;
    assert_eq!(
        (status, &body["full_name"]),
        (StatusCode::OK, &json!("test.ml.data"))
    );
    server
}

/// The last ten bytes of a file, unless it was changed since.
async fn part_of(server: &Server, path: &str, since: &str) -> reqwest::Response {
    let request = server.request(Method::GET, path);
    let request = request.header("range", "bytes=2999990-");
    request
        .header("if-unmodified-since", since)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_file_goes_into_a_volume_and_comes_back_whole_or_in_part() {
    let server = with_volume().await;
    let path = "/api/2.0/fs/files/Volumes/test/ml/data/sub/train%20set.bin";
    let content: Vec<u8> = (0..3_000_000_u32).map(|i| i.to_le_bytes()[1]).collect();
    let put = |overwrite: bool| {
        server
            .request(Method::PUT, &format!("{path}?overwrite={overwrite}"))
            .body(content.clone())
            .send()
    };
    assert_eq!(put(false).await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(put(false).await.unwrap().status(), StatusCode::CONFLICT);
    assert_eq!(put(true).await.unwrap().status(), StatusCode::NO_CONTENT);
    let on_disk = server
        .state()
        .join("volumes/test/ml/data/sub/train set.bin");
    assert_eq!(std::fs::read(on_disk).unwrap(), content);

    let whole = server.request(Method::GET, path).send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "application/octet-stream");
    assert_eq!(whole.bytes().await.unwrap(), content);
    let part = server
        .request(Method::GET, path)
        .header("range", "bytes=1000000-1000009")
        .send()
        .await
        .unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        part.headers()["content-range"],
        "bytes 1000000-1000009/3000000"
    );
    assert_eq!(part.bytes().await.unwrap(), content[1_000_000..1_000_010]);
    let beyond = server
        .request(Method::GET, path)
        .header("range", "bytes=3000000-")
        .send()
        .await
        .unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let modified = part_of(&server, path, "Sun, 06 Nov 1994 08:49:37 GMT").await;
    assert_eq!(modified.status(), StatusCode::PRECONDITION_FAILED);
    let head = server.request(Method::HEAD, path).send().await.unwrap();
    let since = head.headers()["last-modified"].to_str().unwrap();
    let same = part_of(&server, path, since).await;
    assert_eq!(same.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(same.bytes().await.unwrap(), content[2_999_990..]);
    let garbage = part_of(&server, path, "yesterday").await;
    assert_eq!(garbage.status(), StatusCode::PARTIAL_CONTENT);
    let head = server.request(Method::HEAD, path).send().await.unwrap();
    assert_eq!(
        (head.status(), &head.headers()["content-length"]),
        (StatusCode::OK, &"3000000".parse().unwrap())
    );

    assert_eq!(server.delete(path).await.0, StatusCode::NO_CONTENT);
    assert_eq!(
        server
            .request(Method::HEAD, path)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::NOT_FOUND
    );
    server.stop().await;
}

#[tokio::test]
async fn folders_list_page_by_page_and_only_empty_ones_go() {
    let server = with_volume().await;
    for name in ["a", "b", "c"] {
        let path = format!("/api/2.0/fs/files/Volumes/test/ml/data/sub/{name}");
        server
            .request(Method::PUT, &path)
            .body(name)
            .send()
            .await
            .unwrap();
    }
    let folder = "/api/2.0/fs/directories/Volumes/test/ml/data/sub";
    assert_eq!(
        server
            .request(Method::PUT, &format!("{folder}/d"))
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::NO_CONTENT
    );
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let (_, page) = server
            .get(&format!("{folder}?page_size=2&page_token={token}"))
            .await;
        let contents = page["contents"].as_array().unwrap().clone();
        names.extend(
            contents
                .iter()
                .map(|entry| (entry["name"].clone(), entry["is_directory"].clone())),
        );
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    let expected: Vec<(Value, Value)> = [("a", false), ("b", false), ("c", false), ("d", true)]
        .map(|(n, d)| (json!(n), json!(d)))
        .into();
    assert_eq!(names, expected);
    assert_eq!(
        server.delete(folder).await.1["error_code"],
        "DIRECTORY_NOT_EMPTY"
    );
    assert_eq!(
        server.delete(&format!("{folder}/d")).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        server
            .request(Method::HEAD, folder)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
    assert_eq!(
        server.get(&format!("{folder}/none")).await.0,
        StatusCode::NOT_FOUND
    );
    server.stop().await;
}

#[tokio::test]
async fn a_broken_upload_leaves_what_was_there() {
    let server = with_volume().await;
    let path = "/api/2.0/fs/files/Volumes/test/ml/data/f?overwrite=true";
    server
        .request(Method::PUT, path)
        .body("old")
        .send()
        .await
        .unwrap();
    let chunks = futures_util::stream::iter([Ok("new"), Err(std::io::Error::other("gone"))]);
    let broken = server
        .request(Method::PUT, path)
        .body(reqwest::Body::wrap_stream(chunks))
        .send()
        .await;
    assert!(broken.is_err() || broken.unwrap().status().is_client_error());
    let content = server
        .request(Method::GET, "/api/2.0/fs/files/Volumes/test/ml/data/f")
        .send()
        .await
        .unwrap();
    assert_eq!(content.text().await.unwrap(), "old");
    server.stop().await;
}

#[tokio::test]
async fn there_is_no_place_outside_volumes_and_model_versions() {
    let server = with_volume().await;
    for (path, expected) in [
        ("Volumes/test/ml/none/f", StatusCode::NOT_FOUND),
        ("Volumes/test/ml/data", StatusCode::BAD_REQUEST),
        ("Volumes/test", StatusCode::BAD_REQUEST),
        ("Models/test/ml/m/f", StatusCode::BAD_REQUEST),
        ("Models/test/ml/m/1/MLmodel", StatusCode::NO_CONTENT),
        ("etc/passwd", StatusCode::NOT_IMPLEMENTED),
    ] {
        let reply = server
            .request(Method::PUT, &format!("/api/2.0/fs/files/{path}"))
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), expected, "{path}");
    }
    let (status, _) = server
        .post(
            "/api/2.0/fs/create-download-url",
            json!({"path": "/Models/test/ml/m/1/MLmodel"}),
        )
        .await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
    server.stop().await;
}
