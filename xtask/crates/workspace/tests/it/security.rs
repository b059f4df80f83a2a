//! Nobody gets in who should not. The table is made from the router itself, so a new route is in it unnamed.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::json;
use xtask_workspace::auth::is_public;
use xtask_workspace::routes::unguarded;

use crate::server::{Server, read};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Every path of the router, with parameters filled in, and some that it does not have.
fn paths() -> Vec<String> {
    // axum lists no routes; the debug form of its router names each path in quotes.
    let shown = format!("{:?}", unguarded());
    let mut paths: BTreeSet<String> = shown
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains("__private"))
        .map(|path| {
            path.split('/')
                .map(|s| if s.starts_with('{') { "1" } else { s })
                .collect::<Vec<_>>()
                .join("/")
        })
        .collect();
    assert!(paths.len() > 50, "found only {paths:?}");
    for known in [
        "/api/2.2/jobs/create",
        "/local/v1/shutdown",
        "/api/2.0/fs/files/1",
        "/sign-in",
    ] {
        assert!(paths.contains(known), "{known} is missing");
    }
    for unknown in [
        "/",
        "/x",
        "/api/2.0/nothing",
        "/ajax-api/2.0/mlflow/x",
        "/mlflow/",
        "//health",
        "/health/",
    ] {
        paths.insert(unknown.to_owned());
    }
    paths.into_iter().collect()
}

struct Case {
    headers: Vec<(&'static str, String)>,
    /// Holds on public routes, too.
    everywhere: bool,
    expected: StatusCode,
}

/// Kinds of requests to refuse, each in its variants.
fn cases(server: &Server) -> Vec<(&'static str, Vec<Case>)> {
    let token = &server.token;
    let unknown = |headers: &[(&'static str, &str)]| Case {
        headers: headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        everywhere: false,
        expected: StatusCode::UNAUTHORIZED,
    };
    let foreign = |name: &'static str, values: &[&str]| -> Vec<Case> {
        let bearer = ("authorization", format!("Bearer {token}"));
        let case = |value: &&str| Case {
            headers: vec![bearer.clone(), (name, (*value).to_owned())],
            everywhere: true,
            expected: StatusCode::FORBIDDEN,
        };
        values.iter().map(case).collect()
    };
    let wrong = [
        format!("Bearer {token}x"),
        "Bearer dapi".into(),
        "Bearer ".into(),
        format!("Basic {token}"),
    ];
    let cookie = format!("xtask_workspace_{}=x", server.workspace_id);
    vec![
        ("no token", vec![unknown(&[])]),
        (
            "wrong token",
            wrong
                .iter()
                .map(|value| unknown(&[("authorization", value)]))
                .collect(),
        ),
        ("cookie of nobody", vec![unknown(&[("cookie", &cookie)])]),
        (
            "a form",
            vec![unknown(&[(
                "content-type",
                "application/x-www-form-urlencoded",
            )])],
        ),
        (
            "foreign host",
            foreign(
                "host",
                &[
                    "evil.example",
                    "evil.example:80",
                    "127.0.0.1",
                    "localhost:1",
                    "127.0.0.1.evil.example",
                    "[::1]",
                    "x@127.0.0.1",
                ],
            ),
        ),
        (
            "foreign origin",
            foreign(
                "origin",
                &[
                    "http://evil.example",
                    "null",
                    "http://127.0.0.1",
                    "http://localhost:1",
                    "https://127.0.0.1",
                    "file://",
                ],
            ),
        ),
        (
            "foreign site",
            foreign("sec-fetch-site", &["cross-site", "same-site", "x"]),
        ),
    ]
}

#[tokio::test]
async fn every_route_refuses_whoever_should_not_ask() {
    let server = Server::start().await;
    let (cases, paths) = (cases(&server), paths());
    let mut asked = 0;
    for path in &paths {
        for method in METHODS {
            let public = is_public(&method.parse().unwrap(), path);
            for (kind, variants) in &cases {
                // Variants of a kind take turns, so that each is tried on many routes.
                let case = &variants[asked % variants.len()];
                if case.everywhere || !public {
                    refuses(&server, method, path, kind, case).await;
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 50 * 7 * 7, "{asked}");
    server.stop().await;
}

async fn refuses(server: &Server, method: &str, path: &str, kind: &str, case: &Case) {
    let method: Method = method.parse().unwrap();
    let mut request = server
        .client
        .request(method.clone(), format!("{}{path}", server.url));
    for (name, value) in &case.headers {
        request = request.header(*name, value);
    }
    let reply = request.send().await.unwrap();
    let last = case
        .headers
        .last()
        .filter(|(name, _)| *name != "authorization");
    assert_eq!(
        reply.status(),
        case.expected,
        "{kind} {last:?}: {method} {path}"
    );
    for header in [
        "x-content-type-options",
        "x-frame-options",
        "content-security-policy",
    ] {
        assert!(
            reply.headers().contains_key(header),
            "{header}: {method} {path}"
        );
    }
    assert!(
        !reply.headers().contains_key("access-control-allow-origin"),
        "{path}"
    );
}

#[tokio::test]
async fn the_token_opens_every_route_and_the_other_names_of_this_host_work() {
    let server = Server::start().await;
    for path in paths() {
        let status = server
            .request(Method::GET, &path)
            .send()
            .await
            .unwrap()
            .status();
        assert!(
            status != StatusCode::UNAUTHORIZED || path == "/sign-in",
            "{path}"
        );
        assert!(
            status != StatusCode::FORBIDDEN && status != StatusCode::SERVICE_UNAVAILABLE,
            "{path}: {status}"
        );
    }
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let origin = format!("http://{host}:{}", server.port);
        let request = server.request(Method::GET, "/local/v1/status");
        let reply = request
            .header("host", format!("{host}:{}", server.port))
            .header("origin", origin);
        assert_eq!(
            reply.send().await.unwrap().status(),
            StatusCode::OK,
            "{host}"
        );
    }
    let health = server
        .client
        .get(format!("{}/health", server.url))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (health.status(), health.text().await.unwrap()),
        (StatusCode::OK, String::new())
    );
    server.stop().await;
}

#[tokio::test]
async fn unknown_routes_name_themselves_and_are_never_repeated() {
    let server = Server::start().await;
    let (status, body) = server.get("/api/2.0/nothing/here").await;
    assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("GET /api/2.0/nothing/here"),
        "{body}"
    );
    let (status, body) = server.post("/api/2.2/jobs/get", json!({})).await;
    assert_eq!(
        status,
        StatusCode::NOT_IMPLEMENTED,
        "a method that a route does not have: {body}"
    );
    let (status, body) = server.get("/api/4.0/mlflow/nothing").await;
    assert_eq!(
        (status, &body["error_code"]),
        (StatusCode::NOT_FOUND, &json!("ENDPOINT_NOT_FOUND"))
    );
    server.stop().await;
}

#[tokio::test]
async fn a_browser_signs_in_once_by_link_and_changes_things_only_from_our_own_pages() {
    let server = Server::start().await;
    let link = || async {
        let (_, body) = server
            .post("/local/v1/sign-in", json!({"path": "/jobs/1/runs/2?o=3"}))
            .await;
        body["url"].as_str().unwrap().to_owned()
    };
    let url = link().await;
    assert!(
        url.starts_with(&format!("{}/sign-in?code=", server.url)),
        "{url}"
    );
    let reply = server.client.get(&url).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::SEE_OTHER);
    assert_eq!(reply.headers()["location"], "/jobs/1/runs/2?o=3");
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with(&format!("xtask_workspace_{}=", server.workspace_id)),
        "{cookie}"
    );
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let session = cookie.split(';').next().unwrap().to_owned();

    // The same link again: nothing for a stranger, the page for who has the session.
    assert_eq!(
        server.client.get(&url).send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let again = server
        .client
        .get(&url)
        .header("cookie", &session)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::SEE_OTHER);

    let ask = |method: Method, path: &str| {
        server
            .client
            .request(method, format!("{}{path}", server.url))
            .header("cookie", format!("a=b; {session}"))
    };
    assert_eq!(
        ask(Method::GET, "/local/v1/status")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
    let change =
        || ask(Method::POST, "/api/2.0/workspace/mkdirs").json(&json!({"path": "/Shared/x"}));
    assert_eq!(
        change().send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    let own = change()
        .header("origin", &server.url)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
    let foreign = change().header("origin", "http://127.0.0.1:1");
    assert_eq!(
        foreign.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );

    // A link on the page of another local server leads here; its scripts do not.
    let from_neighbour =
        || ask(Method::GET, "/local/v1/status").header("sec-fetch-site", "same-site");
    assert_eq!(
        from_neighbour()
            .header("sec-fetch-mode", "navigate")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
    assert_eq!(
        from_neighbour()
            .header("sec-fetch-mode", "cors")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::FORBIDDEN
    );

    let page = server
        .client
        .get(format!("{}/jobs/1/runs/2", server.url))
        .header("accept", "text/html,*/*");
    let (status, text) = read(page.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(
        text.as_str()
            .unwrap()
            .contains("cargo xtask workspace open"),
        "{text}"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_token_of_a_run_works_until_the_run_ends_and_never_on_the_controls() {
    let server = Server::start().await;
    let store = xtask_workspace::store::Store::open(&server.state().join("workspace.db")).unwrap();
    let token = store.mint_run_token(7, "").unwrap();
    let ask = |path: &str| {
        server
            .client
            .get(format!("{}{path}", server.url))
            .bearer_auth(token.expose())
            .send()
    };
    assert_eq!(
        ask("/api/2.0/preview/scim/v2/Me").await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(
        ask("/local/v1/status").await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    store.end_run_tokens(7).unwrap();
    assert_eq!(
        ask("/api/2.0/preview/scim/v2/Me").await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    server.stop().await;
}
