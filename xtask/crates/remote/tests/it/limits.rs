//! Services that have had enough, and how long one waits for them.

use std::time::{Duration, Instant};

use xtask_remote::{Error, Method, Patience, Request, Transport as _};
use xtask_testkit::{Answer, Fault, Rule, When};

use crate::origin::{Origin, client, client_of};

const FIVE_MINUTES: Duration = Duration::from_secs(300);

fn too_many(retry_after: Option<&str>) -> Fault {
    Fault::Answer(Answer::too_many(retry_after), When::Before)
}

/// How a service may say how long to wait, and the least that it means, in seconds.
const FORMS: &[(Option<&str>, u64)] = &[
    (Some("0"), 0),
    (Some("1"), 1),
    (Some("2"), 2),
    (Some("Sun, 06 Nov 1994 08:49:37 GMT"), 0),
    (Some("soon"), 0),
    (Some("-5"), 0),
    (Some("1.5"), 0),
    (Some("99999999999999999999999"), 0),
    (Some(""), 0),
    (None, 0),
];

#[test]
fn every_form_of_retry_after_is_kept() {
    for method in [
        Method::Get,
        Method::Put,
        Method::Delete,
        Method::Post,
        Method::Patch,
    ] {
        for (form, least) in FORMS {
            let (origin, proxy, http, waits) = Origin::behind_a_proxy();
            proxy.add(Rule::new(too_many(*form)).times(2));
            http.send(&Request::new(method, "/x")).unwrap();
            let waits = waits.lock().unwrap().clone();
            assert_eq!(waits.len(), 2, "{method:?} {form:?}");
            let least = Duration::from_secs(*least);
            let whole: Duration = waits.iter().sum();
            assert!(
                waits.iter().all(|wait| *wait >= least),
                "{form:?}: {waits:?}"
            );
            assert!(whole <= Duration::from_secs(10), "{form:?}: {waits:?}");
            // Whatever it was: it was done once.
            assert_eq!(origin.done().len(), 1, "{method:?} {form:?}");
        }
    }
}

#[test]
fn a_date_to_wait_for_is_one_of_the_services_clock() {
    let (_origin, proxy, http, waits) = Origin::behind_a_proxy();
    // Its clock is decades behind ours, and the difference counts.
    let answer = Answer::too_many(Some("Sun, 06 Nov 1994 08:49:40 GMT"));
    let answer = answer.header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    proxy.at(1, Fault::Answer(answer, When::Before));
    http.send(&Request::new(Method::Get, "/x")).unwrap();
    assert_eq!(*waits.lock().unwrap(), [Duration::from_secs(3)]);
}

#[test]
fn too_long_a_wait_fails_at_once_and_is_named() {
    for (form, says) in [
        ("86400", "86400 seconds"),
        ("301", "301 seconds"),
        ("18446744073709551615", "seconds"),
    ] {
        let (origin, proxy, http, waits) = Origin::behind_a_proxy();
        let http = http.patient(Patience::new(FIVE_MINUTES));
        proxy.add(Rule::new(too_many(Some(form))).always());
        let error = http.send(&Request::new(Method::Get, "/x")).unwrap_err();
        assert!(
            matches!(error, Error::Limited { status: 429, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(proxy.record().len(), 1);
        assert!(waits.lock().unwrap().is_empty());
        assert!(origin.done().is_empty());
    }
}

#[test]
fn a_storm_ends_with_the_patience_of_the_whole_command() {
    for form in [Some("7"), Some("60"), None] {
        let (origin, proxy, http, waits) = Origin::behind_a_proxy();
        let patience = Patience::new(FIVE_MINUTES);
        // Two clients of one command, as for the two ends of a promotion.
        let other = client(&proxy).0.patient(patience.clone());
        let http = http.patient(patience.clone());
        proxy.add(Rule::new(too_many(form)).always());
        let call = Request::new(Method::Post, "/x");
        assert!(matches!(http.send(&call), Err(Error::Limited { .. })));
        let whole: Duration = waits.lock().unwrap().iter().sum();
        assert!(
            whole <= FIVE_MINUTES && whole >= FIVE_MINUTES * 3 / 4,
            "{whole:?}"
        );
        // What the one has waited the other cannot wait again.
        let before = proxy.record().len();
        assert!(other.send(&call).is_err());
        assert!(proxy.record().len() - before <= 3, "{form:?}");
        assert!(origin.done().is_empty());
    }
}

#[test]
fn a_command_with_patience_outlasts_a_service_that_is_down_for_a_while() {
    let (origin, proxy, http, waits) = Origin::behind_a_proxy();
    let http = http.patient(Patience::new(FIVE_MINUTES));
    proxy.add(Rule::new(Fault::Answer(Answer::status(503), When::Before)).times(20));
    http.send(&Request::new(Method::Get, "/x")).unwrap();
    assert_eq!(waits.lock().unwrap().len(), 20);
    assert_eq!(origin.done().len(), 1);
    // Without, a call gives up after a few attempts.
    let (_origin, proxy, http, _) = Origin::behind_a_proxy();
    proxy.add(Rule::new(Fault::Answer(Answer::status(503), When::Before)).times(20));
    let error = http.send(&Request::new(Method::Get, "/x")).unwrap_err();
    assert_eq!((error.status(), proxy.record().len()), (Some(503), 5));
}

#[test]
fn who_is_gone_is_not_waited_for_all_the_time() {
    let unused = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let (http, waits) = client_of(&base);
    let http = http.patient(Patience::new(FIVE_MINUTES));
    // Nothing was sent, so that even this is tried again.
    let error = http.send(&Request::new(Method::Post, "/x")).unwrap_err();
    assert!(matches!(error, Error::NoConnection { .. }), "{error:?}");
    let whole: Duration = waits.lock().unwrap().iter().sum();
    assert!((5..60).contains(&whole.as_secs()), "{whole:?}");
}

#[test]
fn a_wait_that_comes_with_503_is_kept_too_but_a_write_is_not_repeated() {
    for (request, sent) in [
        (Request::new(Method::Get, "/x"), 2),
        (Request::new(Method::Post, "/x"), 1),
    ] {
        let (_origin, proxy, http, waits) = Origin::behind_a_proxy();
        let answer = Answer::status(503).header("retry-after", "9");
        proxy.at(1, Fault::Answer(answer, When::After));
        assert_eq!(http.send(&request).is_ok(), sent == 2);
        assert_eq!(proxy.record().len(), sent);
        assert!(waits.lock().unwrap().iter().all(|wait| wait.as_secs() == 9));
    }
}

#[test]
fn calls_that_come_to_nothing_cost_patience() {
    let (_origin, proxy, http, _) = Origin::behind_a_proxy();
    let patience = Patience::new(Duration::from_secs(2));
    let http = http.patient(patience.clone());
    let late = Fault::Delay(Duration::from_millis(700), When::Before);
    proxy.add(Rule::new(late).always());
    let begun = Instant::now();
    let call = Request::new(Method::Get, "/x").within(Duration::from_millis(300));
    assert!(matches!(http.send(&call), Err(Error::Timeout { .. })));
    // It need not wait to have lost it.
    assert!(
        patience.left() < Duration::from_secs(1),
        "{:?}",
        patience.left()
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_pause_that_is_refused_ends_the_call() {
    let (_origin, proxy, http, _) = Origin::behind_a_proxy();
    let http = http.pausing(std::sync::Arc::new(|_, _| false));
    proxy.add(Rule::new(too_many(Some("1"))).always());
    assert!(http.send(&Request::new(Method::Get, "/x")).is_err());
    assert_eq!(proxy.record().len(), 1);
}
