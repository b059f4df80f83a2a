//! Outputs of cells as HTML. What a notebook gives out is foreign: text is escaped, HTML goes into a sandbox.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

/// What a table row and the rest of a framed document take, in pixels.
const ROW_HEIGHT: usize = 27;
const FRAME_BASE: usize = 34;
const FRAME_LIMIT: usize = 440;
/// Gives a framed document the page's look; it has no other way to it.
const FRAME_STYLE: &str = "<meta name=\"color-scheme\" content=\"light dark\"><style>\
    body{font:13px/1.5 system-ui,sans-serif;margin:2px}table{border-collapse:collapse;border:0}\
    th,td{padding:2px 12px;border:0;border-bottom:1px solid #8884;text-align:right}</style>";

/// One display: the best representation that a page can show.
pub(super) fn display(data: &Value) -> Markup {
    for kind in ["image/png", "image/jpeg"] {
        if let Some(image) = data[kind].as_str() {
            return html! { img.plot alt="plot" src={ "data:" (kind) ";base64," (base64_only(image)) }; };
        }
    }
    if let Some(text) = data["text/markdown"].as_str() {
        return html! { div.markdown { (markdown(text)) } };
    }
    if let Some(document) = data["text/html"].as_str() {
        return framed(document);
    }
    html! { pre.out { (terminal(data["text/plain"].as_str().unwrap_or_default())) } }
}

/// HTML of a notebook: no scripts, no address of ours, no way to the page around it.
fn framed(document: &str) -> Markup {
    let rows = document.matches("<tr").count();
    let height = if rows == 0 {
        FRAME_LIMIT / 2
    } else {
        (FRAME_BASE + rows * ROW_HEIGHT).min(FRAME_LIMIT)
    };
    html! {
        iframe.html title="HTML output" sandbox="" loading="lazy" height=(height)
            srcdoc={ (FRAME_STYLE) (document) } {}
    }
}

/// Text with the colours that a terminal would show.
pub(super) fn terminal(text: &str) -> Markup {
    let text = last_writes(text);
    match ansi_to_html::convert(&text) {
        Ok(coloured) => PreEscaped(coloured),
        Err(_) => html! { (text) },
    }
}

/// A progress bar writes one line over and over; a terminal shows the last.
fn last_writes(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        line.trim_end_matches('\r')
            .rsplit('\r')
            .next()
            .unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Markdown, with HTML inside it shown as text.
fn markdown(text: &str) -> Markup {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).map(
        |event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
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
        assert!(
            !shown.contains("<script") && !shown.contains("javascript:") && !shown.contains("<b>"),
            "{shown}"
        );
    }

    #[test]
    fn colours_are_shown_and_text_is_escaped() {
        let shown = terminal("\u{1b}[91mbad\u{1b}[39m <script>").into_string();
        assert!(
            shown.contains("<span") && shown.contains("&lt;script"),
            "{shown}"
        );
    }

    #[test]
    fn of_a_progress_bar_the_last_state_is_shown() {
        assert_eq!(last_writes("10%\r50%\r100%\ndone\r\n"), "100%\ndone\n");
    }

    #[test]
    fn an_image_is_nothing_but_base64() {
        let shown = display(&json!({"image/png": "aGk=\" onerror=\"x"})).into_string();
        assert!(!shown.contains("onerror=\""), "{shown}");
    }
}
