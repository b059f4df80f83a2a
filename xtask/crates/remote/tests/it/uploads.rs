//! Files on their way to a service.

use std::fs;
use std::sync::{Arc, Mutex};

use xtask_remote::{Error, Method, Request, Transport as _};
use xtask_testkit::{Cut, Fault, Rule};

use crate::origin::Origin;

#[test]
fn an_upload_tells_how_far_it_is_and_begins_again_where_it_broke_off() {
    let (origin, proxy, http, _) = Origin::behind_a_proxy();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, vec![1; 3_000_000]).unwrap();
    proxy.add(Rule::new(Fault::Drop(Cut::MidUpload)).times(2));
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let request = Request::new(Method::Put, "/up")
        .file(&file)
        .progress(move |done| {
            kept.lock().unwrap().push(done);
            true
        });
    http.send(&request).unwrap();
    assert_eq!(origin.done(), ["PUT /up 3000000"]);
    let told = told.lock().unwrap();
    assert_eq!(
        told.iter().filter(|done| **done == 0).count(),
        3,
        "three attempts"
    );
    assert!(told.iter().any(|done| *done > 2_900_000));
    assert_eq!(proxy.record()[2].header("content-length"), Some("3000000"));
}

#[test]
fn an_upload_can_be_stopped() {
    let (origin, proxy, http, waits) = Origin::behind_a_proxy();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, vec![1; 3_000_000]).unwrap();
    let request = Request::new(Method::Put, "/up")
        .file(&file)
        .progress(|done| done < 1_000_000);
    let error = http.send(&request).unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error:?}");
    assert!(waits.lock().unwrap().is_empty());
    // It may have been stopped before the proxy wrote it down; it was not sent again.
    assert!(proxy.record().len() <= 1);
    assert!(origin.done().is_empty());
}

#[test]
fn an_empty_file_and_one_that_is_not_there() {
    let (origin, _proxy, http, _) = Origin::behind_a_proxy();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let request = Request::new(Method::Put, "/up").file(&file);
    assert!(matches!(http.send(&request), Err(Error::File { .. })));
    fs::write(&file, "").unwrap();
    http.send(&request).unwrap();
    assert_eq!(origin.done(), ["PUT /up 0"]);
}
