//! The pages as a browser without scripts gets them: structure, escaping, forms, long lists, errors.

use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, ORIGIN};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::runs::{FOLDER, ended, task, until, upload, workspace};
use crate::server::{Server, job};

const HOSTILE: &str = "<script>alert('x')</script>\"&";

async fn create(server: &Server, settings: &Value) -> i64 {
    let (status, body) = server.post("/api/2.2/jobs/create", settings.clone()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["job_id"].as_i64().unwrap()
}

async fn get(server: &Server, path: &str) -> Response {
    let request = server.request(Method::GET, path);
    request.header(ACCEPT, "text/html").send().await.unwrap()
}

/// Sends a form as a page of the workspace does.
async fn submit(server: &Server, path: &str, fields: &[(&str, &str)]) -> Response {
    let request = server.request(Method::POST, path);
    let request = request.header(ORIGIN, &server.url).form(fields);
    request.send().await.unwrap()
}

/// What must hold of every page.
fn check(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert_eq!(page.matches("<h1").count(), 1, "one heading: {page}");
    assert_eq!(page.matches("<main").count(), 1, "{page}");
    assert!(
        page.contains("href=\"#content\""),
        "a way past the navigation"
    );
    assert!(!page.contains("style=\""), "inline style: {page}");
    assert!(
        !page.contains("<style") && !page.contains(" onclick"),
        "{page}"
    );
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script defer src=\"/assets/").count(),
        "inline script: {page}"
    );
}

#[tokio::test]
async fn empty_lists_say_what_to_type() {
    let server = Server::start().await;
    for (path, command) in [
        ("/", "cargo xtask test"),
        ("/jobs", "cargo xtask deploy"),
        ("/explore/data", "cargo xtask deploy"),
    ] {
        let page = server.page(path).await;
        check(&page);
        assert!(page.contains(command), "{path}: {page}");
    }
    // There is no Python here, so MLflow never comes up; its pages say so instead of hanging.
    for path in [
        "/models",
        "/ml/experiments",
        "/explore/data/models/a/b/c",
        "/explore/data/models/a/b/c/version/1",
    ] {
        let page = server.page(path).await;
        check(&page);
        assert!(page.contains("MLflow is"), "{path}: {page}");
    }
    server.stop().await;
}

#[tokio::test]
async fn names_and_parameters_are_escaped() {
    let server = Server::start().await;
    let mut settings = job(HOSTILE);
    settings["description"] = HOSTILE.into();
    settings["parameters"] = json!([{"name": HOSTILE, "default": HOSTILE}]);
    settings["schedule"] = json!({"quartz_cron_expression": "0 0 9 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"});
    settings["tasks"] = json!([
        {"task_key": "one", "notebook_task": {"notebook_path": format!("/x/{HOSTILE}")}},
        {"task_key": "two", "depends_on": [{"task_key": "one"}], "notebook_task": {"notebook_path": "/x/y"}},
    ]);
    let id = create(&server, &settings).await;
    for path in ["/jobs".to_owned(), format!("/jobs/{id}")] {
        let page = server.page(&path).await;
        check(&page);
        assert!(!page.contains("<script>"), "{page}");
        assert!(
            page.contains("&lt;script&gt;") && page.contains("paused"),
            "{page}"
        );
    }
    let page = server.page(&format!("/jobs/{id}")).await;
    assert!(
        page.contains("<svg") && page.contains("Run now") && page.contains("IS_OWNER"),
        "{page}"
    );
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_page_with_a_next_step() {
    let server = Server::start().await;
    for (path, next) in [
        ("/jobs/1", "href=\"/jobs\""),
        ("/jobs/1/runs/2", "href=\"/\""),
        ("/nothing/at/all", "href=\"/\""),
        ("/browse/Users/nobody", "href=\"/browse\""),
        ("/explore/data/a/b", "href=\"/explore/data\""),
        ("/explore/data/volumes/a/b/c", "href=\"/explore/data\""),
        (
            "/explore/data/models/a/b/c/version/x",
            "href=\"/explore/data/models/a/b/c\"",
        ),
        ("/go?to=nonsense", "href=\"/\""),
        ("/outputs/1/2/3", "href=\"/\""),
    ] {
        let reply = get(&server, path).await;
        assert_eq!(reply.status(), StatusCode::NOT_FOUND, "{path}");
        let page = reply.text().await.unwrap();
        check(&page);
        assert!(page.contains(next), "{path}: {page}");
    }
    // A client that wants no page gets the error that the CLI understands.
    let (status, body) = server.get("/nothing/at/all").await;
    assert_eq!(
        (status, &body["error_code"]),
        (StatusCode::NOT_IMPLEMENTED, &json!("NOT_IMPLEMENTED"))
    );
    server.stop().await;
}

#[tokio::test]
async fn pages_allow_nothing_inline() {
    let server = Server::start().await;
    let reply = get(&server, "/").await;
    let policy = reply.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("default-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    server.stop().await;
}

#[tokio::test]
async fn forms_need_our_origin() {
    let server = Server::start().await;
    let id = create(&server, &job("a")).await;
    let (_, link) = server.post("/local/v1/sign-in", json!({"path": "/"})).await;
    let reply = server
        .client
        .get(link["url"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let forms = ["run-now", "runs/2/cancel", "runs/2/repair"];
    for form in forms {
        let send = |origin: Option<&str>| {
            let request = server
                .client
                .post(format!("{}/jobs/{id}/{form}", server.url));
            let request = request.header(COOKIE, &cookie).form(&[("a", "b")]);
            match origin {
                Some(origin) => request.header(ORIGIN, origin),
                None => request,
            }
        };
        for origin in [None, Some("http://evil.example"), Some("null")] {
            let reply = send(origin).send().await.unwrap();
            assert_eq!(reply.status(), StatusCode::FORBIDDEN, "{form} {origin:?}");
        }
        let reply = send(Some(&server.url)).send().await.unwrap();
        assert_ne!(reply.status(), StatusCode::FORBIDDEN, "{form}");
    }
    server.stop().await;
}

#[tokio::test]
async fn links_that_clients_print_lead_somewhere() {
    let server = Server::start().await;
    let id = create(&server, &job("a")).await;
    let reply = submit(&server, &format!("/jobs/{id}/run-now"), &[]).await;
    assert_eq!(reply.status(), StatusCode::SEE_OTHER);
    let run_page = reply.headers()[LOCATION].to_str().unwrap().to_owned();
    let run_id = run_page.rsplit('/').next().unwrap();
    let (_, run) = server
        .get(&format!("/api/2.2/jobs/runs/get?run_id={run_id}"))
        .await;
    let task_run = &run["tasks"][0]["run_id"];
    server
        .import(
            "/Workspace/Users/n.py",
            "# Databricks notebook source\n1",
            true,
        )
        .await;
    let (_, notebook) = server
        .get("/api/2.0/workspace/get-status?path=/Workspace/Users/n")
        .await;
    let object = &notebook["object_id"];
    for (given, meant) in [
        (format!("/go?to=%23job/{id}/run/{run_id}"), run_page.clone()),
        (format!("/go?to={run_id}"), run_page.clone()),
        (
            format!("/go?to={task_run}"),
            format!("{run_page}#task-{task_run}"),
        ),
        (format!("/go?to=%23job/{id}"), format!("/jobs/{id}")),
        (format!("/go?to={id}"), format!("/jobs/{id}")),
        (
            format!("/go?to=%23notebook/{object}"),
            "/browse/Users/n".to_owned(),
        ),
        (
            format!("/jobs/{id}/runs/{task_run}"),
            format!("{run_page}#task-{task_run}"),
        ),
        (
            "/go?to=%23mlflow/models/a.b.c/versions/2".to_owned(),
            "/explore/data/models/a/b/c/version/2".to_owned(),
        ),
        (
            "/ml/experiments/7?o=1".to_owned(),
            "/mlflow/#/experiments/7".to_owned(),
        ),
        (
            "/ml/experiments/7/runs/abc?o=1".to_owned(),
            "/mlflow/#/experiments/7/runs/abc".to_owned(),
        ),
        (
            "/ml/experiments/7/models/m-1?o=1".to_owned(),
            "/mlflow/#/experiments/7/models/m-1".to_owned(),
        ),
    ] {
        let reply = get(&server, &given).await;
        assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{given}");
        assert_eq!(reply.headers()[LOCATION], meant.as_str(), "{given}");
    }
    for path in [
        format!("/jobs/{id}?o=1"),
        format!("/jobs/{id}?w=1"),
        format!("{run_page}?o=1"),
        "/browse/Users/n".to_owned(),
    ] {
        assert_eq!(get(&server, &path).await.status(), StatusCode::OK, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn volumes_and_files_can_be_looked_at() {
    let server = Server::start().await;
    for (path, body) in [
        ("catalogs", json!({"name": "c"})),
        ("schemas", json!({"catalog_name": "c", "name": "s"})),
        (
            "volumes",
            json!({"catalog_name": "c", "schema_name": "s", "name": "v", "volume_type": "MANAGED"}),
        ),
    ] {
        server
            .post(&format!("/api/2.1/unity-catalog/{path}"), body)
            .await;
    }
    let file = server.request(
        Method::PUT,
        "/api/2.0/fs/files/Volumes/c/s/v/a%20b/x%3Cy.txt",
    );
    assert!(
        file.body("hello")
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    assert!(
        server
            .page("/explore/data")
            .await
            .contains("/explore/data/volumes/c/s/v")
    );
    assert!(
        server
            .page("/explore/data/c/s")
            .await
            .contains("/explore/data/volumes/c/s/v")
    );
    assert!(
        server
            .page("/explore/data/volumes/c/s/v")
            .await
            .contains("/explore/data/volumes/c/s/v/a%20b")
    );
    let page = server.page("/explore/data/volumes/c/s/v/a%20b").await;
    check(&page);
    let download = "/api/2.0/fs/files/Volumes/c/s/v/a%20b/x%3Cy.txt";
    assert!(
        page.contains(download) && page.contains("x&lt;y.txt"),
        "{page}"
    );
    assert_eq!(server.page(download).await, "hello");

    server
        .post("/api/2.0/workspace/mkdirs", json!({"path": "/Users/x"}))
        .await;
    server.import("/Users/x/a.py", HOSTILE, true).await;
    let page = server.page("/browse/Users/x/a.py").await;
    check(&page);
    assert!(page.contains("&lt;script&gt;"), "{page}");
    server.stop().await;
}

#[tokio::test]
async fn lists_of_ten_thousand_runs_come_in_pages_and_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_in(dir, None).await;
    let id = create(&server, &job("busy")).await;
    let settings = json!({"name": "busy", "tasks": vec![job("x")["tasks"][0].clone(); 20]});
    // Beside the server, as other processes do; one by one over the API it would take minutes.
    let database = rusqlite::Connection::open(server.state().join("workspace.db")).unwrap();
    let added = database.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO runs (run_id, job_id, number_in_job, run_name, creator_user_name, settings_json, parameters_json,
           overrides_json, life_cycle_state, result_state, start_time, end_time)
         SELECT 100000000000000 + i, ?1, i, 'busy', 'x', ?2, '{}', '{}', 'TERMINATED',
           CASE WHEN i % 10 = 0 THEN 'FAILED' ELSE 'SUCCESS' END, i, i + 1000 FROM n",
        rusqlite::params![id, settings.to_string()],
    );
    assert_eq!(added.unwrap(), 10_000);
    for (path, rows) in [
        ("/", 50),
        ("/?page=200", 50),
        ("/?show=failed&page=2", 50),
        ("/jobs", 1),
    ] {
        let (page, spent) = timed(&server, path).await;
        println!("{path}: {spent:?}, {} bytes", page.len());
        check(&page);
        assert_eq!(page.matches("<tr").count(), rows + 1, "{path}");
        // Ten times what it takes on an idle laptop: the test must not depend on a fast one.
        assert!(spent < Duration::from_millis(500), "{path} took {spent:?}");
    }
    let (page, _) = timed(&server, &format!("/jobs/{id}?page=3")).await;
    assert!(page.contains("101–150 of 10,000 runs"), "{page}");
    let (page, _) = timed(&server, "/?show=failed").await;
    assert!(
        page.contains("1–50 of 1,000 runs") && page.contains("/?show=failed&amp;page=2"),
        "{page}"
    );
    server.stop().await;
}

/// The page, and the shortest of some times that it took.
async fn timed(server: &Server, path: &str) -> (String, Duration) {
    let mut best = Duration::MAX;
    let mut page = String::new();
    for _ in 0..5 {
        let start = Instant::now();
        page = server.page(path).await;
        best = best.min(start.elapsed());
    }
    (page, best)
}

#[tokio::test]
async fn a_run_is_repaired_and_cancelled_by_its_forms() {
    let server = workspace().await;
    let broken = "import os\nprint('\\x1b[31mred\\x1b[0m <b>')\nfor i in range(200): print(i)\nif not os.path.exists('/tmp/never'): raise ValueError('<i>')";
    let long = "import time\nprint('on')\ntime.sleep(300)";
    upload(
        &server,
        &[("Good", "display(1)"), ("Bad", broken), ("Long", long)],
    )
    .await;
    let mut settings = json!({"name": "forms", "tasks": [task("Good", &[], &json!({})), task("Bad", &["Good"], &json!({})), task("Last", &["Bad"], &json!({}))]});
    settings["tasks"][2]["notebook_task"]["notebook_path"] = format!("{FOLDER}/Good").into();
    settings["parameters"] = json!([{"name": "p", "default": "1"}]);
    let id = create(&server, &settings).await;
    let reply = submit(&server, &format!("/jobs/{id}/run-now"), &[("job.p", "2")]).await;
    let address = reply.headers()[LOCATION].to_str().unwrap().to_owned();
    let run_id: i64 = address.rsplit('/').next().unwrap().parse().unwrap();
    ended(&server, run_id).await;

    let page = server.page(&address).await;
    check(&page);
    assert!(
        page.contains("<span class=\"t-red\">red</span> &lt;b&gt;"),
        "{page}"
    );
    assert!(
        page.contains("more lines") && page.contains("ValueError: &lt;i&gt;"),
        "{page}"
    );
    assert!(page.contains("Not run as a result: Last."), "{page}");
    assert_eq!(page.matches("class=\"node").count(), 3, "{page}");
    // The failed task and the one behind it are chosen already.
    assert_eq!(page.matches(" checked").count(), 2, "{page}");
    let repaired = submit(
        &server,
        &format!("{address}/repair"),
        &[("task", "Bad"), ("job.p", "3")],
    )
    .await;
    assert_eq!(
        repaired.status(),
        StatusCode::SEE_OTHER,
        "{:?}",
        repaired.text().await
    );
    let run = ended(&server, run_id).await;
    assert_eq!(run["job_parameters"][0]["value"], "3");
    let page = server.page(&address).await;
    check(&page);
    assert!(
        page.contains("Repair 1") && page.contains("attempt 2"),
        "{page}"
    );
    // Somebody else's repair came between: the form says so and leads back.
    let refused = submit(&server, &format!("{address}/repair"), &[("task", "Bad")]).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let refused = refused.text().await.unwrap();
    check(&refused);
    assert!(
        refused.contains("latest_repair_id") && refused.contains(&address),
        "{refused}"
    );

    let id = create(
        &server,
        &json!({"name": "long", "tasks": [task("Long", &[], &json!({}))]}),
    )
    .await;
    let reply = submit(&server, &format!("/jobs/{id}/run-now"), &[]).await;
    let address = reply.headers()[LOCATION].to_str().unwrap().to_owned();
    let run_id: i64 = address.rsplit('/').next().unwrap().parse().unwrap();
    until(&server, run_id, |run| {
        run["tasks"][0]["state"]["life_cycle_state"] == "RUNNING"
    })
    .await;
    let page = server.page(&address).await;
    assert!(
        page.contains("data-live=\"true\"") && page.contains("Cancel run"),
        "{page}"
    );
    submit(&server, &format!("{address}/cancel"), &[]).await;
    let run = ended(&server, run_id).await;
    assert_eq!(run["state"]["result_state"], "CANCELED");
    assert!(server.page(&address).await.contains("data-live=\"false\""));
    server.stop().await;
}

#[tokio::test]
async fn html_of_a_notebook_lies_apart_under_a_policy_of_its_own() {
    let server = workspace().await;
    let source = "from IPython.display import HTML\ndisplay(HTML('<table><tr><td>cell</td></tr></table><script>x</script>'))";
    upload(&server, &[("Html", source)]).await;
    let id = create(
        &server,
        &json!({"name": "html", "tasks": [task("Html", &[], &json!({}))]}),
    )
    .await;
    let reply = submit(&server, &format!("/jobs/{id}/run-now"), &[]).await;
    let address = reply.headers()[LOCATION].to_str().unwrap().to_owned();
    ended(
        &server,
        address.rsplit('/').next().unwrap().parse().unwrap(),
    )
    .await;
    let page = server.page(&address).await;
    assert!(!page.contains("<td>cell</td>"), "{page}");
    let frame = page
        .split("src=\"/outputs/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let reply = get(&server, &format!("/outputs/{frame}")).await;
    let policy = reply.headers()[CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("sandbox;") && !policy.contains("script-src"),
        "{policy}"
    );
    assert!(reply.text().await.unwrap().contains("<td>cell</td>"));
    server.stop().await;
}
