//! Files that come in several attempts.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use xtask_remote::{Error, Method, Request, Transport as _};
use xtask_testkit::{Answer, Cut, Fault, FaultProxy, Rule, When};

use crate::origin::{Content, Origin};

const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn request() -> Request {
    let mut request = Request::new(Method::Get, "/file");
    request.deadline = None;
    request
}

fn bytes() -> Vec<u8> {
    (0_u32..500_000)
        .map(|number| (number % 251) as u8)
        .collect()
}

fn content(etag: Option<&str>, modified: Option<&str>, ranges: bool) -> Content {
    Content {
        bytes: bytes(),
        etag: etag.map(str::to_owned),
        modified: modified.map(str::to_owned),
        ranges,
        careless: false,
    }
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    (folder, file)
}

/// Which parts were asked for.
fn ranges(proxy: &FaultProxy) -> Vec<Option<String>> {
    let record = proxy.record();
    let range = |passed: &xtask_testkit::Passed| passed.header("range").map(str::to_owned);
    record.iter().map(range).collect()
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    for (etag, modified, condition) in [
        (Some("\"v1\""), Some(MODIFIED), "if-range"),
        (None, Some(MODIFIED), "if-unmodified-since"),
    ] {
        let (origin, proxy, http, _) = Origin::behind_a_proxy();
        *origin.content.lock().unwrap() = content(etag, modified, true);
        // More often than a call is attempted: each attempt brings something.
        proxy.add(Rule::new(Fault::Drop(Cut::MidBody)).times(8));
        let (_folder, file) = place();
        let mut told = Vec::new();
        let saved = http.save(&request(), &file, &mut |done| {
            told.push(done);
            true
        });
        assert_eq!(saved.unwrap(), 500_000);
        assert!(fs::read(&file).unwrap() == bytes());
        assert!(
            told.is_sorted() && told.last() == Some(&500_000),
            "{told:?}"
        );
        let ranges = ranges(&proxy);
        assert_eq!(ranges[0], None);
        let start = ranges[1].as_ref().unwrap();
        let start: u64 = start[6..start.len() - 1].parse().unwrap();
        // A reset may overtake a part of what was sent before it.
        assert!(start > 0 && start <= 250_000, "{ranges:?}");
        assert_eq!(ranges.len(), 9);
        assert!(proxy.record()[1].header(condition).is_some());
        assert!(!file.with_extension("of").exists());
    }
}

#[test]
fn the_next_command_goes_on_too() {
    let (origin, proxy, http, _) = Origin::behind_a_proxy();
    *origin.content.lock().unwrap() = content(None, Some(MODIFIED), true);
    let (_folder, file) = place();
    // At the first bytes: on a busy machine the rest may be there at once.
    let stopped = http.save(&request(), &file, &mut |_| false);
    assert!(matches!(stopped, Err(Error::Stopped { .. })), "{stopped:?}");
    let here = fs::metadata(&file).unwrap().len();
    assert!((1..500_000).contains(&here), "{here}");
    // As after a while, in another process.
    assert_eq!(
        http.save(&request(), &file, &mut |_| true).unwrap(),
        500_000
    );
    assert!(fs::read(&file).unwrap() == bytes());
    assert_eq!(ranges(&proxy)[1], Some(format!("bytes={here}-")));
    assert_eq!(proxy.record().len(), 2);
}

#[test]
fn a_part_of_something_else_is_not_kept() {
    // Changed meanwhile; by a server that knows of parts, and by one that does not.
    let newer = "Mon, 07 Nov 1994 08:49:37 GMT";
    for (before, after) in [
        (
            content(Some("\"v1\""), None, true),
            content(Some("\"v2\""), None, true),
        ),
        (
            content(None, Some(MODIFIED), true),
            content(None, Some(newer), true),
        ),
        (
            content(None, Some(MODIFIED), true),
            content(None, Some(newer), false),
        ),
        (
            content(None, Some(MODIFIED), true),
            content(None, Some(MODIFIED), false),
        ),
        // Nothing tells one from the other.
        (content(None, None, true), content(None, None, true)),
        (
            content(Some("W/\"1\""), None, true),
            content(Some("W/\"1\""), None, true),
        ),
    ] {
        let (origin, _proxy, http, _) = Origin::behind_a_proxy();
        let (_folder, file) = place();
        *origin.content.lock().unwrap() = before;
        let _ = http.save(&request(), &file, &mut |_| false).unwrap_err();
        let mut after = after;
        after.bytes = vec![7; 400_000];
        *origin.content.lock().unwrap() = after;
        assert_eq!(
            http.save(&request(), &file, &mut |_| true).unwrap(),
            400_000
        );
        assert!(fs::read(&file).unwrap() == vec![7; 400_000]);
    }
}

#[test]
fn a_part_of_something_as_long_is_not_kept_either() {
    let newer = Some("Mon, 07 Nov 1994 08:49:37 GMT");
    let (origin, _proxy, http, _) = Origin::behind_a_proxy();
    let (_folder, file) = place();
    *origin.content.lock().unwrap() = content(None, Some(MODIFIED), true);
    let _ = http.save(&request(), &file, &mut |_| false).unwrap_err();
    let mut after = content(None, newer, true);
    after.careless = true;
    after.bytes = vec![7; 500_000];
    *origin.content.lock().unwrap() = after;
    assert_eq!(
        http.save(&request(), &file, &mut |_| true).unwrap(),
        500_000
    );
    assert!(fs::read(&file).unwrap() == vec![7; 500_000]);
}

#[test]
fn what_somebody_else_left_in_the_file_is_not_kept() {
    let (origin, proxy, http, _) = Origin::behind_a_proxy();
    *origin.content.lock().unwrap() = content(None, Some(MODIFIED), true);
    let (_folder, file) = place();
    fs::write(&file, "something").unwrap();
    for mark in ["", "{", "[]", "null", "\0\0"] {
        fs::write(file.with_extension("of"), mark).unwrap();
        assert_eq!(
            http.save(&request(), &file, &mut |_| true).unwrap(),
            500_000
        );
        assert!(fs::read(&file).unwrap() == bytes());
    }
    // One that is whole already, with a mark that a killed process left.
    let mark = format!(r#"{{"etag": null, "modified": "{MODIFIED}", "length": 500000}}"#);
    fs::write(file.with_file_name("file.of"), mark).unwrap();
    assert_eq!(
        http.save(&request(), &file, &mut |_| true).unwrap(),
        500_000
    );
    assert!(fs::read(&file).unwrap() == bytes());
    assert!(ranges(&proxy).iter().flatten().count() <= 1);
}

#[test]
fn refusals_are_told_from_files() {
    let (_origin, proxy, http, waits) = Origin::behind_a_proxy();
    let (_folder, file) = place();
    let gone = Answer::error(404, "NOT_FOUND", "no such file");
    proxy.at(1, Fault::Answer(gone, When::Before));
    let error = http.save(&request(), &file, &mut |_| true).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(!file.exists());
    // A limit is waited for, as it says.
    let limit = Answer::too_many(Some("11"));
    proxy.at(1, Fault::Answer(limit, When::Before));
    http.save(&request(), &file, &mut |_| true).unwrap();
    assert_eq!(waits.lock().unwrap()[0].as_secs(), 11);
    let expired = Answer::error(401, "UNAUTHENTICATED", "expired");
    proxy.at(1, Fault::Answer(expired, When::Before));
    assert!(
        http.save(&request(), &file, &mut |_| true)
            .unwrap_err()
            .is_signed_out()
    );
}
