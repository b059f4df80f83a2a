//! Terminal output as HTML: colours become classes, and overwritten lines show their last state.

use std::fmt::Write as _;

use anstyle_parse::{Params, Parser, Perform, Utf8Parser};
use maud::{Markup, PreEscaped, Render as _, html};

/// Lines of an output that are visible; the rest unfolds.
const OPEN: usize = 30;
/// Lines on a page; more would make a browser unusable.
const MOST: usize = 4000;

/// With colours; long text is folded.
pub(super) fn output(class: &str, text: &str) -> Markup {
    let lines = lines(text);
    let (open, rest) = lines.split_at(if lines.len() > OPEN + 10 {
        OPEN
    } else {
        lines.len()
    });
    let (rest, beyond) = rest.split_at(rest.len().min(MOST));
    html! {
        pre class=(class) { (joined(open)) }
        @if !rest.is_empty() {
            details.rest {
                summary { (rest.len()) " more lines" }
                pre class=(class) { (joined(rest)) }
                @if !beyond.is_empty() { p.dim { "And " (beyond.len()) " more lines are not shown." } }
            }
        }
    }
}

/// With colours, unfolded.
pub(super) fn coloured(text: &str) -> Markup {
    joined(&lines(text))
}

fn joined(lines: &[String]) -> Markup {
    PreEscaped(lines.join("\n"))
}

/// Each line is well-formed HTML.
fn lines(text: &str) -> Vec<String> {
    let mut screen = Screen::default();
    let mut parser = Parser::<Utf8Parser>::new();
    for byte in text.bytes() {
        parser.advance(&mut screen, byte);
    }
    screen.finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Style {
    /// Class of the colour.
    colour: Option<&'static str>,
    back: bool,
    bold: bool,
    faint: bool,
    italic: bool,
    underline: bool,
}

impl Style {
    fn classes(self) -> String {
        let mut classes = Vec::new();
        classes.extend(self.colour);
        for (is_set, class) in [
            (self.back, "t-back"),
            (self.bold, "t-bold"),
            (self.faint && self.colour.is_none(), "t-faint"),
            (self.italic, "t-italic"),
            (self.underline, "t-underline"),
        ] {
            if is_set {
                classes.push(class);
            }
        }
        classes.join(" ")
    }

    /// SGR parameters of one escape sequence.
    fn select(&mut self, numbers: &[u16]) {
        let mut numbers = numbers.iter().copied();
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Style::default(),
                1 => self.bold = true,
                2 => self.faint = true,
                3 => self.italic = true,
                4 => self.underline = true,
                22 => (self.bold, self.faint) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                30..=37 => self.colour = Some(COLOURS[usize::from(number - 30)]),
                90..=97 => self.colour = Some(COLOURS[usize::from(number - 90)]),
                39 => self.colour = None,
                40..=47 | 100..=107 => self.back = true,
                49 => self.back = false,
                38 => self.colour = extended(&mut numbers),
                48 => self.back = extended(&mut numbers).is_some(),
                _ => {}
            }
        }
    }
}

const COLOURS: [&str; 8] = [
    "t-black",
    "t-red",
    "t-green",
    "t-yellow",
    "t-blue",
    "t-magenta",
    "t-cyan",
    "t-white",
];

/// One of 256 or of all colours, as the nearest of the eight that are readable on light and on dark backgrounds.
fn extended(numbers: &mut impl Iterator<Item = u16>) -> Option<&'static str> {
    match numbers.next()? {
        5 => match numbers.next()? {
            index @ 0..=15 => Some(COLOURS[usize::from(index % 8)]),
            index @ 16..=231 => {
                let cube = index - 16;
                Some(nearest(cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51))
            }
            index => Some(if index < 244 { "t-black" } else { "t-white" }),
        },
        2 => Some(nearest(numbers.next()?, numbers.next()?, numbers.next()?)),
        _ => None,
    }
}

/// By the dominant channels.
fn nearest(red: u16, green: u16, blue: u16) -> &'static str {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most - least < 40 {
        return if most < 128 { "t-black" } else { "t-white" };
    }
    let middle = least + (most - least) / 2;
    let bit = |channel: u16, bit: usize| if channel > middle { bit } else { 0 };
    COLOURS[bit(red, 1) | bit(green, 2) | bit(blue, 4)]
}

/// The text after all overwriting.
#[derive(Default)]
struct Screen {
    done: Vec<String>,
    line: Vec<(char, Style)>,
    /// After a carriage return.
    restart: bool,
    style: Style,
}

impl Perform for Screen {
    fn print(&mut self, character: char) {
        if self.restart {
            self.line.clear();
            self.restart = false;
        }
        self.line.push((character, self.style));
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.end_line(),
            b'\r' => self.restart = true,
            b'\t' => self.print('\t'),
            0x08 => drop(self.line.pop()),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, _: &[u8], ignore: bool, action: u8) {
        if action == b'm' && !ignore {
            let mut numbers: Vec<u16> = params.iter().flatten().copied().collect();
            if numbers.is_empty() {
                numbers.push(0);
            }
            self.style.select(&numbers);
        }
    }
}

impl Screen {
    fn end_line(&mut self) {
        self.restart = false;
        let line = std::mem::take(&mut self.line);
        let mut written = String::new();
        let mut rest = line.as_slice();
        while let Some((_, style)) = rest.first() {
            let length = rest.iter().take_while(|(_, other)| other == style).count();
            let (run, after) = rest.split_at(length);
            let text: String = run.iter().map(|(character, _)| *character).collect();
            let escaped = text.render().into_string();
            if *style == Style::default() {
                written.push_str(&escaped);
            } else {
                // Writing to a string does not fail.
                let _ = write!(
                    written,
                    "<span class=\"{}\">{escaped}</span>",
                    style.classes()
                );
            }
            rest = after;
        }
        self.done.push(written);
    }

    fn finish(mut self) -> Vec<String> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        coloured(text).into_string()
    }

    #[test]
    fn colours_are_classes_and_text_is_escaped() {
        assert_eq!(
            shown("a \u{1b}[1;91mbad\u{1b}[0m <script>\n"),
            "a <span class=\"t-red t-bold\">bad</span> &lt;script&gt;"
        );
        assert_eq!(
            shown("\u{1b}[38;5;28mdef\u{1b}[39m x"),
            "<span class=\"t-green\">def</span> x"
        );
        assert_eq!(
            shown("\u{1b}[38;2;200;30;30mr\u{1b}[m"),
            "<span class=\"t-red\">r</span>"
        );
    }

    #[test]
    fn what_is_no_colour_is_left_out() {
        assert_eq!(shown("\u{1b}[2K\u{1b}]0;title\u{7}x\u{1b}[999;\"m"), "x");
    }

    #[test]
    fn of_a_progress_bar_the_last_state_is_shown() {
        assert_eq!(shown("10%\r50%\r100%\ndone\r\n"), "100%\ndone");
    }

    #[test]
    fn every_line_is_whole_in_itself() {
        assert_eq!(
            lines("\u{1b}[31ma\nb"),
            [
                "<span class=\"t-red\">a</span>",
                "<span class=\"t-red\">b</span>"
            ]
        );
    }

    #[test]
    fn long_output_is_folded_and_bounded() {
        let text = "line\n".repeat(10_000);
        let page = output("out", &text).into_string();
        assert!(page.contains("4000 more lines"), "{}", &page[..400]);
        assert!(page.contains("5970 more lines"));
        assert_eq!(
            output("out", "a\nb").into_string(),
            "<pre class=\"out\">a\nb</pre>"
        );
    }
}
