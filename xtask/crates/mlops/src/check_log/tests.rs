use std::path::PathBuf;

use snapbox::{Assert, Data, IntoData as _};

use super::*;

/// The logs below `tests/fixtures/check-logs`, made by the real tools.
fn corpus() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/check-logs");
    let mut logs: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    logs.sort();
    logs
}

fn shown(part: &FailingPart) -> String {
    let mut text = format!("step: {}\n", part.step.as_deref().unwrap_or("-"));
    for finding in &part.findings {
        text.push_str(&format!(
            "\ntool: {}\nname: {}\nplace: {}\nwhat: {}\n",
            finding.tool,
            finding.name.as_deref().unwrap_or("-"),
            finding.place.as_deref().unwrap_or("-"),
            finding.what
        ));
        for line in &finding.lines {
            text.push_str(&format!("  {line}\n"));
        }
    }
    if part.more > 0 {
        text.push_str(&format!("\nand {} more\n", part.more));
    }
    text
}

/// `SNAPSHOTS=overwrite` writes the excerpts anew; read them before you commit them.
#[test]
fn every_log_of_the_corpus_gives_its_excerpt() {
    let logs = corpus();
    assert!(logs.len() >= 12, "only {} logs", logs.len());
    let assert = Assert::new().action_env("SNAPSHOTS");
    for (name, log) in logs {
        let part = failing_part(&log, None).unwrap_or_else(|| panic!("{name}: nothing failed"));
        let expected = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/check-logs")
            .join(format!("{name}.excerpt"));
        assert.eq(
            shown(&part).into_data(),
            Data::read_from(&expected, None).raw(),
        );
    }
}

#[test]
fn whatever_a_log_is_cut_to_nothing_breaks() {
    for (_, log) in corpus() {
        for length in (0..log.len()).step_by(37) {
            let Some(start) = log.get(..length) else {
                continue;
            };
            let _ = failing_part(start, None);
            let _ = log.get(length..).map(|rest| failing_part(rest, None));
        }
    }
}

#[test]
fn a_log_without_an_error_has_no_failing_part() {
    let log = "2026-11-24T09:12:01.2048170Z ##[group]Run cargo xtask ci\n\
        2026-11-24T09:12:01.2048170Z ##[endgroup]\n\
        2026-11-24T09:12:02.2048170Z test result: ok\n";
    assert_eq!(failing_part(log, None), None);
}

#[test]
fn a_step_that_was_allowed_to_fail_is_not_the_one() {
    let log = "##[group]Run first\n##[endgroup]\nno matter\n##[error]Process completed with exit code 1.\n\
        ##[group]Run second\n##[endgroup]\nit matters\n##[error]Process completed with exit code 2.\n";
    let part = failing_part(log, None).unwrap();
    assert_eq!(part.step.as_deref(), Some("Run second"));
    assert_eq!(part.findings[0].lines, ["it matters"]);
}

#[test]
fn the_run_is_named_by_the_last_marker() {
    let log = "2026-11-24T09:12:01.2048170Z ::xtask-run:: {\"version\":1}\n\
        2026-11-24T09:12:02.2048170Z ::xtask-run:: {\"version\":1,\"verdict\":\"failed\"}\n";
    assert_eq!(
        run_marker(log),
        Some("{\"version\":1,\"verdict\":\"failed\"}")
    );
    assert_eq!(run_marker("no marker"), None);
}

#[test]
fn nothing_that_a_terminal_obeys_comes_through() {
    let log =
        "2026-11-24T09:12:01.2048170Z \u{1b}]0;title\u{7}\u{1b}[2Jgone\u{202e}\u{8}\u{9b}31m\n";
    let text = plain(log);
    let bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    assert!(!text.contains(bad), "{text:?}");
    assert!(text.contains("gone"));
}

fn step(name: &str, started: &str, completed: &str) -> JobStep {
    JobStep {
        name: name.to_owned(),
        status: "completed".to_owned(),
        conclusion: Some("failure".to_owned()),
        started_at: Some(started.to_owned()),
        completed_at: Some(completed.to_owned()),
    }
}

#[test]
fn the_step_that_github_names_is_the_one() {
    let log = "2026-11-24T09:12:01.2048170Z ##[group]Run flaky\n\
        2026-11-24T09:12:01.3048170Z ##[endgroup]\n\
        2026-11-24T09:12:02.0048170Z noise\n\
        2026-11-24T09:12:02.2048170Z ##[error]Process completed with exit code 1.\n\
        2026-11-24T09:12:04.2048170Z ##[group]Run acme/train@v1\n\
        2026-11-24T09:12:04.2048170Z ##[endgroup]\n\
        2026-11-24T09:12:05.2048170Z ##[error]Training failed: ValueError: no rows\n\
        2026-11-24T09:12:07.2048170Z ##[group]Run report\n\
        2026-11-24T09:12:07.2048170Z ##[endgroup]\n\
        2026-11-24T09:12:08.2048170Z ##[error]Process completed with exit code 3.\n\
        2026-11-24T09:12:09.2048170Z Post job cleanup.\n\
        2026-11-24T09:12:09.2048170Z ##[error]nothing to clean\n";
    // By its own name, and by its time where the workflow calls it otherwise.
    for name in ["Run acme/train@v1", "Train"] {
        let failed = step(name, "2026-11-24T09:12:04Z", "2026-11-24T09:12:06Z");
        let part = failing_part(log, Some(&failed)).unwrap();
        assert_eq!(part.step.as_deref(), Some(name));
        assert_eq!(
            part.findings[0].what,
            "Training failed: ValueError: no rows"
        );
    }
    // Without GitHub's word the last one before the cleaning up.
    let part = failing_part(log, None).unwrap();
    assert_eq!(part.step.as_deref(), Some("Run report"));
}

#[test]
fn an_action_that_fails_by_itself_is_not_taken_for_the_one_before_it() {
    let log = "##[group]Run flaky\n##[endgroup]\nnoise\n##[error]Process completed with exit code 1.\n\
        ##[group]Run acme/train@v1\n##[endgroup]\n##[error]Training failed: ValueError: no rows\nPost job cleanup.\n";
    let part = failing_part(log, None).unwrap();
    assert_eq!(
        part.findings[0].what,
        "Training failed: ValueError: no rows"
    );
}

#[test]
fn a_run_that_a_newer_one_replaced_says_so() {
    let log = "##[group]Run train\n##[endgroup]\nepoch 1\n##[error]Canceling since a higher priority waiting request for 'ci' exists\n\
        ##[error]The operation was canceled.\n";
    let part = failing_part(log, None).unwrap();
    assert!(
        part.findings[0]
            .what
            .starts_with("Canceling since a higher priority")
    );
}

fn one_step(said: &str) -> Finding {
    let log = format!(
        "##[group]Run it\n##[endgroup]\n{said}\n##[error]Process completed with exit code 1.\n"
    );
    failing_part(&log, None).unwrap().findings.remove(0)
}

#[test]
fn the_failed_task_of_a_bundle_run_is_named_with_exception_and_place() {
    let files = "/Workspace/Users/a@example.com/.bundle/loyalty/dev/files/src";
    let trace = format!(
        "---------------------------------------------------------------------------\n\
        ValueError                                Traceback (most recent call last)\n\
        File {files}/fit:15\n\u{1b}[92m---> \u{1b}[39m15 fitted = churn.fit()\n\n\
        File {files}/loyalty/churn.py:22, in read(path)\n     21     rows = []\n---> 22     raise ValueError('no customer')\n\n\
        File /opt/python/site-packages/pandas/io.py:7, in get()\n---> 7     x()\n\n\
        ValueError: no customer\n"
    );
    let told = format!(
        "2026-11-30 05:38:28 \"fit\" INTERNAL_ERROR FAILED Task Fit failed with message: Workload failed\n\
        Task Fit FAILED:\nValueError: no customer ({files}/fit, cell 3, line 15)\n{trace}\n\
        Error: failed to reach TERMINATED or SKIPPED, got INTERNAL_ERROR: Task Fit failed with message: Workload failed"
    );
    let finding = one_step(&told);
    assert_eq!(finding.name.as_deref(), Some("Fit"));
    assert_eq!(finding.what, "ValueError: no customer");
    assert_eq!(finding.place.as_deref(), Some("src/fit, cell 3, line 15"));
    let lines = [
        "File src/loyalty/churn.py:22, in read(path)",
        "---> 22     raise ValueError('no customer')",
        "ValueError: no customer",
    ];
    assert_eq!(finding.lines, lines);
    // As Databricks has it: no place beside the exception.
    let told = format!(
        "Error: Task Fit failed!\nError:\nValueError: no customer\nTrace:\n{trace}\nError: failed to reach TERMINATED"
    );
    let finding = one_step(&told);
    assert_eq!(finding.what, "ValueError: no customer");
    assert_eq!(finding.place.as_deref(), Some("src/loyalty/churn.py:22"));
}

#[test]
fn paths_of_every_runner_are_those_of_the_repository() {
    for (path, own) in [
        ("/home/runner/work/taxi/taxi/src/a.py", "src/a.py"),
        ("/__w/taxi/taxi/src/a.py", "src/a.py"),
        ("/Users/runner/work/taxi/taxi/src/a.py", "src/a.py"),
        ("/opt/actions-runner/_work/taxi/taxi/src/a.py", "src/a.py"),
        (r"D:\a\taxi\taxi\src\a.py", r"src\a.py"),
        (
            "/home/ann/taxi/taxi/src/a.py",
            "/home/ann/taxi/taxi/src/a.py",
        ),
        ("src/a.py", "src/a.py"),
    ] {
        assert_eq!(in_repository(path), own, "{path}");
        assert_eq!(
            place(&format!("{path}:7: oops")),
            Some(format!("{own}:7")),
            "{path}"
        );
    }
}

#[test]
fn what_java_says_below_a_python_exception_is_shown_without_its_stack() {
    let stack = "\tat org.apache.spark.X.y(X.scala:1)\n".repeat(300);
    let finding = one_step(&format!(
        "Traceback (most recent call last):\n  File \"fit.py\", line 3, in <module>\n    df.write.save(p)\n\
        py4j.protocol.Py4JJavaError: An error occurred while calling o12.save.\n: org.apache.spark.SparkException: Job aborted.\n\
        {stack}Caused by: java.io.FileNotFoundException: /data/rides\n{stack}\t... 1 more"
    ));
    assert_eq!(finding.place.as_deref(), Some("fit.py:3"));
    let lines = [
        "> df.write.save(p)",
        "py4j.protocol.Py4JJavaError: An error occurred while calling o12.save.",
        "org.apache.spark.SparkException: Job aborted.",
        "Caused by: java.io.FileNotFoundException: /data/rides",
    ];
    assert_eq!(finding.lines, lines);
}

#[test]
fn each_exception_of_a_group_is_shown() {
    let finding = one_step(
        "  + Exception Group Traceback (most recent call last):\n  |   File \"fit.py\", line 9, in <module>\n  |     raise ExceptionGroup('two', found)\n\
        \u{20} | ExceptionGroup: two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n\
        \u{20}   |   File \"a.py\", line 4, in read\n    |     raise ValueError('no rows')\n    | ValueError: no rows\n\
        \u{20}   +---------------- 2 ----------------\n    | Traceback (most recent call last):\n    |   File \"b.py\", line 5, in read\n    |     f()\n\
        \u{20}   | KeyError: 'fare'\n    +------------------------------------",
    );
    assert_eq!(finding.what, "ExceptionGroup: two (2 sub-exceptions)");
    let lines = [
        "ExceptionGroup: two (2 sub-exceptions)  fit.py:9",
        "ValueError: no rows  a.py:4",
        "KeyError: 'fare'  b.py:5",
    ];
    assert_eq!(finding.lines, lines);
    assert_eq!(finding.place.as_deref(), Some("fit.py:9"));
}

#[test]
fn flake8_is_not_called_ruff() {
    assert_eq!(
        one_step("src/a.py:1:1: F401 'os' imported but unused").tool,
        "flake8"
    );
    let ruff = "src/a.py:1:8: F401 `os` imported but unused\nFound 1 error.";
    assert_eq!(one_step(ruff).tool, "ruff");
}

#[test]
fn tests_that_fail_with_native_tracebacks_are_each_found() {
    let failed = |name: &str, what: &str| {
        format!(
            "____ {name} ____\nTraceback (most recent call last):\n  File \"/home/runner/work/taxi/taxi/tests/t.py\", line 4, in {name}\n    f()\n{what}\n"
        )
    };
    let said = format!(
        "=== FAILURES ===\n{}{}=== short test summary info ===\nFAILED tests/t.py::test_a\n",
        failed("test_a", "ValueError: no rows"),
        failed("test_b", "KeyError: 'fare'")
    );
    let log = format!(
        "##[group]Run it\n##[endgroup]\n{said}##[error]Process completed with exit code 1.\n"
    );
    let found = failing_part(&log, None).unwrap().findings;
    let told: Vec<_> = found
        .iter()
        .map(|one| (one.name.as_deref().unwrap(), one.what.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("test_a", "ValueError: no rows"),
            ("test_b", "KeyError: 'fare'")
        ]
    );
    assert_eq!(found[0].place.as_deref(), Some("tests/t.py:4"));
}
