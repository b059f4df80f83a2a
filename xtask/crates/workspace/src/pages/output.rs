//! Cell outputs as HTML. Outputs are untrusted: text is escaped, HTML is sandboxed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Alignment, Event, Options, Parser, Tag};
use serde_json::Value;

use super::terminal;

/// Pixels of a table row, and of the rest of a framed document.
const ROW_HEIGHT: usize = 27;
const FRAME_BASE: usize = 34;
const FRAME_LIMIT: usize = 440;
/// Makes a framed document look like the page, whose style it cannot load.
const FRAME_STYLE: &str = "<meta name=\"color-scheme\" content=\"light dark\"><style>\
    body{font:13px/1.5 system-ui,sans-serif;margin:2px}table{border-collapse:collapse;border:0}\
    th,td{padding:2px 12px;border:0;border-bottom:1px solid #8884;text-align:right}</style>";

/// How a page includes the HTML of its notebooks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Frames {
    /// Inside the page, for an exported file.
    Inline,
    /// At an address with a policy of its own: the page's policy allows no inline style.
    Apart,
}

/// Position of an output in a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub task_run_id: i64,
    pub cell: usize,
    pub output: usize,
}

/// The best representation that a page can show.
pub(super) fn display(data: &Value, position: Position, frames: Frames) -> Markup {
    for kind in ["image/png", "image/jpeg"] {
        if let Some(image) = data[kind].as_str() {
            return picture(kind, &base64_only(image), data);
        }
    }
    if let Some(image) = data["image/svg+xml"].as_str() {
        return picture("image/svg+xml", &STANDARD.encode(image), data);
    }
    if let Some(text) = data["text/markdown"].as_str() {
        return html! { div.markdown { (markdown(text)) } };
    }
    match (data["text/html"].as_str(), frames) {
        (Some(html), Frames::Inline) => html! {
            iframe.html title="HTML output" sandbox="" height=(height(html)) srcdoc=(document(html)) {}
        },
        (Some(html), Frames::Apart) => html! {
            iframe.html title="HTML output" sandbox="" loading="lazy" height=(height(html)) src=(address(position)) {}
        },
        (None, _) => terminal::output("out", data["text/plain"].as_str().unwrap_or_default()),
    }
}

/// Images execute nothing, whatever they contain.
fn picture(kind: &str, base64: &str, data: &Value) -> Markup {
    let told = data["text/plain"]
        .as_str()
        .filter(|text| !text.starts_with('<'));
    html! { img.plot alt=(told.unwrap_or("plot")) src={ "data:" (kind) ";base64," (base64) }; }
}

/// A document for a frame: no scripts, no base address, no access to the page.
pub(super) fn document(html: &str) -> String {
    format!("{FRAME_STYLE}{html}")
}

fn address(position: Position) -> String {
    let Position {
        task_run_id,
        cell,
        output,
    } = position;
    format!("/outputs/{task_run_id}/{cell}/{output}")
}

fn height(html: &str) -> usize {
    match html.matches("<tr").count() {
        0 => FRAME_LIMIT / 2,
        rows => (FRAME_BASE + rows * ROW_HEIGHT).min(FRAME_LIMIT),
    }
}

/// HTML inside Markdown is shown as text.
fn markdown(text: &str) -> Markup {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).map(
        |event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            // Alignment becomes a style attribute, which the page's policy refuses.
            Event::Start(Tag::Table(columns)) => {
                Event::Start(Tag::Table(vec![Alignment::None; columns.len()]))
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) if !is_safe_link(&dest_url) => Event::Start(Tag::Link {
                link_type,
                dest_url: "#".into(),
                title,
                id,
            }),
            other => other,
        },
    );
    let mut rendered = String::new();
    pulldown_cmark::html::push_html(&mut rendered, events);
    PreEscaped(rendered)
}

fn is_safe_link(target: &str) -> bool {
    ["https://", "http://", "#", "mailto:"]
        .iter()
        .any(|start| target.starts_with(start))
}

fn base64_only(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn display(data: &Value) -> Markup {
        let position = Position {
            task_run_id: 1,
            cell: 2,
            output: 3,
        };
        super::display(data, position, Frames::Inline)
    }

    #[test]
    fn html_of_a_notebook_is_no_part_of_the_page() {
        let position = Position {
            task_run_id: 1,
            cell: 2,
            output: 3,
        };
        let shown = super::display(&json!({"text/html": "<b>x</b>"}), position, Frames::Apart)
            .into_string();
        assert!(
            shown.contains("src=\"/outputs/1/2/3\"") && shown.contains("sandbox=\"\""),
            "{shown}"
        );
        assert!(!shown.contains("<b>"), "{shown}");
    }

    #[test]
    fn html_of_a_notebook_stays_in_its_frame() {
        let shown =
            display(&json!({"text/html": "\"></iframe><script>alert(1)</script>"})).into_string();
        assert!(shown.contains("sandbox=\"\""), "{shown}");
        assert!(!shown.contains("<script"), "{shown}");
        assert_eq!(shown.matches("</iframe>").count(), 1, "{shown}");
    }

    #[test]
    fn markdown_runs_nothing() {
        let shown = display(
            &json!({"text/markdown": "# T\n<script>x</script>\n\n[a](javascript:alert(1)) <b>b</b>"}),
        )
        .into_string();
        assert!(shown.contains("<h1>T</h1>"), "{shown}");
        let table = display(&json!({"text/markdown": "| a |\n|--:|\n| 1 |"})).into_string();
        assert!(table.contains("<td>1</td>"), "{table}");
        assert!(
            !shown.contains("<script") && !shown.contains("javascript:") && !shown.contains("<b>"),
            "{shown}"
        );
    }

    #[test]
    fn an_image_is_nothing_but_base64() {
        let shown = display(&json!({"image/png": "aGk=\" onerror=\"x"})).into_string();
        assert!(!shown.contains("onerror=\""), "{shown}");
        let shown = display(&json!({"image/svg+xml": "<svg onload=\"x\"/>"})).into_string();
        assert!(
            shown.contains("<img") && !shown.contains("onload"),
            "{shown}"
        );
    }
}
