//! Why unit tests failed, by cause: tests that fail at one place with one kind of exception have one.

use camino::Utf8Path;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use crate::check_log;

/// How many causes are listed.
const LISTED: usize = 8;
/// How many lines of the first cause's traceback are shown: the innermost.
const SHOWN_LINES: usize = 30;

/// A test that failed, as pytest's report has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failed {
    test: String,
    /// pytest's account: code, traceback, what is wrong.
    account: String,
}

/// Tests that failed for one reason.
#[derive(Debug)]
struct Cause {
    tests: Vec<String>,
    what: String,
    place: Option<String>,
    account: String,
}

/// The causes, each in a line with how many tests failed by it, then the traceback of the first one; `None` where the
/// report names no failed test.
pub(super) fn told(report: &Utf8Path) -> anyhow::Result<Option<String>> {
    let causes = grouped(read(&fs_err::read_to_string(report)?)?);
    let Some(first) = causes.first() else {
        return Ok(None);
    };
    let mut lines: Vec<String> = causes.iter().take(LISTED).map(Cause::line).collect();
    if causes.len() > LISTED {
        lines.push(format!("and {} more causes", causes.len() - LISTED));
    }
    lines.push(String::new());
    let account: Vec<&str> = first.account.trim_end().lines().collect();
    let innermost = &account[account.len().saturating_sub(SHOWN_LINES)..];
    lines.extend(innermost.iter().map(|line| (*line).to_owned()));
    Ok(Some(lines.join("\n")))
}

impl Cause {
    fn line(&self) -> String {
        let who = match self.tests.as_slice() {
            [one] => format!("{one} failed: "),
            many => format!("{} failed by one cause: ", many.len()),
        };
        let place = self.place.as_ref().map(|place| format!(", {place}"));
        format!("{who}{}{}", self.what, place.unwrap_or_default())
    }
}

/// The causes, the one with most tests first.
fn grouped(failed: Vec<Failed>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for Failed { test, account } in failed {
        let (what, place) = match check_log::test_failure(&test, &account) {
            Some(finding) => (finding.what, finding.place),
            None => (account.lines().next().unwrap_or_default().to_owned(), None),
        };
        let class = |what: &str| what.split(':').next().unwrap_or_default().to_owned();
        let same = |cause: &&mut Cause| {
            let at_one_place = place.is_some() && cause.place == place;
            cause.what == what || (at_one_place && class(&cause.what) == class(&what))
        };
        match causes.iter_mut().find(same) {
            Some(cause) => cause.tests.push(test),
            None => causes.push(Cause {
                tests: vec![test],
                what,
                place,
                account,
            }),
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.tests.len()));
    causes
}

/// The failed tests of a report, in its order.
fn read(report: &str) -> anyhow::Result<Vec<Failed>> {
    let mut reader = Reader::from_str(report);
    let (mut failed, mut test, mut inside) = (Vec::new(), String::new(), None);
    loop {
        match reader.read_event()? {
            Event::Start(tag) if tag.name().as_ref() == "testcase" => {
                let name = tag.try_get_attribute("name")?;
                let name = name
                    .map(|name| name.normalized_value(XmlVersion::Implicit1_0))
                    .transpose()?;
                test = name.unwrap_or_default().into_owned();
            }
            Event::Start(tag) if is_failure(tag.name().as_ref()) => inside = Some(String::new()),
            Event::End(tag) if is_failure(tag.name().as_ref()) => {
                let account = inside.take().unwrap_or_default();
                let test = test.clone();
                failed.push(Failed { test, account });
            }
            Event::Eof => return Ok(failed),
            event => {
                if let Some(account) = &mut inside {
                    account.push_str(&text(&event)?);
                }
            }
        }
    }
}

/// What an event inside of an element says.
fn text(event: &Event<'_>) -> anyhow::Result<String> {
    Ok(match event {
        Event::Text(text) => text.to_string(),
        Event::CData(text) => text.to_string(),
        Event::GeneralRef(name) => unescape(&format!("&{};", &**name))?.into_owned(),
        _ => String::new(),
    })
}

fn is_failure(tag: &str) -> bool {
    matches!(tag, "failure" | "error")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As pytest writes it.
    fn case(test: &str, tag: &str, account: &str) -> String {
        format!(
            "<testcase classname=\"t\" name=\"{test}\"><{tag} message=\"m\">{account}</{tag}></testcase>"
        )
    }

    fn told_of(cases: &[String]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("r.xml");
        let all = cases.concat();
        let text = format!(
            "<?xml version=\"1.0\"?><testsuites><testsuite tests=\"9\">{all}<testcase name=\"ok\"/></testsuite></testsuites>"
        );
        std::fs::write(&report, text).unwrap();
        told(Utf8Path::from_path(&report).unwrap())
            .unwrap()
            .unwrap_or_default()
    }

    #[test]
    fn tests_that_fail_by_one_cause_are_one_line() {
        let account = |n: u64| {
            format!(
                "n = {n}\n\n    def test_one(n):\n&gt;       f({{}})\n\ntests/t.py:5: \n_ _ _ _\n\n    def f(d):\n\
                &gt;       return d[&quot;trip_dist&quot;]\nE       KeyError: &apos;trip_dist&apos;\n\nnotebooks/features.py:41: KeyError"
            )
        };
        let mut cases: Vec<String> = vec![case(
            "test_eq",
            "failure",
            "&gt;       assert 1 == 2\nE       assert 1 == 2\n\ntests/t.py:9: AssertionError",
        )];
        cases.extend((0..46).map(|n| case(&format!("test_one[{n}]"), "failure", &account(n))));
        cases.push(case("test_two", "error", &account(0)));
        let told = told_of(&cases);
        let mut lines = told.lines();
        assert_eq!(
            lines.next(),
            Some("47 failed by one cause: KeyError: 'trip_dist', notebooks/features.py:41")
        );
        assert_eq!(
            lines.next(),
            Some("test_eq failed: assert 1 == 2, tests/t.py:9")
        );
        assert_eq!(lines.next(), Some(""));
        // One traceback, of the cause with most tests.
        assert!(told.contains(">       return d[\"trip_dist\"]"), "{told}");
        assert_eq!(told.matches("KeyError: 'trip_dist'").count(), 2, "{told}");
    }

    #[test]
    fn one_message_that_differs_by_test_is_one_cause_at_one_place() {
        let account = |n: u64| {
            format!("&gt;   check({n})\nE   ValueError: {n} rows\n\ntests/helper.py:3: ValueError")
        };
        let cases: Vec<String> = (0..3)
            .map(|n| case(&format!("t{n}"), "failure", &account(n)))
            .collect();
        let told = told_of(&cases);
        assert!(
            told.starts_with("3 failed by one cause: ValueError: 0 rows, tests/helper.py:3\n"),
            "{told}"
        );
    }

    #[test]
    fn a_report_without_failures_names_none() {
        assert_eq!(told_of(&[]), "");
    }
}
