//! Ten thousand ways to write where one should not: paths, symlinks, archives, in every form that takes a file.
//!
//! After them nothing has changed outside the trees, and inside the trees nothing was written through a symlink.
//! `XTASK_FUZZ_CASES` and `XTASK_FUZZ_SEED` choose others; a failure names the seed.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::durability::Random;
use crate::server::Server;

const HOME: &str = "Users/ml.developer@workspace.local";

/// Sends exactly the bytes it is given: HTTP clients tidy a path up before they send it.
struct Wire {
    port: u16,
    token: String,
}

impl Wire {
    /// Status and body of the reply.
    fn send(&self, method: &str, target: &str, kind: &str, body: &[u8]) -> (u16, String) {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            self.port,
            self.token,
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // A server that has refused need not read on.
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
        let mut reply = Vec::new();
        let ended = stream.read_to_end(&mut reply);
        let reply = String::from_utf8_lossy(&reply).into_owned();
        let status = reply.get(9..12).and_then(|text| text.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{ended:?}: no reply to {method} {target}"));
        (status, reply)
    }
}

/// Names that mean something to somebody: the system, the shell, HTTP, SQL, Windows, us.
const NAMES: &[&str] = &[
    "..",
    ".",
    "",
    "a",
    "b.py",
    "c.ipynb",
    "out",
    "up",
    "loop",
    "gone",
    "file",
    "etc",
    "passwd",
    "Workspace",
    "Users",
    "Shared",
    "Volumes",
    "Models",
    "dev",
    "ml",
    "data",
    "1",
    "%2e%2e",
    "%2E.",
    "..%2f..",
    "%252e%252e",
    "..%5c..",
    "..\\..",
    "%00",
    "a%00b",
    "%0a",
    "%0d%0aX-Y: z",
    "~",
    "~root",
    "$HOME",
    "`id`",
    "$(id)",
    "C:",
    "con",
    "nul",
    "....",
    "..;",
    "%c0%ae%c0%ae",
    "%u002e",
    "ünï",
    "%e2%80%ae",
    "%EF%BC%8E%EF%BC%8E",
    "-rf",
    "'; DROP TABLE objects;--",
    "workspace.db",
    "token",
    "incoming",
    "..%00/",
    "%2f%2f",
    "%2Fetc%2Fpasswd",
    "lock",
    "server.json",
];

const HARMLESS: &[&str] = &["a", "b.py", "c.ipynb", "d", "e f", "ünï"];

struct Fuzz {
    random: Random,
    marker: String,
}

impl Fuzz {
    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[usize::try_from(self.random.below(from.len() as u64)).unwrap()]
    }

    fn path(&mut self) -> String {
        let root = self.pick(&[
            "",
            "/",
            "//",
            HOME,
            "/Workspace",
            "Shared",
            "dev/ml/data",
            "..",
            "/..",
            "../..",
            "%2f",
            "/etc",
        ]);
        let mut path = root.to_owned();
        // Half of the names are harmless: what is refused at the first name tests no other.
        for _ in 0..1 + self.random.below(3) {
            path.push_str(self.pick(&["/", "/", "/", "/", "/", "%2F", "//", "\\", "/./"]));
            let names = if self.random.below(2) == 0 {
                HARMLESS
            } else {
                NAMES
            };
            path.push_str(self.pick(names));
        }
        if self.random.below(200) == 0 {
            path.push_str(&"x".repeat(usize::try_from(self.random.below(6000)).unwrap()));
        }
        path
    }

    fn content(&mut self) -> Vec<u8> {
        let marker = &self.marker;
        match self.random.below(6) {
            0 => format!("# Databricks notebook source\n# {marker}\n").into_bytes(),
            1 => json!({"cells": [{"cell_type": "code", "source": [marker], "metadata": {}, "outputs": []}],
                "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
            .to_string()
            .into_bytes(),
            2 => archive(marker),
            3 => [archive(marker), marker.clone().into_bytes()].concat(),
            4 => vec![0xff; 300],
            _ => marker.clone().into_bytes(),
        }
    }
}

/// A zip whose entries lead out: by `..`, from the root, and through a symlink. Uncompressed, made by hand.
fn archive(marker: &str) -> Vec<u8> {
    let symlink = 0o120_777_u32 << 16;
    let entries = [
        ("../../escaped.py", marker, 0),
        ("/tmp/xtask-escaped.py", marker, 0),
        ("link", "/etc", symlink),
        ("link/xtask-escaped.py", marker, 0),
        ("..\\escaped.py", marker, 0),
    ];
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, text, attributes) in entries {
        let (name, text) = (name.as_bytes(), text.as_bytes());
        let sizes = |size: usize| u32::try_from(size).unwrap().to_le_bytes();
        let offset = sizes(zip.len());
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &crc(text).to_le_bytes(),
            &sizes(text.len()),
            &sizes(text.len()),
            &u16::try_from(name.len()).unwrap().to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        zip.extend([b"PK\x03\x04", &common[..], name, text].concat());
        directory.extend(
            [
                b"PK\x01\x02\x14\x03",
                &common[..],
                &[0; 6],
                &u32::to_le_bytes(attributes),
                &offset,
                name,
            ]
            .concat(),
        );
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let end = [
        b"PK\x05\x06\0\0\0\0",
        &count[..],
        &count,
        &u32::try_from(directory.len()).unwrap().to_le_bytes(),
        &u32::try_from(zip.len()).unwrap().to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [zip, directory, end].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Folders in which the server itself writes meanwhile; nothing of a client's must be there.
const OWN: [&str; 5] = ["kernel", "mlflow", "runs", "home", "incoming"];

/// Everything below a folder but for the trees, with what each thing is; symlinks are not followed. Of the server's own
/// things, only those that hold the marker.
fn outside(root: &Path, trees: &[PathBuf], marker: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(root.to_owned(), false)];
    while let Some((folder, own)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // The server replaces its own files by others under a passing name.
            let Ok(metadata) = std::fs::symlink_metadata(&path) else {
                continue;
            };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if metadata.is_dir() {
                let own = own || OWN.contains(&name.as_str());
                if !trees.contains(&path) {
                    folders.push((path.clone(), own));
                }
                if !own {
                    found.insert(path, "folder".into());
                }
            } else if metadata.is_file() {
                let content =
                    String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
                if !own && !is_the_databases(&path) || own && content.contains(marker) {
                    found.insert(path, content);
                }
            } else {
                found.insert(path.clone(), format!("{:?}", std::fs::read_link(&path)));
            }
        }
    }
    found
}

/// Fails where something has changed, and says what.
fn unchanged(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>, when: &str) {
    let paths: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> = paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .collect();
    assert!(changed.is_empty(), "{when}: {changed:?}");
}

fn is_the_databases(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.starts_with("workspace.db") || name.ends_with(".log")
}

/// Symlinks that notebooks could have left in a tree: out of it, to nowhere, to itself.
fn plant(tree: &Path, outside: &Path) {
    std::fs::create_dir_all(tree).unwrap();
    for (name, target) in [
        ("out", outside.to_owned()),
        ("up", PathBuf::from("../..")),
        ("etc", PathBuf::from("/etc")),
        ("loop", PathBuf::from("loop")),
        ("gone", outside.join("not-there")),
        ("file", outside.join("secret")),
    ] {
        std::os::unix::fs::symlink(target, tree.join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_imports_leave_everything_outside_the_trees_as_it_was() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let (cases, seed) = (
        number("XTASK_FUZZ_CASES", 10_000),
        number("XTASK_FUZZ_SEED", 20_261_124),
    );
    let server = Server::start().await;
    for (path, body) in [
        ("schemas", json!({"catalog_name": "dev", "name": "ml"})),
        (
            "volumes",
            json!({"catalog_name": "dev", "schema_name": "ml", "name": "data", "volume_type": "MANAGED"}),
        ),
    ] {
        let path = format!("/api/2.1/unity-catalog/{path}");
        assert!(server.post(&path, body).await.0.is_success());
    }
    let state = server.state().into_std_path_buf();
    let all = state.parent().unwrap().to_owned();
    let treasure = all.join("treasure");
    std::fs::create_dir(&treasure).unwrap();
    std::fs::write(treasure.join("secret"), "secret").unwrap();
    let trees = ["files", "volumes", "models"].map(|name| state.join(name));
    for tree in [
        trees[0].join(HOME),
        trees[0].join("Shared"),
        trees[0].clone(),
        trees[1].join("dev/ml/data"),
        trees[2].join("dev/ml/data/1"),
    ] {
        plant(&tree, &treasure);
    }
    let marker = format!("xtask-fuzz-{seed}");
    let before = outside(&all, &trees, &marker);
    let ran = tokio::task::spawn_blocking(move || {
        let mut fuzz = Fuzz {
            random: Random(seed),
            marker: marker.clone(),
        };
        let wire = Wire {
            port: server.port,
            token: server.token.clone(),
        };
        let (mut written, mut refused) = (0, 0);
        for case in 0..cases {
            let (status, what) = attempt(&mut fuzz, &wire);
            match status {
                200..=299 => written += 1,
                400..=499 | 501 => refused += 1,
                _ => panic!("seed {seed}, case {case}: {status} to {what}"),
            }
            if case % 1000 == 999 {
                let when = format!("seed {seed}, up to case {case}");
                unchanged(&before, &outside(&all, &trees, &marker), &when);
            }
        }
        let after = outside(&all, &trees, &marker);
        unchanged(&before, &after, &format!("seed {seed}"));
        (server, written, refused)
    });
    let (server, written, refused) = ran.await.unwrap();
    assert!(!Path::new("/tmp/xtask-escaped.py").exists());
    assert!(!Path::new("/etc/xtask-escaped.py").exists());
    assert!(
        written > cases / 20 && refused > cases / 10,
        "{written} written, {refused} refused: the cases miss their mark"
    );
    server.stop().await;
}

/// One request; its status, and what it was.
fn attempt(fuzz: &mut Fuzz, wire: &Wire) -> (u16, String) {
    let (path, content) = (fuzz.path(), fuzz.content());
    let overwrite = fuzz.pick(&["true", "false"]);
    // In a request line spaces and controls end the request rather than name a file.
    let target: String = path
        .chars()
        .map(|c| match c {
            ' ' => "%20".to_owned(),
            '"' => "%22".to_owned(),
            c if c.is_ascii() => c.to_string(),
            c => percent_encoding::utf8_percent_encode(
                &c.to_string(),
                percent_encoding::NON_ALPHANUMERIC,
            )
            .to_string(),
        })
        .collect();
    let plain = percent_encoding::percent_decode_str(&path)
        .decode_utf8_lossy()
        .into_owned();
    let octets = "application/octet-stream";
    let kind = fuzz.random.below(8);
    let (status, body) = match kind {
        0 | 1 => {
            let target = target.replace('/', fuzz.pick(&["/", "%2F"]));
            let target =
                format!("/api/2.0/workspace-files/import-file/{target}?overwrite={overwrite}");
            wire.send("POST", &target, octets, &content)
        }
        2 | 3 => {
            let format = fuzz.pick(&["SOURCE", "AUTO", "RAW", "JUPYTER", "DBC", "HTML", "ZIP", ""]);
            let body = json!({"path": plain, "format": format, "language": "PYTHON",
                "content": STANDARD.encode(&content), "overwrite": overwrite == "true"});
            wire.send(
                "POST",
                "/api/2.0/workspace/import",
                "application/json",
                body.to_string().as_bytes(),
            )
        }
        4 => {
            let part = |name: &str, value: &[u8]| {
                let head =
                    format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
                [head.as_bytes(), value, b"\r\n"].concat()
            };
            let name = plain.replace(['\r', '\n'], "");
            let form = [
                part("path", name.as_bytes()),
                part("format", b"AUTO"),
                part("content", &content),
                b"--x--\r\n".to_vec(),
            ];
            wire.send(
                "POST",
                "/api/2.0/workspace/import",
                "multipart/form-data; boundary=x",
                &form.concat(),
            )
        }
        5 | 6 => {
            let area = fuzz.pick(&[
                "Volumes/dev/ml/data/",
                "Models/dev/ml/data/1/",
                "Volumes/",
                "",
            ]);
            let what = fuzz.pick(&["files", "files", "directories"]);
            let target = format!("/api/2.0/fs/{what}/{area}{target}?overwrite={overwrite}");
            let content = if what == "files" { content } else { Vec::new() };
            wire.send("PUT", &target, octets, &content)
        }
        _ => {
            let (route, body) = if fuzz.random.below(3) == 0 {
                ("delete", json!({"path": plain, "recursive": true}))
            } else {
                ("mkdirs", json!({ "path": plain }))
            };
            let route = format!("/api/2.0/workspace/{route}");
            wire.send(
                "POST",
                &route,
                "application/json",
                body.to_string().as_bytes(),
            )
        }
    };
    (status, format!("{kind}, {path:?}: {body}"))
}
