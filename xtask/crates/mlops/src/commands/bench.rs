//! `cargo xtask bench`: the measured figures, and the page that holds them.

mod deploy;
mod figures;
mod measure;
mod status;

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::config::Figure;
use crate::context::Context;
use crate::error::Failure;
use crate::tools::{self, Need, Toolbox, own_source};
use crate::ui::Tone;
use xtask_remote::Timestamp;

/// The page that `--write` writes.
const PAGE: &str = "docs/benchmarks.md";

/// Options of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Benchmarks to run [default: all except slow ones].
    #[arg(value_name = "BENCHMARK")]
    figures: Vec<String>,
    /// Include the slow benchmarks (about 15 minutes).
    #[arg(long)]
    slow: bool,
    /// Write the results to docs/benchmarks.md.
    #[arg(long)]
    write: bool,
    /// List the benchmarks and exit.
    #[arg(long)]
    list: bool,
}

/// What every figure is measured with.
struct Bench<'a> {
    context: &'a Context,
    toolbox: &'a Toolbox,
}

/// A figure that was measured.
struct Measured<'a> {
    figure: &'a Figure,
    value: f64,
}

impl Measured<'_> {
    fn facts(&self) -> Value {
        let Measured { figure, value } = *self;
        json!({
            "name": figure.name, "about": figure.about, "value": value,
            "shown": figure.unit.show(value), "goal": figure.goal(), "met": figure.is_met(value),
        })
    }
}

/// Runs the command. A goal that is missed is said and is no failure: figures depend on the machine.
pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let figures = figures::all(&context.config)?;
    let chosen = choose(&figures, args)?;
    if args.list {
        for figure in chosen {
            context
                .ui
                .answer(&format!("{:<20} {}", figure.name, figure.about));
        }
        return Ok(());
    }
    let (chosen, left_out): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|figure| {
        own_source::is_the_tools_repository(&context.root) || !figure.compiles_the_tool()
    });
    for figure in left_out {
        let line = format!(
            "{}: the sources of the tool are not in this project",
            figure.name
        );
        context.ui.status_toned("Left out", &line, Tone::Warning);
    }
    let toolbox = tools::ready(context, Need::ALL)?;
    let bench = Bench {
        context,
        toolbox: &toolbox,
    };
    let mut measured = Vec::new();
    for figure in chosen {
        context.interrupt.check()?;
        let progress = context.ui.progress("Measuring", &figure.about);
        let value = figure.measure(&bench)?;
        progress.clear();
        let tone = match figure.is_met(value) {
            true => Tone::Good,
            false => Tone::Warning,
        };
        let (shown, goal) = (figure.unit.show(value), figure.goal());
        let line = format!("{shown:>9} (goal {goal})  {}", figure.about);
        context.ui.status_toned("Measured", &line, tone);
        measured.push(Measured { figure, value });
    }
    let figures_now: Vec<_> = measured.iter().map(Measured::facts).collect();
    context
        .ui
        .json(&json!({"version": 1, "figures": figures_now}))?;
    if args.write {
        write(context, &context.root.join(PAGE), &figures, &measured)?;
    }
    Ok(())
}

fn choose<'a>(figures: &'a [Figure], args: &Args) -> anyhow::Result<Vec<&'a Figure>> {
    let known = |name: &String| figures.iter().any(|figure| figure.name == *name);
    if let Some(unknown) = args.figures.iter().find(|name| !known(name)) {
        return Failure::usage(format!("there is no figure \"{unknown}\""))
            .next("cargo xtask bench --list")
            .err();
    }
    let wanted = |figure: &&Figure| match args.figures.is_empty() {
        true => args.slow || args.list || !figure.slow,
        false => args.figures.contains(&figure.name),
    };
    Ok(figures.iter().filter(wanted).collect())
}

/// Replaces the rows that were measured; the others stay as they are.
fn write(
    context: &Context,
    page: &Utf8Path,
    figures: &[Figure],
    measured: &[Measured<'_>],
) -> anyhow::Result<()> {
    let present = fs_err::read_to_string(page).unwrap_or_default();
    let now = Timestamp::now().to_string();
    let today = now.get(..10).unwrap_or(&now);
    let machine = measure::machine();
    let mut text = String::from(
        "# Measured\n\nWritten by `cargo xtask bench --slow --write`; `cargo xtask bench --list` says what each figure is.\nA goal that is missed is shown and breaks nothing: figures depend on the machine.\n\n| figure | measured | goal | on | what |\n|---|---|---|---|---|\n",
    );
    for figure in figures {
        let Figure { name, about, .. } = figure;
        let (start, goal) = (format!("| {name} |"), figure.goal());
        let row = match measured.iter().find(|one| one.figure.name == *name) {
            Some(one) => {
                let shown = figure.unit.show(one.value);
                format!("{start} {shown} | {goal} | {today}, {machine} | {about} |")
            }
            None => match present.lines().find(|line| line.starts_with(&start)) {
                Some(line) => line.to_owned(),
                None => format!("{start} not yet | {goal} | | {about} |"),
            },
        };
        text.push_str(&row);
        text.push('\n');
    }
    fs_err::write(page, text)?;
    context.ui.status("Wrote", PAGE);
    Ok(())
}
