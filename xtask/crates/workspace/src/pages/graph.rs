//! A drawing of the tasks of a job or run and their dependencies, which the table below it lists, too.

mod placing;

use maud::{Markup, html};

use super::formatting::{Look, duration, look};
use crate::jobs::{Declared, Need, Task};
use crate::store::TaskRun;
use placing::{Place, place};

/// Pixels.
const WIDTH: usize = 196;
const HEIGHT: usize = 50;
const GAP_X: usize = 56;
const GAP_Y: usize = 18;
/// Characters of a name in a box.
const LONGEST: usize = 21;
/// With more tasks there is only the list.
const MOST: usize = 200;

struct Node {
    key: String,
    needs: Vec<Need>,
    /// Target of a click.
    link: Option<String>,
    look: Option<Look>,
    note: String,
}

pub(super) fn of_job(tasks: &[Declared<Task>]) -> Markup {
    let nodes: Vec<Node> = tasks
        .iter()
        .map(|task| Node {
            key: task.task_key.clone(),
            needs: task.depends_on.clone(),
            link: None,
            look: None,
            note: String::new(),
        })
        .collect();
    drawing(&nodes)
}

/// `newest` has the last attempt of each task.
pub(super) fn of_run(newest: &[&TaskRun]) -> Markup {
    let nodes: Vec<Node> = newest
        .iter()
        .map(|task| {
            let look = look(&task.state);
            let duration = duration(task.start_time, task.end_time);
            let attempt = match task.attempt_number {
                0 => String::new(),
                number => format!(" · attempt {}", number + 1),
            };
            Node {
                key: task.task_key.clone(),
                needs: task.settings.depends_on.clone(),
                link: Some(format!("#task-{}", task.run_id)),
                look: Some(look),
                note: format!("{} {duration}{attempt}", look.word)
                    .trim_end()
                    .to_owned(),
            }
        })
        .collect();
    drawing(&nodes)
}

/// In the order of dependencies; the CLI sends tasks sorted by name.
pub(super) fn in_order(tasks: &[Declared<Task>]) -> Vec<&Declared<Task>> {
    let position = |key: &str| tasks.iter().position(|task| task.task_key == key);
    let edges: Vec<Vec<usize>> = tasks
        .iter()
        .map(|task| task.needs().filter_map(position).collect())
        .collect();
    let mut placed: Vec<(Place, &Declared<Task>)> = place(&edges).into_iter().zip(tasks).collect();
    placed.sort_by_key(|(place, _)| (place.column, place.half_rows));
    placed.into_iter().map(|(_, task)| task).collect()
}

pub(super) fn needs(task: &Task) -> String {
    task.needs().collect::<Vec<_>>().join(", ")
}

fn drawing(nodes: &[Node]) -> Markup {
    if nodes.len() < 2 || nodes.len() > MOST {
        return html! {};
    }
    let edges: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| {
            let position = |need: &Need| nodes.iter().position(|other| other.key == need.task_key);
            node.needs.iter().filter_map(position).collect()
        })
        .collect();
    let places = place(&edges);
    let columns = places.iter().map(|place| place.column).max().unwrap_or(0) + 1;
    let rows = places
        .iter()
        .map(|place| place.half_rows / 2)
        .max()
        .unwrap_or(0)
        + 1;
    let width = columns * (WIDTH + GAP_X) - GAP_X + 4;
    let height = rows * (HEIGHT + GAP_Y) - GAP_Y + 4;
    html! {
        div.wide.graph-frame tabindex="0" role="group" aria-label="Tasks and their dependencies" {
            svg.graph xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
                viewBox={ "0 0 " (width) " " (height) } {
                @for ((node, needs), to) in nodes.iter().zip(&edges).zip(&places) {
                    @for (index, from) in needs.iter().enumerate() {
                        (edge(places[*from], *to, node.needs.get(index).and_then(|need| need.outcome.as_deref())))
                    }
                }
                @for (node, place) in nodes.iter().zip(&places) { (task(node, *place)) }
            }
        }
    }
}

fn corner(place: Place) -> (usize, usize) {
    (
        place.column * (WIDTH + GAP_X) + 2,
        place.half_rows * (HEIGHT + GAP_Y) / 2 + 2,
    )
}

fn edge(from: Place, to: Place, outcome: Option<&str>) -> Markup {
    let ((x1, y1), (x2, y2)) = (corner(from), corner(to));
    let (x1, y1, y2) = (x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2);
    let bend = GAP_X / 2;
    html! {
        path.edge d={ "M" (x1) " " (y1) " C" (x1 + bend) " " (y1) " " (x2 - bend) " " (y2) " " (x2 - 5) " " (y2) } {}
        path.tip d={ "M" (x2 - 7) " " (y2 - 4) " L" (x2) " " (y2) " L" (x2 - 7) " " (y2 + 4) "Z" } {}
        @if let Some(outcome) = outcome {
            text.outcome-label x=(usize::midpoint(x1, x2)) y=(usize::midpoint(y1, y2) - 5) { (outcome) }
        }
    }
}

fn task(node: &Node, place: Place) -> Markup {
    let (x, y) = corner(place);
    let class = node.look.map_or("plain", |look| look.class);
    let told = match node.note.as_str() {
        "" => node.key.clone(),
        note => format!("{}: {note}", node.key),
    };
    let inner = html! {
        title { (told) }
        rect.box x=(x) y=(y) width=(WIDTH) height=(HEIGHT) rx="8" {}
        @if let Some(look) = node.look {
            circle.sign-back cx=(x + 23) cy=(y + 25) r="11" {}
            text.sign x=(x + 23) y=(y + 29) { (look.sign) }
            text.name x=(x + 43) y=(y + 21) { (shortened(&node.key, LONGEST - 3)) }
            text.when x=(x + 43) y=(y + 38) { (shortened(&node.note, LONGEST + 2)) }
        } @else {
            text.name x=(x + 14) y=(y + 30) { (shortened(&node.key, LONGEST)) }
        }
    };
    html! {
        @if let Some(link) = &node.link {
            a.node.(class) href=(link) aria-label=(told) { (inner) }
        } @else { g.node.(class) { (inner) } }
    }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tasks(json: Value) -> Vec<Declared<Task>> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn names_are_escaped_and_dependencies_drawn() {
        let tasks = tasks(json!([
            {"task_key": "<b>"},
            {"task_key": "after", "depends_on": [{"task_key": "<b>", "outcome": "true"}]},
        ]));
        let drawn = of_job(&tasks).into_string();
        assert!(
            drawn.contains("&lt;b&gt;") && !drawn.contains("<b>"),
            "{drawn}"
        );
        assert_eq!(drawn.matches("class=\"edge\"").count(), 1);
        assert!(drawn.contains(">true</text>"), "{drawn}");
    }

    #[test]
    fn what_waits_comes_after_what_it_waits_for() {
        let tasks = tasks(json!([
            {"task_key": "a", "depends_on": [{"task_key": "z"}]}, {"task_key": "z"},
        ]));
        let keys: Vec<_> = in_order(&tasks)
            .iter()
            .map(|task| task.task_key.clone())
            .collect();
        assert_eq!(keys, ["z", "a"]);
    }

    #[test]
    fn a_single_task_needs_no_drawing() {
        assert_eq!(of_job(&tasks(json!([{"task_key": "a"}]))).into_string(), "");
        assert_eq!(of_job(&[]).into_string(), "");
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(shortened("äöüäöü", 4), "äöü…");
        assert_eq!(shortened("abcd", 4), "abcd");
    }
}
