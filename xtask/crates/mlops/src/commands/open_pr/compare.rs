//! GitHub's page for a new pull request, with title and description filled in: the way without a token.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use xtask_remote::github::repositories::Name;

use super::text::Text;

/// Longer addresses are refused by GitHub's servers.
const LONGEST: usize = 7_500;

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const IN_PATH: &AsciiSet = &PLAIN.remove(b'/');

/// The page's address. A description that is too long for it is cut.
pub(super) fn url(web: &str, into: &Name, base: &str, head: &str, text: &Text) -> String {
    let start = format!(
        "{web}/{into}/compare/{}...{}?quick_pull=1&title={}",
        utf8_percent_encode(base, IN_PATH),
        // `owner:branch`: the colon is part of the form.
        utf8_percent_encode(head, IN_PATH)
            .to_string()
            .replacen("%3A", ":", 1),
        utf8_percent_encode(&text.title, PLAIN),
    );
    if text.body.is_empty() {
        return start;
    }
    let room = LONGEST.saturating_sub(start.len() + "&body=".len());
    let mut body = String::new();
    for character in text.body.chars() {
        let mut one = [0; 4];
        let escaped = utf8_percent_encode(character.encode_utf8(&mut one), PLAIN).to_string();
        if body.len() + escaped.len() > room {
            break;
        }
        body.push_str(&escaped);
    }
    format!("{start}&body={body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_and_nothing_is_too_long() {
        let text = Text {
            title: "a & b #1 + ü?".to_owned(),
            body: "x\ny".to_owned(),
        };
        let into = Name::parse("o/r").unwrap();
        let url = super::url("https://github.com", &into, "main", "me:fix/it", &text);
        assert_eq!(
            url,
            "https://github.com/o/r/compare/main...me:fix/it?quick_pull=1\
             &title=a%20%26%20b%20%231%20%2B%20%C3%BC%3F&body=x%0Ay"
        );
        let long = Text {
            body: "ü".repeat(9000),
            ..text
        };
        let url = super::url("https://github.com", &into, "main", "me:fix/it", &long);
        assert!(url.len() <= LONGEST && url.len() > LONGEST - 12 && url.ends_with("%BC"));
    }
}
