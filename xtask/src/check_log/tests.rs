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
        let part = failing_part(&log).unwrap_or_else(|| panic!("{name}: nothing failed"));
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
            let _ = failing_part(start);
            let _ = log.get(length..).map(failing_part);
        }
    }
}

#[test]
fn a_log_without_an_error_has_no_failing_part() {
    let log = "2026-11-24T09:12:01.2048170Z ##[group]Run cargo xtask ci\n\
        2026-11-24T09:12:01.2048170Z ##[endgroup]\n\
        2026-11-24T09:12:02.2048170Z test result: ok\n";
    assert_eq!(failing_part(log), None);
}

#[test]
fn a_step_that_was_allowed_to_fail_is_not_the_one() {
    let log = "##[group]Run first\n##[endgroup]\nno matter\n##[error]Process completed with exit code 1.\n\
        ##[group]Run second\n##[endgroup]\nit matters\n##[error]Process completed with exit code 2.\n";
    let part = failing_part(log).unwrap();
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
