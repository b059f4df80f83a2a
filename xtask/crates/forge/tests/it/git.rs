//! git over http.

use serde_json::Value;

use crate::support::Scene;

#[test]
fn a_clone_pushes_and_the_api_knows() {
    let scene = Scene::new();
    let clone = scene.clone(&scene.repo.clone_url, &scene.bob);
    let sha = scene.push(&clone, &scene.bob, "feat/über-schön", "a.txt");
    let (status, reply) = scene.forge.rest(
        &scene.ada,
        "GET",
        &scene.path("/branches/feat/%C3%BCber-sch%C3%B6n"),
        &Value::Null,
    );
    assert_eq!(
        (status, reply["commit"]["sha"].as_str()),
        (200, Some(sha.as_str()))
    );
    assert_eq!(reply["commit"]["author"]["login"], "bob");
    let fetched = scene.git(&clone, &scene.bob, &["fetch", "--quiet", "origin", "main"]);
    assert!(fetched.status.success());
}

/// Whatever name a client thinks of, it gets an answer in GitHub's form and never a 500.
#[test]
fn odd_names_of_refs_are_refused() {
    let scene = Scene::new();
    let clone = scene.clone(&scene.repo.clone_url, &scene.bob);
    let sha = scene.push(&clone, &scene.bob, "feat", "a.txt");
    let ask = |method: &str, path: &str, body: &Value| {
        let (status, reply) = scene
            .forge
            .rest(&scene.ada, method, &scene.path(path), body);
        assert!((200..500).contains(&status), "{method} {path}: {reply}");
        status
    };
    for name in [
        "a..b", "a b", ".a", "a.lock", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "@{u}",
        "a\u{0}", "a\n", "-", "", "/", "a//b", "a/", "feat/x", "\u{202e}",
    ] {
        let body = serde_json::json!({"ref": format!("refs/heads/{name}"), "sha": sha});
        let status = ask("POST", "/git/refs", &body);
        assert!(matches!(status, 201 | 422), "{name:?}: {status}");
    }
    let all = |name: &str| {
        [
            "/git/ref/heads/",
            "/branches/",
            "/commits/",
            "/compare/main...",
        ]
        .map(|path| format!("{path}{name}"))
    };
    for name in [
        "%2e%2e",
        "..",
        "%00",
        "--help",
        "-",
        "@%7Bu%7D",
        "main%5E%7Bcommit%7D",
        "main:README.md",
        ":/First",
        "HEAD~9",
        "%0A",
        "a%20b",
        "refs%2Fheads%2Fmain",
        "main%2F",
        "%F0%9F%9A%95",
    ] {
        for path in all(name) {
            ask("GET", &path, &Value::Null);
        }
        ask("GET", &format!("/commits?sha={name}"), &Value::Null);
        ask(
            "GET",
            &format!("/contents/README.md?ref={name}"),
            &Value::Null,
        );
        let body = serde_json::json!({"sha": name});
        ask("PATCH", "/git/refs/heads/feat", &body);
        ask("DELETE", &format!("/git/refs/heads/{name}"), &Value::Null);
        let body = serde_json::json!({"title": "t", "head": name, "base": "main"});
        ask("POST", "/pulls", &body);
        let body = serde_json::json!({"title": "t", "head": "feat", "base": name});
        ask("POST", "/pulls", &body);
    }
}

#[test]
fn who_may_not_write_does_not_push() {
    let scene = Scene::new();
    let eve = scene.forge.user("eve");
    let clone = scene.clone(&scene.repo.clone_url, &eve);
    std::fs::write(clone.join("x"), "x").unwrap();
    scene.git(&clone, &eve, &["add", "--all"]);
    scene.git(&clone, &eve, &["commit", "--quiet", "--message", "x"]);
    let output = scene.git(&clone, &eve, &["push", "origin", "HEAD:main"]);
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("403"),
        "{output:?}"
    );
    let reader = scene.forge.reader(&scene.bob);
    let output = scene.git(
        &clone,
        &reader,
        &["push", &scene.repo.clone_url, "HEAD:main"],
    );
    assert!(!output.status.success());
}

#[test]
fn a_private_repository_is_not_there_for_others() {
    let scene = Scene::new();
    let body = serde_json::json!({"owner": "ada", "name": "secret", "private": true});
    let secret = scene.forge.repository_with(&scene.ada, &body);
    let eve = scene.forge.user("eve");
    let output = scene.git(scene.folder.path(), &eve, &["ls-remote", &secret.clone_url]);
    assert!(!output.status.success());
    assert_eq!(
        scene
            .forge
            .rest(&eve, "GET", "/repos/ada/secret", &Value::Null)
            .0,
        404
    );
    assert_eq!(
        scene
            .forge
            .rest(&scene.ada, "GET", "/repos/ada/secret", &Value::Null)
            .0,
        200
    );
}

#[test]
fn a_killed_forge_comes_back_as_it_was() {
    let mut scene = Scene::new();
    let clone = scene.clone(&scene.repo.clone_url, &scene.bob);
    let sha = scene.push(&clone, &scene.bob, "feat", "a.txt");
    let number = scene
        .forge
        .pull_request(&scene.repo, &scene.bob, "feat", "A change");
    let url = scene.forge.url().to_owned();
    scene.forge.restart();
    assert_eq!(scene.forge.url(), url);
    let (_, reply) = scene.forge.rest(
        &scene.bob,
        "GET",
        &scene.path(&format!("/pulls/{number}")),
        &Value::Null,
    );
    assert_eq!(reply["head"]["sha"], sha.as_str());
    let _ = scene.push(&clone, &scene.bob, "again", "b.txt");
}
