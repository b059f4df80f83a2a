//! Nobody gets in who should not. The table is made from the router itself, so a new route is in it unnamed.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::json;
use xtask_workspace::auth::is_public;
use xtask_workspace::routes::unguarded;
use xtask_workspace::store::{NewToken, Principal, PrincipalKind, Store, TokenKind};

use crate::server::{Server, read};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Every path of the router, with parameters filled in, and some that it does not have.
pub(crate) fn paths() -> Vec<String> {
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

/// Tokens that were good once: of a run that ended, of an hour ago, of somebody who is gone.
fn former(server: &Server) -> Vec<String> {
    let store = Store::open(&server.state().join("workspace.db")).unwrap();
    let run = store.mint_run_token(7, "").unwrap();
    store.end_run_tokens(7).unwrap();
    let who = |name: &str| Principal {
        id: 0,
        kind: PrincipalKind::ServicePrincipal,
        name: name.to_owned(),
        display_name: name.to_owned(),
        external_id: String::new(),
        entitlements: json!([]),
        active: true,
        groups: Vec::new(),
    };
    let [stays, rests, goes] =
        ["stays", "rests", "goes"].map(|name| store.create_principal(&who(name)).unwrap().unwrap());
    let token = |owner: &Principal, kind: TokenKind, lifetime_ms: Option<i64>| {
        let (value, _) = store
            .create_access_token(&NewToken {
                owner_id: owner.id,
                kind,
                comment: "",
                created_by: "test",
                lifetime_ms,
            })
            .unwrap();
        value.expose().to_owned()
    };
    let tokens = vec![
        run.expose().to_owned(),
        token(&rests, TokenKind::Personal, None),
        token(&goes, TokenKind::Personal, None),
        token(&stays, TokenKind::Personal, Some(0)),
        token(&stays, TokenKind::OAuth, Some(-1)),
    ];
    let rests = Principal {
        active: false,
        ..rests
    };
    store.replace_principal(&rests).unwrap();
    store.delete_principal(goes.id).unwrap();
    tokens
}

/// Kinds of requests to refuse, each in its variants.
fn cases(server: &Server, neighbour: &Server) -> Vec<(&'static str, Vec<Case>)> {
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
    let cookie = format!("xtask_workspace_{}_{}=x", server.port, server.workspace_id);
    vec![
        ("no token", vec![unknown(&[])]),
        (
            "wrong token",
            wrong
                .iter()
                .map(|value| unknown(&[("authorization", value)]))
                .collect(),
        ),
        (
            "another workspace's token",
            vec![unknown(&[(
                "authorization",
                &format!("Bearer {}", neighbour.token),
            )])],
        ),
        (
            "a token that is over",
            former(server)
                .iter()
                .map(|token| unknown(&[("authorization", &format!("Bearer {token}"))]))
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
    let (server, neighbour) = (Server::start().await, Server::start().await);
    let (cases, paths) = (cases(&server, &neighbour), paths());
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
    assert!(asked > 50 * 7 * 9, "{asked}");
    neighbour.stop().await;
    server.stop().await;
}

/// Ways to write a path that other readers take for the same, or for one that lies elsewhere.
fn spellings(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let escaped = |byte: u8| format!("%{byte:02x}");
    let mut all = vec![
        format!("{folder}//{name}"),
        format!("{folder}/./{name}"),
        format!("{folder}/x/../{name}"),
        format!("{folder}/x/%2e%2e/{name}"),
        format!("{folder}/x/.%2E/{name}"),
        format!("{folder}/%2e/{name}"),
        format!("{path}/"),
        format!("{path}%2F"),
        format!("{path}."),
        format!("{path}%2e"),
        format!("{path}%00"),
        format!("{folder}%2F{name}"),
        format!("{folder}/{}", name.to_uppercase()),
        format!("/mlflow{path}"),
        format!("/mlflow{}", path.replacen("/api/", "/ajax-api/", 1)),
        format!("/mlflow{}", path.replacen("/api/", "/%61jax-api/", 1)),
    ];
    // Each byte of the path escaped, once and twice.
    for (at, byte) in path.bytes().enumerate().filter(|(_, byte)| *byte != b'/') {
        for escape in [escaped(byte), escaped(byte).replacen('%', "%25", 1)] {
            all.push(format!("{}{escape}{}", &path[..at], &path[at + 1..]));
        }
    }
    all
}

/// MLflow decodes paths, and knows no grants: no spelling of a call that is closed may reach it.
#[tokio::test]
async fn no_spelling_of_a_path_leads_past_the_rules_for_mlflow() {
    let server = Server::start().await;
    let ci = crate::identities::Service::create(&server, "ci").await;
    let closed = [
        ("GET", "/api/2.0/mlflow/registered-models/search"),
        ("DELETE", "/api/2.0/mlflow/registered-models/delete"),
        ("POST", "/api/2.0/mlflow/registered-models/alias"),
        ("GET", "/model-versions/get-artifact"),
        ("POST", "/graphql"),
        ("POST", "/api/2.0/mlflow/experiments/delete"),
        ("POST", "/api/2.0/mlflow/experiments/update"),
        ("POST", "/api/2.0/mlflow/experiments/restore"),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact"),
        ("GET", "/mlflow/static-files/x"),
    ];
    let mut asked = 0;
    for (method, path) in closed {
        for path in [vec![path.to_owned()], spellings(path)].concat() {
            // A client would bring the path into its plain form, so it is written by hand.
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}",
                server.port, ci.token
            );
            let port = server.port;
            let status = tokio::task::spawn_blocking(move || status_of(port, &head, 0));
            let status = status.await.unwrap();
            assert!(
                ["400", "403", "404", "501"].contains(&status.as_str()),
                "{status}: {method} {path}"
            );
            asked += 1;
        }
    }
    assert!(asked > 800, "{asked}");
    // Fields have a second name at MLflow; only the first is looked at here.
    let both = json!({"experiment_id": "1", "experimentId": "2"});
    let (status, _) = ci
        .post(&server, "/api/2.0/mlflow/experiments/delete", both)
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    for location in ["file:///tmp/x", "/tmp/x", "http://127.0.0.1:1"] {
        let body = json!({"name": "/Shared/e", "artifact_location": location});
        let (status, _) = ci
            .post(&server, "/api/2.0/mlflow/experiments/create", body)
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{location}");
    }
    server.stop().await;
}

#[tokio::test]
async fn without_a_token_these_routes_answer_and_no_others() {
    let server = Server::start().await;
    let mut open = BTreeSet::new();
    for path in paths() {
        for method in METHODS {
            let url = format!("{}{path}", server.url);
            let request = server.client.request(method.parse().unwrap(), url);
            let status = request.send().await.unwrap().status();
            if status != StatusCode::UNAUTHORIZED {
                open.insert(format!("{method} {path}"));
            }
        }
    }
    let expected = [
        "GET /.well-known/databricks-config",
        "GET /health",
        "GET /oidc/.well-known/oauth-authorization-server",
        "GET /oidc/.well-known/openid-configuration",
        "HEAD /.well-known/databricks-config",
        "HEAD /health",
        "HEAD /oidc/.well-known/oauth-authorization-server",
        "HEAD /oidc/.well-known/openid-configuration",
        // A form without a grant: 400. It refuses whoever shows no secret.
        "POST /oidc/v1/token",
    ];
    assert_eq!(open, expected.map(str::to_owned).into());
    server.stop().await;
}

/// A body that is too long is refused; a file that says so beforehand, before any of it is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_have_an_end() {
    let server = Server::start().await;
    for (method, path, announced, sent) in [
        (
            "PUT",
            "/api/2.0/fs/files/Models/a/b/c/1/x",
            9_000_000_000_u64,
            0,
        ),
        ("POST", "/api/2.2/jobs/create", 3 << 20, 3 << 20),
        ("POST", "/api/2.0/preview/scim/v2/Groups", 3 << 20, 3 << 20),
        ("POST", "/oidc/v1/token", 3 << 20, 3 << 20),
    ] {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {announced}\r\n\r\n",
            server.port, server.token
        );
        let port = server.port;
        let status = tokio::task::spawn_blocking(move || status_of(port, &head, sent));
        assert_eq!(status.await.unwrap(), "413", "{method} {path}");
    }
    server.stop().await;
}

/// Sends a head and `sent` bytes, and reads the status meanwhile: a server that refuses need not read on.
fn status_of(port: u16, head: &str, sent: usize) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let limit = std::time::Duration::from_secs(30);
    stream.set_read_timeout(Some(limit)).unwrap();
    stream.set_write_timeout(Some(limit)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let bytes = [head.as_bytes(), &vec![b' '; sent]].concat();
    let writing = std::thread::spawn(move || drop(writer.write_all(&bytes)));
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    writing.join().unwrap();
    String::from_utf8_lossy(&start[9..]).into_owned()
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
        cookie.starts_with(&format!(
            "xtask_workspace_{}_{}=",
            server.port, server.workspace_id
        )),
        "{cookie}"
    );
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let session = cookie.split(';').next().unwrap().to_owned();
    // What a server on another port of this host adds under the same name is no session, and locks nobody out.
    let planted = format!("{}=x", session.split_once('=').unwrap().0);
    let request = server.client.get(format!("{}/local/v1/status", server.url));
    let reply = request.header("cookie", &planted).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);

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
            .header("cookie", format!("a=b; {planted}; {session}"))
    };
    // A session makes nothing that would outlive it.
    for path in ["/api/2.0/token/create", "/local/v1/sign-in"] {
        let own = ask(Method::POST, path).header("origin", &server.url);
        let reply = own.json(&json!({})).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::FORBIDDEN, "{path}");
    }
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
    let store = Store::open(&server.state().join("workspace.db")).unwrap();
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
