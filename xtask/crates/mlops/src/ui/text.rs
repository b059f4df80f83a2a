//! Untrusted text on a terminal: escape sequences are shown, not obeyed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Targets of our own hyperlinks; untrusted text cannot make any.
static OURS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A word that leads to a page (OSC 8).
pub(super) fn link(target: &str, word: &str) -> String {
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    ours.insert(target.to_owned());
    format!("\u{1b}]8;;{target}\u{1b}\\{word}\u{1b}]8;;\u{1b}\\")
}

/// The filter for everything that goes to the terminal: colours and our own links stay; sequences that move
/// the cursor, hide text, link elsewhere, set a title or change the text direction are escaped.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    // A line that overwrites itself (a progress bar) becomes separate lines.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        let ours = match character {
            '\u{1b}' => sequence(rest),
            _ => None,
        };
        let length = match ours {
            Some(length) => {
                out.push_str(&rest[..length]);
                length
            }
            None if is_unsafe(character) => {
                out.extend(character.escape_unicode());
                character.len_utf8()
            }
            None => {
                out.push(character);
                character.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

/// The length of a harmless sequence: a colour (`ESC [ 1 ; 32 m`), or one end of a link (`ESC ] 8 ; ;
/// address ESC \`) that we have made.
fn sequence(text: &str) -> Option<usize> {
    if let Some(colour) = text.strip_prefix("\u{1b}[") {
        let digits = colour
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b';')
            .count();
        let is_colour = colour[digits..].starts_with('m') && !hides(&colour[..digits]);
        return is_colour.then_some(2 + digits + 1);
    }
    let link = text.strip_prefix("\u{1b}]8;;")?;
    let end = link.find("\u{1b}\\")?;
    let target = &link[..end];
    let ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    let ours = target.is_empty() || ours.contains(target);
    let plain = ours && !target.chars().any(is_unsafe);
    plain.then_some("\u{1b}]8;;".len() + end + "\u{1b}\\".len())
}

/// Whether a colour's parameters hide what follows: 8 (conceal), where it is not part of a colour
/// (`38;5;8`).
fn hides(parameters: &str) -> bool {
    let mut parameters = parameters.split(';');
    while let Some(parameter) = parameters.next() {
        match (parameter, parameter.parse()) {
            ("38" | "48" | "58", _) => {
                let more = match parameters.next() {
                    Some("5") => 1,
                    Some("2") => 3,
                    _ => 0,
                };
                parameters.by_ref().take(more).for_each(drop);
            }
            (_, Ok(8_u64)) => return true,
            _ => {}
        }
    }
    false
}

/// JSON with control characters escaped as JSON escapes them, so that it parses to the same value.
pub(super) fn json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match is_unsafe(character) {
            true => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
            false => escaped.push(character),
        }
    }
    escaped
}

/// Untrusted text with all control sequences escaped. Newlines stay.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_unsafe(character) {
            true => safe.extend(character.escape_unicode()),
            false => safe.push(character),
        }
    }
    Cow::Owned(safe)
}

/// The same on one line.
pub(crate) fn safe_line(text: &str) -> String {
    safe(text).replace(['\n', '\t'], " ")
}

fn is_unsafe(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t')) || is_direction(character)
}

/// Characters that change the text direction or are invisible: text could read differently than it is.
fn is_direction(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_does_nothing() {
        assert_eq!(safe("plain, ünicode, 🚕\n"), "plain, ünicode, 🚕\n");
        assert_eq!(safe("\u{1b}[2Jx\u{7}"), "\\u{1b}[2Jx\\u{7}");
        assert_eq!(safe("a\u{202e}b\u{9b}"), "a\\u{202e}b\\u{9b}");
        assert_eq!(safe_line("a\nb"), "a b");
    }

    #[test]
    fn json_reads_back_the_same() {
        let hostile = "a\u{202e}b\u{9b}c\u{7f}d\u{e0041}";
        let written = json(&serde_json::to_string(hostile).unwrap_or_default());
        assert!(!written.chars().any(is_unsafe), "{written:?}");
        assert_eq!(
            serde_json::from_str::<String>(&written).ok().as_deref(),
            Some(hostile)
        );
    }

    #[test]
    fn only_our_own_sequences_reach_the_terminal() {
        let ours = format!(
            "\u{1b}[1;32mok\u{1b}[38;5;8m\u{1b}[0m {}",
            link("http://x/", "link")
        );
        assert_eq!(harmless(&ours), ours);
        assert_eq!(harmless("10 %\r20 %\r\n"), "10 %\n20 %\n");
        for bad in [
            "\u{1b}[2J",
            "\u{1b}[1A",
            "\u{1b}]0;title\u{7}",
            "\u{1b}]8;;x\u{7}\u{1b}\\",
            "\u{1b}]8;;https://elsewhere.example/\u{1b}\\",
            "\u{1b}[8m",
            "\u{1b}[1;08m",
            "\u{1b}P1\u{1b}\\",
            "\r",
            "\u{8}",
            "\u{202e}",
            "\u{1b}",
        ] {
            let shown = harmless(bad);
            assert!(
                !shown.chars().any(|c| c == '\u{1b}' || is_unsafe(c)),
                "{shown:?}"
            );
        }
    }
}
