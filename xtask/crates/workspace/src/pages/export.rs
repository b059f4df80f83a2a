//! An executed notebook as one self-contained HTML file, for `runs/export`.

use maud::{DOCTYPE, PreEscaped, html};

use super::assets::STYLE;
use super::cells::Notebook;
use super::output::Frames;
use super::task::{Shown, task_section};
use crate::runner::outcome::read_events;
use crate::state::App;
use crate::store::TaskRun;

pub(crate) fn executed_notebook(app: &App, task: TaskRun) -> String {
    let events = app.task_run_dir(task.run_id).join("events.jsonl");
    let shown = Shown {
        notebook: Notebook::of(read_events(&events)),
        task,
        models: Vec::new(),
        started: None,
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (shown.notebook.path) }
                style { (PreEscaped(STYLE.text)) }
            }
            body { main { (task_section(&shown, Frames::Inline)) } }
        }
    }
    .into_string()
}
