//! Pages: a link signs a browser in once, and what is printed leads somewhere.

use std::process::Command;

use serde_json::json;

use crate::support::Scene;

/// A browser: it keeps its cookies and wants HTML. Status and page.
fn browse(scene: &Scene, address: &str) -> (String, String) {
    let cookies = scene.folder.path().join("cookies");
    let output = Command::new("curl")
        .args([
            "--noproxy",
            "*",
            "-sSL",
            "-H",
            "Accept: text/html",
            "-w",
            "%{http_code}",
            "-b",
        ])
        .arg(&cookies)
        .arg("-c")
        .arg(&cookies)
        .arg(address)
        .output()
        .expect("curl starts");
    let mut page = String::from_utf8_lossy(&output.stdout).into_owned();
    let status = page.split_off(page.len() - 3);
    (status, page)
}

#[test]
fn a_link_signs_in_once_and_a_pull_request_leads_to_its_log() {
    let scene = Scene::new();
    let sha = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "a.txt", "a\n", "Add a");
    let number = scene
        .forge
        .pull_request(&scene.repo, &scene.bob, "feat", "<b>Add</b> a");
    let run = scene.forge.run(&scene.repo, &json!({"workflow": "CI", "head_sha": sha, "jobs": [
        {"name": "test", "conclusion": "failure", "seconds": 5, "log": "assert 1 == 2 <script>\n", "steps": [{"name": "Run tests", "conclusion": "failure"}]}]}));
    let address = |path: &str| format!("{}{path}", scene.forge.url());
    let pull = format!("/ada/taxi/pull/{number}");
    // Without a rule nothing is in the way, and what is red is said all the same.
    let (_, page) = browse(&scene, &scene.forge.sign_in(&scene.bob, &pull));
    assert!(!page.contains("Ready to merge"), "{page}");
    assert!(page.contains("but a check failed"), "{page}");
    std::fs::remove_file(scene.folder.path().join("cookies")).unwrap();
    scene.forge.protect(&scene.repo, "main", &["test"], 0);
    let (status, page) = browse(&scene, &address(&pull));
    assert!(
        status == "401" && page.contains("not signed in"),
        "{status} {page}"
    );
    let link = scene.forge.sign_in(&scene.bob, &pull);
    let (status, page) = browse(&scene, &link);
    assert_eq!(status, "200", "{page}");
    for expected in [
        "&lt;b&gt;Add&lt;/b&gt; a",
        "Required status check \"test\" is failing.",
        "required",
        "Failure",
    ] {
        let expected = expected.replace('"', "&quot;");
        assert!(page.contains(&expected), "{expected} is not in {page}");
    }
    let job = format!("/ada/taxi/actions/runs/{}/job/{}", run.run, run.jobs[0]);
    assert!(page.contains(&job));
    let (_, page) = browse(&scene, &address(&job));
    assert!(
        page.contains("assert 1 == 2 &lt;script&gt;") && page.contains("Run tests"),
        "{page}"
    );
    for path in [
        "/",
        "/ada/taxi",
        "/ada/taxi/pulls",
        &format!("/ada/taxi/actions/runs/{}", run.run),
    ] {
        assert_eq!(browse(&scene, &address(path)).0, "200", "{path}");
    }
    assert_eq!(browse(&scene, &address("/ada/none")).0, "404");
    std::fs::remove_file(scene.folder.path().join("cookies")).expect("cookies");
    assert_eq!(browse(&scene, &link).0, "401", "the link was used");
}
