//! Faults that a test orders, and the record of what was asked.

use serde_json::{Value, json};

use crate::support::Scene;

#[test]
fn a_fault_meets_as_many_requests_as_ordered() {
    let scene = Scene::new();
    scene.forge.fault(&json!({"path": "*/user", "times": 1, "status": 429, "headers": {"retry-after": "7"}, "body": "{\"message\": \"slow down\"}"}));
    let user = || scene.forge.rest(&scene.ada, "GET", "/user", &Value::Null);
    assert_eq!(user(), (429, json!({"message": "slow down"})));
    assert_eq!(user().0, 200);
    scene
        .forge
        .fault(&json!({"path": "*/user", "times": 1, "truncate": 10}));
    assert!(user().1.is_string(), "half a JSON is none");
    scene.forge.fault(
        &json!({"path": "*/user", "times": 1, "status": 502, "body": "<html>Unicorn</html>"}),
    );
    assert_eq!(user(), (502, json!("<html>Unicorn</html>")));
}

#[test]
fn a_lost_reply_leaves_its_effect_and_a_lost_request_none() {
    let scene = Scene::new();
    let _ = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "a.txt", "a\n", "Add a");
    let lose = |when: &str| {
        scene
            .forge
            .fault(&json!({"method": "POST", "path": "*/pulls", "times": 1, "reset": when}));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scene
                .forge
                .pull_request(&scene.repo, &scene.bob, "feat", "Add a")
        }));
        assert!(outcome.is_err(), "the connection was cut");
        scene
            .forge
            .rest(&scene.bob, "GET", &scene.path("/pulls"), &Value::Null)
            .1
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(lose("before"), 0);
    assert_eq!(lose("after"), 1);
}

#[test]
fn the_record_holds_what_was_asked_and_no_token() {
    let scene = Scene::new();
    scene.forge.clear_requests();
    let _ = scene.forge.rest(
        &scene.bob,
        "POST",
        &scene.path("/pulls?x=1"),
        &json!({"title": "t"}),
    );
    let asked = scene.forge.requests();
    assert_eq!(asked.len(), 1);
    let one = &asked[0];
    assert_eq!(
        (
            one.method.as_str(),
            one.path.as_str(),
            one.query.as_str(),
            one.status
        ),
        ("POST", "/api/v3/repos/ada/taxi/pulls", "x=1", Some(422))
    );
    assert_eq!(
        (one.body.clone(), one.login.as_deref()),
        (json!({"title": "t"}), Some("bob"))
    );
    assert!(!format!("{asked:?}").contains(&scene.bob.token));
}
