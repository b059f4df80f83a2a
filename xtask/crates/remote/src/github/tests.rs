use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::repositories::Name;
use super::*;

/// A server that answers each request with the next of `replies` (the last one for good), and keeps
/// what was asked. `HOST` in a reply is its own address.
fn server(replies: &[&str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let replies: Vec<String> = replies
        .iter()
        .map(|reply| reply.replace("HOST", &base))
        .collect();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut next = replies.iter();
        let mut reply = next.next().unwrap();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            head.push_str(&String::from_utf8(body).unwrap());
            seen.lock().unwrap().push(head);
            let (status, text) = reply.split_once('\n').unwrap();
            let (headers, body) = text.split_once("\n\n").unwrap_or(("", text));
            let headers = headers.replace('\n', "\r\n");
            let headers = match headers.is_empty() {
                true => headers,
                false => headers + "\r\n",
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            reply = next.next().unwrap_or(reply);
        }
    });
    (base, asked)
}

fn client(base: &str) -> GitHub {
    GitHub::new(&Address::of(base), Credentials::bearer("ghp_CANARY")).unwrap()
}

fn name() -> Name {
    Name::parse("o/r").unwrap()
}

#[test]
fn a_call_carries_what_github_asks_for() {
    let (base, asked) = server(&["200 OK\n{\"login\": \"me\"}"]);
    assert_eq!(repositories::viewer(&client(&base)).unwrap().login, "me");
    let asked = asked.lock().unwrap()[0].to_lowercase();
    assert!(asked.starts_with("get /api/v3/user http/1.1"), "{asked}");
    for header in [
        "accept: application/vnd.github+json",
        "x-github-api-version: 2022-11-28",
        "user-agent: xtask/",
        "authorization: bearer ghp_canary",
    ] {
        assert!(asked.contains(header), "{asked}");
    }
}

#[test]
fn a_list_is_read_to_its_end() {
    let (base, asked) = server(&[
        "200 OK\nlink: <HOST/api/v3/repositories/1/labels?page=2>; rel=\"next\", <HOST/x>; rel=\"last\"\n\n[{\"name\": \"a\"}]",
        "200 OK\nlink: <HOST/x>; rel=\"prev\"\n\n[{\"name\": \"b\"}]",
    ]);
    assert_eq!(
        repositories::labels(&client(&base), &name()).unwrap(),
        ["a", "b"]
    );
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("GET /api/v3/repos/o/r/labels?per_page=100 "));
    assert!(asked[1].starts_with("GET /api/v3/repositories/1/labels?page=2 "));
}

#[test]
fn a_list_that_leads_elsewhere_or_has_no_end_is_refused() {
    let (elsewhere, contacted) = server(&["200 OK\n[]"]);
    let link = format!("200 OK\nlink: <{elsewhere}/api/v3/x>; rel=\"next\"\n\n[]");
    for (reply, says) in [
        (link.as_str(), "the next page is said to be at"),
        (
            "200 OK\nlink: <HOST/api/v3/x>; rel=\"next\"\n\n[]",
            "does not end",
        ),
    ] {
        let (base, _) = server(&[reply]);
        let error = repositories::labels(&client(&base), &name()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(contacted.lock().unwrap().is_empty());
}

#[test]
fn a_redirect_to_another_server_gets_no_token() {
    let (blobs, asked) = server(&["200 OK\nthe log"]);
    let (base, _) = server(&[&format!("302 Found\nlocation: {blobs}/log?signed=1\n\n")]);
    let request = Request::new(Method::Get, "/repos/o/r/actions/jobs/1/logs");
    let reply = client(&base).send(&request).unwrap();
    assert_eq!(reply.body, b"the log");
    let asked = asked.lock().unwrap()[0].to_lowercase();
    assert!(
        !asked.contains("authorization") && !asked.contains("canary"),
        "{asked}"
    );
    assert!(!asked.contains("referer"), "{asked}");
}

#[test]
fn an_asked_wait_is_kept_and_too_long_a_one_fails_at_once() {
    let waited = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&waited);
    let pause: Pause = Arc::new(move |wait, _| {
        log.lock().unwrap().push(wait);
        true
    });
    let (base, _) = server(&[
        "429 No\nretry-after: 7\n\n{\"message\": \"slow down\"}",
        "200 OK\n{\"login\": \"me\"}",
    ]);
    let github = client(&base).pausing(&pause);
    repositories::viewer(&github).unwrap();
    assert_eq!(*waited.lock().unwrap(), [Duration::from_secs(7)]);

    let (base, asked) = server(&["429 No\nretry-after: 86400\n\n{\"message\": \"slow down\"}"]);
    let github = client(&base).pausing(&pause);
    let error = repositories::viewer(&github).unwrap_err();
    assert!(error.to_string().contains("86400 seconds"), "{error}");
    assert_eq!(asked.lock().unwrap().len(), 1);

    // However often it asks, the waits together have a limit.
    let (base, asked) = server(&["429 No\nretry-after: 40\n\n{\"message\": \"slow down\"}"]);
    repositories::viewer(&client(&base).pausing(&pause)).unwrap_err();
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[test]
fn a_write_is_not_repeated() {
    for reply in [
        "503 No\nx",
        "429 No\nretry-after: 0\n\n{\"message\": \"slow down\"}",
        "200 OK\n{\"number\":",
    ] {
        let (base, asked) = server(&[reply]);
        let new = pulls::New {
            title: "t",
            body: "",
            head: "b",
            head_repo: None,
            base: "main",
            draft: false,
            maintainer_can_modify: true,
        };
        pulls::open(&client(&base), &name(), &new).unwrap_err();
        let way = merging::Way::Squash;
        merging::merge(&client(&base), &name(), 1, "0", way).unwrap_err();
        assert_eq!(asked.lock().unwrap().len(), 2, "{reply}");
    }
}

#[test]
fn graphql_complaints_are_errors_although_the_status_is_200() {
    let refused = r#"200 OK
{"data": null, "errors": [{"type": "FORBIDDEN", "message": "no"}]}"#;
    let (base, _) = server(&[refused]);
    let error = client(&base)
        .query::<Value>("query { x }", &json!({}))
        .unwrap_err();
    assert_eq!(error.status(), Some(403));

    let partial = r#"200 OK
{"data": {"a": 1, "b": null}, "errors": [{"type": "NOT_FOUND", "message": "no b", "path": ["b"]}]}"#;
    let (base, _) = server(&[partial]);
    let answer = client(&base)
        .query::<Value>("query { a b }", &json!({}))
        .unwrap();
    assert_eq!(answer.data["a"], 1);
    assert_eq!(answer.complaints[0].path, ["b"]);
    let error = client(&base)
        .mutate::<Value>("mutation { a }", &json!({}))
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");

    let limited = "200 OK\nretry-after: 86400\n\n{\"errors\": [{\"type\": \"RATE_LIMITED\", \"message\": \"slow down\"}]}";
    let (base, _) = server(&[limited]);
    let error = client(&base)
        .query::<Value>("query { x }", &json!({}))
        .unwrap_err();
    assert_eq!(error.wait(), Some(Duration::from_secs(86400)));
}

#[test]
fn the_same_branch_name_in_another_fork_is_another_branch() {
    let pull = |owner: &str, number: u64| {
        json!({
            "number": number, "node_id": "x", "html_url": "u", "state": "open", "title": "t",
            "head": {"ref": "feat", "sha": "0", "repo": {"full_name": format!("{owner}/r")}},
            "base": {"ref": "main", "sha": "0", "repo": {"full_name": "o/r"}},
        })
    };
    let mut gone = pull("o", 3);
    gone["head"]["repo"] = Value::Null;
    let listed = json!([gone, pull("evil", 2), pull("O", 1)]);
    let (base, asked) = server(&[&format!("200 OK\n{listed}")]);
    let found = pulls::of_branch(&client(&base), &name(), &name(), "feat").unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].number, 1);
    assert!(asked.lock().unwrap()[0].contains("head=o%3Afeat"));
}

#[test]
fn a_commit_has_checks_of_both_kinds() {
    let (base, asked) = server(&[
        r#"200 OK
{"total_count": 2, "check_runs": [
 {"name": "unit", "status": "completed", "conclusion": "success", "details_url": "u"},
 {"name": "Deploy", "status": "in_progress", "conclusion": null}]}"#,
        r#"200 OK
{"state": "failure", "statuses": [{"context": "licence", "state": "error", "target_url": null}]}"#,
    ]);
    let found = checks::of_commit(&client(&base), &name(), "0123abc").unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|check| (check.name.as_str(), check.state, check.word.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("unit", checks::State::Passed, "success"),
            ("Deploy", checks::State::Pending, "in_progress"),
            ("licence", checks::State::Failed, "error"),
        ]
    );
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].starts_with("GET /api/v3/repos/o/r/commits/0123abc/check-runs?filter=latest"),
        "{asked:?}"
    );
}

#[test]
fn a_commit_counts_as_deployed_once_it_was() {
    use deployments::Deployed;
    let told = |replies: &[&str]| {
        let (base, asked) = server(replies);
        let found = deployments::of_commit(&client(&base), &name(), "prod", "0123abc").unwrap();
        (found, asked)
    };
    let (found, asked) = told(&["200 OK\n[]"]);
    assert_eq!(found, Deployed::Unknown);
    let call = asked.lock().unwrap()[0].clone();
    assert!(
        call.starts_with("GET /api/v3/repos/o/r/deployments?environment=prod&sha=0123abc"),
        "{call}"
    );
    let failed = "200 OK\n[{\"state\": \"failure\"}, {\"state\": \"in_progress\"}]";
    assert_eq!(told(&["200 OK\n[{\"id\": 7}]", failed]).0, Deployed::No);
    // A later deployment has taken its place.
    let earlier = "200 OK\n[{\"state\": \"inactive\"}, {\"state\": \"success\"}]";
    let both = ["200 OK\n[{\"id\": 8}, {\"id\": 7}]", failed, earlier];
    assert_eq!(told(&both).0, Deployed::Yes);
}

#[test]
fn a_run_is_known_by_its_workflow_and_says_whom_it_waits_for() {
    let run = |path: &str, status: &str, conclusion: Value| -> actions::Run {
        serde_json::from_value(json!({
            "id": 1, "path": path, "head_sha": "0", "html_url": "u",
            "status": status, "conclusion": conclusion,
        }))
        .unwrap()
    };
    let done = run(
        ".github/workflows/ship.yml@main",
        "completed",
        json!("success"),
    );
    assert!(done.is_of("ship.yml") && !done.is_of("hip.yml") && done.is_success());
    let other = run("dynamic/dependabot", "waiting", Value::Null);
    assert!(!other.is_of("dependabot") && !other.is_over());
    let (base, _) = server(&[r#"200 OK
[{"environment": {"id": 1, "name": "prod"}, "wait_timer": 0, "current_user_can_approve": false,
  "reviewers": [{"type": "User", "reviewer": {"login": "bob"}}, {"type": "Team", "reviewer": {"slug": "ops"}}]}]"#]);
    let waiting = actions::waiting_for(&client(&base), &name(), 1).unwrap();
    assert_eq!(waiting[0].environment, "prod");
    assert_eq!(waiting[0].reviewers, ["bob", "ops"]);
}
