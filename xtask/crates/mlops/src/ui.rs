//! All terminal input and output. The answer of a command goes to stdout, everything else to stderr. Only
//! this module uses indicatif and dialoguer.

#![expect(clippy::print_stderr, reason = "this is where output happens")]

mod canvas;
mod json_answer;
mod pager;
mod prompts;
mod text;

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dialoguer::console::{Style, strip_ansi_codes};
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::env::Env;
use crate::error::Report;

use json_answer::JsonAnswer;
use text::harmless;

pub(crate) use canvas::Canvas;
pub(crate) use text::{safe, safe_line};

/// Work shorter than this shows no progress.
const QUIET_START: Duration = Duration::from_millis(250);

/// The terminal. Clones share one screen; any thread may hold one.
#[derive(Debug, Clone)]
pub struct Ui {
    screen: MultiProgress,
    moving: bool,
    colour: bool,
    colour_of_answers: bool,
    answers_at_terminal: bool,
    can_ask: bool,
    assume_yes: bool,
    /// The command line, with `--yes`.
    with_yes: Arc<str>,
    explain: bool,
    /// What is printed at the end where `--json` was given.
    json: Option<Arc<Mutex<JsonAnswer>>>,
}

/// The output options of the command line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// `--yes`: skip prompts and answer yes.
    pub(crate) assume_yes: bool,
    /// `--explain`: print each git, CLI and REST call.
    pub(crate) explain: bool,
    /// `--quiet`: hide progress.
    pub(crate) quiet: bool,
    /// `--json`: the answer is one JSON object.
    pub(crate) json: bool,
}

impl Ui {
    /// Chooses colour, progress and prompts from the environment and the options.
    pub(crate) fn new(env: &Env, manner: Manner) -> Ui {
        // A CI log keeps every repainted line, so it gets plain ones.
        let moving = env.stderr_is_terminal && !env.ci && !manner.quiet;
        let target = if moving {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Ui {
            screen: MultiProgress::with_draw_target(target),
            moving,
            colour: env.colour,
            colour_of_answers: env.colour && (env.colour_forced || env.stdout_is_terminal),
            answers_at_terminal: env.stdout_is_terminal && !env.ci,
            can_ask: env.stdin_is_terminal && env.stderr_is_terminal && !env.ci,
            assume_yes: manner.assume_yes,
            with_yes: env.command_line_with("--yes").into(),
            explain: manner.explain,
            json: manner.json.then(Arc::default),
        }
    }

    /// Whether there is a terminal to prompt on.
    pub fn can_ask(&self) -> bool {
        self.can_ask && !self.assume_yes
    }

    /// Whether lines can be repainted.
    pub(crate) fn is_moving(&self) -> bool {
        self.moving
    }

    /// Whether the answer is one JSON object (`--json`).
    pub fn wants_json(&self) -> bool {
        self.json.is_some()
    }

    /// Prints the answer of a command on stdout. With `--json` it is a line of the object, unless the command gives
    /// one of its own.
    pub fn answer(&self, text: &str) {
        match &self.json {
            Some(json) => json_answer::of(json).line(&strip_ansi_codes(text)),
            None => self.print(text),
        }
    }

    fn print(&self, text: &str) {
        let text = if self.colour_of_answers {
            Cow::Borrowed(text)
        } else {
            strip_ansi_codes(text)
        };
        self.screen.suspend(|| {
            use std::io::Write as _;
            // `cargo xtask … | head` closes the pipe early, which is the reader's right.
            let _ = writeln!(std::io::stdout(), "{}", harmless(&text));
        });
    }

    /// Gives the object that is printed on stdout where `--json` was given; else nothing is done.
    pub fn json(&self, answer: &impl serde::Serialize) -> anyhow::Result<()> {
        if let Some(json) = &self.json {
            json_answer::of(json).object(serde_json::to_string_pretty(answer)?);
        }
        Ok(())
    }

    /// Prints what `--json` asks for, at the end of a command: its answer, and the error that it failed with.
    pub(crate) fn finish(&self, failed: Option<&Report>) {
        if let Some(json) = &self.json {
            let answer = json_answer::of(json).rendered(failed);
            self.print(&text::json(&answer));
        }
    }

    /// A status line that starts with a verb, as in cargo.
    pub fn status(&self, verb: &str, message: &str) {
        self.line(&format!(
            "{} {message}",
            self.paint(&format!("{verb:>12}"), Tone::Good)
        ));
    }

    /// Like [`Ui::status`], coloured by outcome.
    pub(crate) fn status_toned(&self, verb: &str, message: &str, tone: Tone) {
        self.line(&format!(
            "{} {message}",
            self.paint(&format!("{verb:>12}"), tone)
        ));
    }

    /// A warning.
    pub fn warn(&self, message: &str) {
        self.line(&format!(
            "{} {message}",
            self.paint("warning:", Tone::Warning)
        ));
    }

    /// A plain line on stderr.
    pub fn line(&self, text: &str) {
        self.screen.suspend(|| eprintln!("{}", harmless(text)));
    }

    /// Prints a call to another program or service when `--explain` asks for it.
    pub(crate) fn explain(&self, call: &str) {
        if self.explain {
            self.line(&self.paint(&format!("{:>12} {call}", "→"), Tone::Dim));
        }
    }

    /// Prints a failure: what, why, details, what to type next.
    pub(crate) fn report(&self, report: &Report) {
        let mut text = format!("{} {}", self.paint("error:", Tone::Bad), report.what);
        for cause in &report.causes {
            text.push_str(&format!("\n  because: {cause}"));
        }
        if let Some(details) = &report.details {
            for line in details.lines() {
                text.push_str(&format!("\n  {} {line}", self.paint("|", Tone::Dim)));
            }
        }
        for (word, steps) in [("done:", &report.done), ("not done:", &report.left)] {
            for step in steps {
                text.push_str(&format!("\n  {} {step}", self.paint(word, Tone::Strong)));
            }
        }
        for next in &report.next {
            text.push_str(&format!("\n  {} {next}", self.paint("next:", Tone::Good)));
        }
        self.line(&text);
    }

    /// Colours text where the terminal has colours.
    pub(crate) fn paint(&self, text: &str, tone: Tone) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Good => Style::new().green().bold(),
            Tone::Bad => Style::new().red().bold(),
            Tone::Warning => Style::new().yellow().bold(),
            Tone::Accent => Style::new().cyan(),
            Tone::Strong => Style::new().bold(),
            Tone::Dim => Style::new().dim(),
        };
        style.force_styling(true).apply_to(text).to_string()
    }

    /// A hyperlink (OSC 8) where the terminal supports it, else the address.
    pub(crate) fn link(&self, url: &str, target: &str) -> String {
        if self.colour && self.moving {
            text::link(target, &self.paint(url, Tone::Accent))
        } else {
            url.to_owned()
        }
    }

    /// Whether an answer may hold links behind words.
    pub(crate) fn has_links(&self) -> bool {
        self.colour_of_answers && self.answers_at_terminal
    }

    /// A hyperlink (OSC 8) in an answer where the terminal supports it, else the bare word.
    pub(crate) fn linked(&self, text: &str, target: &str) -> String {
        if self.has_links() && !target.is_empty() {
            text::link(target, text)
        } else {
            text.to_owned()
        }
    }

    /// The width of the terminal on stdout; `None` where stdout is no terminal.
    pub(crate) fn columns(&self) -> Option<usize> {
        let size = dialoguer::console::Term::stdout().size_checked();
        size.filter(|_| self.answers_at_terminal)
            .map(|(_, columns)| usize::from(columns))
    }

    /// Prints a long answer, through a pager where it does not fit on the terminal.
    pub(crate) fn page(&self, text: &str) {
        let rows = dialoguer::console::Term::stdout().size().0;
        let is_long = text.lines().count() > usize::from(rows);
        if !(self.answers_at_terminal && self.can_ask && is_long && pager::show(text)) {
            self.answer(text.trim_end());
        }
    }

    /// Shows progress until the returned value is finished or dropped.
    pub(crate) fn progress(&self, verb: &str, message: &str) -> Progress {
        // Add the bar to the screen first: the screen keeps track of its lines.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
            .with_style(spinner_style(self.colour))
            .with_prefix(format!("{verb:>12}"))
            .with_message(harmless(message).into_owned());
        let bar = self.screen.add(bar);
        if self.moving {
            bar.enable_steady_tick(QUIET_START);
        } else {
            self.status(verb, &format!("{message} …"));
        }
        Progress {
            ui: self.clone(),
            bar,
            started: Instant::now(),
        }
    }

    /// Runs something that uses the terminal itself, such as an editor, with progress paused.
    pub(crate) fn suspended<T>(&self, work: impl FnOnce() -> T) -> T {
        self.screen.suspend(work)
    }
}

/// Colours by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Done, passed.
    Good,
    /// Failed.
    Bad,
    /// Worth a look.
    Warning,
    /// A name, a link.
    Accent,
    /// A heading.
    Strong,
    /// Less important.
    Dim,
}

/// A running progress line.
#[derive(Debug)]
pub(crate) struct Progress {
    ui: Ui,
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    /// Replaces the message.
    pub(crate) fn message(&self, message: impl Into<String>) {
        self.bar.set_message(harmless(&message.into()).into_owned());
    }

    /// Shows the progress of a download, in bytes.
    pub(crate) fn bytes(&self, done: u64, total: u64) {
        self.bar.set_style(bytes_style());
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Ends with a permanent line that shows the duration.
    pub(crate) fn finish(self, verb: &str, message: &str) {
        let took = seconds(self.started.elapsed());
        self.bar.finish_and_clear();
        self.ui.status(
            verb,
            &format!("{message} {}", self.ui.paint(&took, Tone::Dim)),
        );
    }

    /// Ends without output.
    pub(crate) fn clear(self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn spinner_style(colour: bool) -> ProgressStyle {
    let template = if colour {
        "{prefix:.green.bold} {wide_msg} {elapsed:.dim} {spinner}"
    } else {
        "{prefix} {wide_msg} {elapsed} {spinner}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn bytes_style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {msg} {bar:24} {bytes}/{total_bytes} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A duration for people: `0.4 s`, `12 s`, `3 minutes`.
pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs_f64() {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        _ => HumanDuration(duration).to_string(),
    }
}
