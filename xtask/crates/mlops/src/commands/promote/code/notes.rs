//! What a pull request of a promotion says about itself, in Markdown. Titles and names in it come from
//! strangers: they are shown, and mention, link and hide nothing.

use super::bundle_plan::BundlePlan;
use super::contents::Contents;
use super::evidence::{Evidence, Seen};
use super::route::Route;
use crate::pull_request::block::code;
use crate::words::{count, short};

/// How many entries a list has at most: GitHub takes 65,536 characters in all.
const LISTED: usize = 100;

/// The notes of a promotion.
pub(super) fn of_promotion(
    route: &Route,
    main: &str,
    contents: &Contents,
    plan: &BundlePlan,
    evidence: &Evidence,
) -> String {
    let mut parts = vec![format!(
        "Brings {} at {} to {}. Once it is merged, {} gets exactly the files of that commit.",
        code(&route.main),
        main,
        code(&route.release),
        code(&route.to)
    )];
    parts.extend(lists(
        contents,
        "Pull requests",
        "Commits without a pull request",
    ));
    parts.push(bundle(route, plan));
    parts.push(standing(route, main, evidence));
    parts.join("\n\n")
}

/// The notes of an undo.
pub(super) fn of_undo(
    route: &Route,
    undone: &str,
    back_to: &str,
    contents: &Contents,
    plan: &BundlePlan,
) -> String {
    let mut parts = vec![
        format!(
            "Takes {} from {undone} back to the files of {back_to}.",
            code(&route.release)
        ),
        format!(
            "Models stay as they are: `cargo xtask promote --undo` takes one back. The next \
             `cargo xtask promote --code` brings what goes back here again, unless it is reverted on {}.",
            code(&route.main)
        ),
    ];
    parts.extend(lists(
        contents,
        "Pull requests that go back",
        "Commits without a pull request that go back",
    ));
    parts.push(bundle(route, plan));
    parts.join("\n\n")
}

fn lists(contents: &Contents, pulls: &str, commits: &str) -> Vec<String> {
    let mut parts = Vec::new();
    if !contents.pulls.is_empty() {
        let lines = contents.pulls.iter().map(|pull| {
            let by = match pull.author.is_empty() {
                true => String::new(),
                false => format!(" by {}", text(&pull.author)),
            };
            format!("- #{} {}{by}", pull.number, text(&pull.title))
        });
        parts.push(section(pulls, lines));
    }
    if !contents.commits.is_empty() {
        let lines = contents.commits.iter().map(|commit| {
            let by = match commit.author.is_empty() {
                true => String::new(),
                false => format!(" by {}", text(&commit.author)),
            };
            format!("- {} {}{by}", commit.sha, text(&commit.subject))
        });
        parts.push(section(commits, lines));
    }
    if contents.not_looked_up > 0 {
        let earlier = count(contents.not_looked_up, "earlier commit");
        parts.push(format!("And {earlier}, not listed."));
    }
    if !contents.notebooks.is_empty() {
        let lines = contents.notebooks.lines().map(str::to_owned);
        parts.push(section("Notebooks", lines));
    }
    parts
}

fn section(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    let mut shown: Vec<String> = lines.iter().take(LISTED).cloned().collect();
    if lines.len() > LISTED {
        shown.push(format!("- and {} more", lines.len() - LISTED));
    }
    format!("### {heading}\n\n{}", shown.join("\n"))
}

fn bundle(route: &Route, plan: &BundlePlan) -> String {
    let heading = format!("Bundle plan for {}", text(&route.to));
    match (&plan.changes, plan.compared.is_empty()) {
        (Some(changes), _) if changes.is_empty() => {
            format!("### {heading}\n\nNo resource changes; the files are uploaded.")
        }
        (Some(changes), _) => section(
            &heading,
            changes.iter().map(|line| format!("- {}", code(line))),
        ),
        (None, true) => format!(
            "### {heading}\n\nNot planned ({}). The bundle's files define the same resources as before.",
            text(plan.unknown.as_deref().unwrap_or_default())
        ),
        (None, false) => {
            let listed = section(&heading, plan.compared.iter().cloned());
            let why = text(plan.unknown.as_deref().unwrap_or_default());
            format!("{listed}\n\nBy the bundle's files: it was not planned ({why}).")
        }
    }
}

fn standing(route: &Route, main: &str, evidence: &Evidence) -> String {
    let lines = [
        format!("- Checks of {}: {}", short(main), evidence.checks.told()),
        format!("- {}", deployed(&evidence.from, main, &route.main)),
        format!("- {}", deployed(&evidence.to, main, &route.main)),
    ];
    section("When this was written", lines.into_iter())
}

fn deployed(seen: &Seen, main: &str, branch: &str) -> String {
    let target = code(&seen.target);
    let champion = match seen.champion {
        Some(version) => format!(", champion version {version}"),
        None => String::new(),
    };
    match (&seen.commit, &seen.unknown) {
        (Some(commit), _) if commit == main => {
            format!("{target} has this very commit deployed{champion}")
        }
        (Some(commit), _) => format!(
            "{target} has {} deployed, not this commit of {}{champion}",
            short(commit),
            code(branch)
        ),
        (None, Some(unknown)) => format!("{target} was not asked: {}", text(unknown)),
        (None, None) => format!("{target} has nothing deployed"),
    }
}

/// A stranger's text within Markdown: every character stands for itself, it mentions no account, and it
/// links to nothing.
fn text(stranger: &str) -> String {
    const MARKDOWN: &str = "\\`*_{}[]()#+-!|~:";
    let mut safe = String::new();
    for character in stranger.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // Without a word right after it, it mentions no account and refers to nothing.
            '@' | '#' => {
                safe.push('\\');
                safe.push(character);
                safe.push_str("&#8203;");
            }
            _ if character.is_control() => safe.push(' '),
            _ if MARKDOWN.contains(character) => {
                safe.push('\\');
                safe.push(character);
            }
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_stays_text() {
        assert_eq!(text("Fit, with care"), "Fit, with care");
        assert_eq!(
            text("<!-- xtask:end --> @ann #1\n[x](y)"),
            "&lt;\\!\\-\\- xtask\\:end \\-\\-&gt; \\@&#8203;ann \\#&#8203;1 \\[x\\]\\(y\\)"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let lines = (0..150).map(|number| format!("- {number}"));
        let section = section("Many", lines);
        assert!(section.ends_with("- 99\n- and 50 more"), "{section}");
    }
}
