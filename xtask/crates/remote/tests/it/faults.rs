//! Connections that break, answers that are none, tokens that run out.

use serde_json::Value;
use xtask_remote::{Error, Method, Request, Response, Transport as _};
use xtask_testkit::{Answer, Cut, Fault, Rule, When};

use crate::origin::Origin;

fn instead(answer: Answer) -> Fault {
    Fault::Answer(answer, When::Before)
}

fn after(answer: Answer) -> Fault {
    Fault::Answer(answer, When::After)
}

/// What may happen to any call, and how many times the service has done it when only one attempt is made.
fn faults() -> Vec<(&'static str, Fault, usize)> {
    vec![
        ("reset before it is sent", Fault::Drop(Cut::Before), 0),
        ("reset while it is sent", Fault::Drop(Cut::MidUpload), 0),
        ("reply lost", Fault::Drop(Cut::After), 1),
        ("reset within the headers", Fault::Drop(Cut::MidHeaders), 1),
        ("reset within the body", Fault::Drop(Cut::MidBody), 1),
        ("end within the body", Fault::Drop(Cut::Short), 1),
        ("502", instead(Answer::status(502)), 0),
        ("503", instead(Answer::status(503)), 0),
        ("504 after the effect", after(Answer::status(504)), 1),
        ("half of some JSON", after(Answer::half_of_some_json()), 1),
    ]
}

fn body() -> Value {
    serde_json::json!({"name": "a".repeat(100)})
}

#[test]
fn what_may_be_repeated_is_and_what_may_not_is_sent_once() {
    let repeated = [
        Request::new(Method::Get, "/x"),
        Request::new(Method::Put, "/x").json(&body()),
        Request::new(Method::Delete, "/x"),
        Request::new(Method::Post, "/x").json(&body()).repeatable(),
    ];
    let once = [
        Request::new(Method::Post, "/x").json(&body()),
        Request::new(Method::Patch, "/x").json(&body()),
        Request::new(Method::Put, "/x").json(&body()).once(),
    ];
    for (what, fault, done) in faults() {
        for request in &repeated {
            let (_origin, proxy, http, _) = Origin::behind_a_proxy();
            proxy.add(Rule::new(fault.clone()).times(2));
            let reply = http.send(request);
            assert!(reply.is_ok(), "{what}, {}: {reply:?}", request.call());
            assert_eq!(proxy.record().len(), 3, "{what}, {}", request.call());
        }
        for request in &once {
            let (origin, proxy, http, waits) = Origin::behind_a_proxy();
            proxy.at(1, fault.clone());
            let error = http.send(request).unwrap_err();
            assert!(
                error.leaves_open() && error.is_transient(),
                "{what}: {error:?}"
            );
            assert_eq!(proxy.record().len(), 1, "{what}, {}", request.call());
            assert_eq!(origin.done().len(), done, "{what}, {}", request.call());
            assert!(waits.lock().unwrap().is_empty());
            assert!(!format!("{error:?} {error}").contains("CANARY"));
        }
    }
}

#[test]
fn a_sign_in_page_is_no_answer_and_stays_one() {
    let (_origin, proxy, http, _) = Origin::behind_a_proxy();
    proxy.add(Rule::new(instead(Answer::page())).always());
    let request = Request::new(Method::Get, "/x");
    let answer = http
        .send(&request)
        .and_then(|reply: Response| reply.json::<Value>(&request));
    let error = answer.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a web page instead of an answer: \"Sign in\""),
        "{error}"
    );
    // A proxy that wants a sign-in wants it again: the reader hears of it now.
    assert_eq!(proxy.record().len(), 1);
}

#[test]
fn a_token_that_ran_out_ends_it_at_once() {
    for (status, code, message, signed_out) in [
        (
            401,
            "UNAUTHENTICATED",
            "The access token has expired.",
            true,
        ),
        (403, "403", "Invalid access token. [ReqId: 1]", true),
        (403, "PERMISSION_DENIED", "User may not read a.b.c", false),
    ] {
        let (origin, proxy, http, waits) = Origin::behind_a_proxy();
        // In the middle of some work.
        proxy.add(
            Rule::new(instead(Answer::error(status, code, message)))
                .nth(3)
                .always(),
        );
        let request = Request::new(Method::Post, "/x").repeatable();
        http.send(&request).unwrap();
        http.send(&request).unwrap();
        let error = http.send(&request).unwrap_err();
        assert_eq!(error.is_signed_out(), signed_out, "{error:?}");
        assert_eq!(error.status(), Some(status));
        assert!(error.to_string().contains(message), "{error}");
        assert!(!error.is_transient() && !error.leaves_open());
        assert_eq!((proxy.record().len(), origin.done().len()), (3, 2));
        assert!(waits.lock().unwrap().is_empty());
        if let Error::SignedOut { service, .. } = error {
            assert_eq!(service, proxy.url());
        }
    }
}

#[test]
fn the_token_goes_to_the_service_alone() {
    let (_origin, proxy, http, _) = Origin::behind_a_proxy();
    let elsewhere = Origin::behind_a_proxy();
    let link = format!("{}/file", elsewhere.1.url());
    proxy.at(1, instead(Answer::status(302).header("location", &link)));
    http.send(&Request::new(Method::Get, "/x")).unwrap();
    assert!(proxy.record()[0].header("authorization").is_some());
    assert_eq!(elsewhere.1.record()[0].header("authorization"), None);
}
