//! The frame and common elements of all pages.

use maud::{DOCTYPE, Markup, html};

use crate::call::Call;
use crate::clock::Time;
use crate::world::{CheckRun, Pull, Verdict};

pub(super) const STYLE_PATH: &str = "/_assets/forge.css";
pub(super) const STYLE: &str = include_str!("forge.css");

/// For signed-in users.
pub(super) fn page(call: &Call, title: &str, content: &Markup) -> Markup {
    let login = call.caller.login(&call.world).unwrap_or_default();
    framed(title, &html! { span.who { (login) } }, content)
}

/// Without a user.
pub(super) fn bare(title: &str, content: &Markup) -> Markup {
    framed(title, &html! {}, content)
}

fn framed(title: &str, who: &Markup, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · local forge" }
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                header.top { a.brand href="/" { "Local forge" } (who) }
                main { (content) }
            }
        }
    }
}

pub(super) fn ago(call: &Call, at: Time) -> Markup {
    let seconds = (call.world.now().seconds() - at.seconds()).max(0);
    let text = match seconds {
        0..90 => format!("{seconds} s ago"),
        90..5_400 => format!("{} min ago", seconds / 60),
        5_400..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    };
    html! { time datetime=(at) title=(at) { (text) } }
}

pub(super) fn pull_badge(pull: &Pull) -> Markup {
    let (word, class) = match (pull.open, &pull.merged) {
        (true, _) if pull.draft => ("Draft", "quiet"),
        (true, _) => ("Open", "ok"),
        (false, Some(_)) => ("Merged", "run"),
        (false, None) => ("Closed", "bad"),
    };
    html! { span class={ "badge " (class) } { (word) } }
}

pub(super) fn check_badge(check: &CheckRun) -> Markup {
    let class = match check.verdict() {
        Verdict::Passed => "ok",
        Verdict::Failed => "bad",
        Verdict::Pending => "wait",
    };
    badge(check.conclusion.as_deref().unwrap_or(&check.status), class)
}

/// GitHub's value with a capital letter and spaces.
pub(super) fn badge(word: &str, class: &str) -> Markup {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let word: String = first.into_iter().chain(letters).collect();
    html! { span class={ "badge " (class) } { (word.replace('_', " ")) } }
}

pub(super) fn duration(call: &Call, check: &CheckRun) -> String {
    let Some(start) = check.started_at else {
        return String::new();
    };
    let end = check.completed_at.unwrap_or_else(|| call.world.now());
    match (end.seconds() - start.seconds()).max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
