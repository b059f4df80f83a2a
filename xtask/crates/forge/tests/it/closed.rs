//! Closed by default: no token, no answer; foreign hosts and sites are refused.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::Scene;

/// The status of the reply to a head.
fn status(scene: &Scene, head: &str) -> String {
    let reply = reply(scene, head);
    reply.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Sends a head as it stands, and returns the whole reply.
fn reply(scene: &Scene, head: &str) -> String {
    let address = scene.forge.url().strip_prefix("http://").expect("it works");
    let mut stream = TcpStream::connect(address).expect("it works");
    let head = head
        .replace("OURS", address)
        .replace("TOKEN", &scene.ada.token);
    stream
        .write_all(
            format!(
                "{}\r\nconnection: close\r\n\r\n",
                head.replace('\n', "\r\n")
            )
            .as_bytes(),
        )
        .expect("it works");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it works");
    reply
}

#[test]
fn a_list_links_its_other_pages_at_the_address_that_was_asked() {
    let scene = Scene::new();
    let _ = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "a.txt", "a\n", "Add a");
    let list = "GET /api/v3/repos/ada/taxi/branches?per_page=1 HTTP/1.1\nhost: OURS\nauthorization: Bearer TOKEN";
    let reply = reply(&scene, list);
    let next = format!(
        "<{}/api/v3/repos/ada/taxi/branches?per_page=1&page=2>; rel=\"next\"",
        scene.forge.url()
    );
    assert!(reply.contains(&next), "{reply}");
}

#[test]
fn every_address_wants_a_token_our_host_and_our_own_pages() {
    let scene = Scene::new();
    for (head, expected) in [
        (
            "GET /api/v3/user HTTP/1.1\nhost: OURS\nauthorization: Bearer TOKEN",
            "200",
        ),
        ("GET /api/v3/user HTTP/1.1\nhost: OURS", "401"),
        ("GET /api/v3 HTTP/1.1\nhost: OURS", "401"),
        ("GET /ada/taxi HTTP/1.1\nhost: OURS", "401"),
        (
            "GET /ada/taxi.git/info/refs?service=git-upload-pack HTTP/1.1\nhost: OURS",
            "401",
        ),
        ("GET /_forge/v1/status HTTP/1.1\nhost: OURS", "401"),
        (
            "GET /_forge/v1/status HTTP/1.1\nhost: OURS\nauthorization: Bearer TOKEN",
            "403",
        ),
        ("GET /_logs/x HTTP/1.1\nhost: OURS", "403"),
        ("GET /nowhere HTTP/1.1\nhost: OURS", "401"),
        (
            "GET /api/v3/user HTTP/1.1\nhost: OURS\nauthorization: Bearer ghp_nobody",
            "401",
        ),
        (
            "GET /api/v3/user HTTP/1.1\nhost: evil.example\nauthorization: Bearer TOKEN",
            "403",
        ),
        (
            "GET /user HTTP/1.1\nhost: api.github.com\nauthorization: Bearer TOKEN",
            "403",
        ),
        (
            "GET /user HTTP/1.1\nhost: api.github.localhost\nauthorization: Bearer TOKEN",
            "200",
        ),
        (
            "GET /api/v3/user HTTP/1.1\nhost: OURS\nhost: OURS\nauthorization: Bearer TOKEN",
            "403",
        ),
        (
            "GET /api/v3/user HTTP/1.1\nhost: OURS\norigin: http://evil.example\nauthorization: Bearer TOKEN",
            "403",
        ),
        (
            "GET /api/v3/user HTTP/1.1\nhost: OURS\nsec-fetch-site: cross-site\nauthorization: Bearer TOKEN",
            "403",
        ),
    ] {
        assert_eq!(status(&scene, head), expected, "{head}");
    }
}

#[test]
fn nothing_on_disk_is_open_to_others_or_holds_a_users_token() {
    let scene = Scene::new();
    let state = scene.forge.state();
    for name in [
        "",
        "repositories",
        "logs",
        "token",
        "port",
        "forge.db",
        "server.json",
    ] {
        let mode = std::fs::metadata(state.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name} is {mode:o}");
    }
    let wal = std::fs::read(state.join("forge.db-wal")).unwrap_or_default();
    let database = [std::fs::read(state.join("forge.db")).unwrap(), wal].concat();
    let holds = |text: &str| {
        database
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds("ada") && !holds(&scene.ada.token));
}
