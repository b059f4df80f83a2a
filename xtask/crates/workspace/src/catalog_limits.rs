//! Unity Catalog's documented limits for names, tags and aliases, in one table: a deployment that a local target
//! accepts must not fail for them in production.

use crate::error::ApiError;

const MOST_TAGS: usize = 50;

/// What a text is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Name of a catalog, schema, volume or registered model.
    Name,
    Alias,
    TagKey,
    TagValue,
}

impl Text {
    fn shown(self) -> &'static str {
        match self {
            Text::Name => "name",
            Text::Alias => "alias",
            Text::TagKey => "tag key",
            Text::TagValue => "tag value",
        }
    }
}

/// What it applies to, its message, and whether a text breaks it.
struct Limit(Text, &'static str, fn(&str) -> bool);

const LIMITS: &[Limit] = &[
    Limit(Text::Name, "must have 1 to 255 characters", |text| {
        !has(text, 1, 255)
    }),
    Limit(
        Text::Name,
        "must not contain periods, spaces, slashes or control characters",
        |text| {
            text.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '.' | '/'))
        },
    ),
    Limit(Text::Alias, "must have 1 to 255 characters", |text| {
        !has(text, 1, 255)
    }),
    Limit(
        Text::Alias,
        "must have letters, digits, underscores and hyphens only",
        |text| {
            !text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        },
    ),
    Limit(Text::Alias, "is reserved", |text| {
        let number = text.strip_prefix(['v', 'V']).unwrap_or_default();
        let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        is_number || text.eq_ignore_ascii_case("latest")
    }),
    Limit(Text::TagKey, "must have 1 to 255 characters", |text| {
        !has(text, 1, 255)
    }),
    Limit(
        Text::TagKey,
        "must not contain any of . , - = / :",
        |text| text.contains(['.', ',', '-', '=', '/', ':']),
    ),
    Limit(
        Text::TagKey,
        "must not begin or end with a space",
        is_padded,
    ),
    Limit(
        Text::TagValue,
        "must have at most 1000 characters",
        |text| !has(text, 0, 1000),
    ),
    Limit(
        Text::TagValue,
        "must not begin or end with a space",
        is_padded,
    ),
];

fn has(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count())
}

fn is_padded(text: &str) -> bool {
    text.starts_with(' ') || text.ends_with(' ')
}

pub(crate) fn check(kind: Text, text: &str) -> Result<(), ApiError> {
    let broken = LIMITS
        .iter()
        .find(|Limit(of, _, breaks)| *of == kind && breaks(text));
    match broken {
        None => Ok(()),
        Some(Limit(_, says, _)) => {
            let start: String = text.chars().take(100).collect();
            let shown = start.escape_debug();
            Err(ApiError::invalid(format!(
                "The {} '{shown}' {says}.",
                kind.shown()
            )))
        }
    }
}

/// Also counts tags: `others` is how many the object has besides.
pub(crate) fn check_tag(key: &str, value: &str, others: usize) -> Result<(), ApiError> {
    check(Text::TagKey, key)?;
    check(Text::TagValue, value)?;
    if others < MOST_TAGS {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "The tag '{key}' would be one too many: an object has at most {MOST_TAGS} tags."
    )))
}

/// Aliases are case-insensitive and stored in lower case.
pub(crate) fn alias(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_told_and_what_is_within_is_taken() {
        let mut told = std::collections::BTreeSet::new();
        for (kind, text, expected) in [
            (Text::Name, String::new(), "1 to 255"),
            (Text::Name, "ä".repeat(256), "1 to 255"),
            (Text::Name, "a.b".into(), "periods"),
            (Text::Name, "a b".into(), "periods"),
            (Text::Name, "a/b".into(), "periods"),
            (Text::Name, "a\u{7f}".into(), "periods"),
            (Text::Alias, String::new(), "1 to 255"),
            (Text::Alias, "a".repeat(256), "1 to 255"),
            (Text::Alias, "to be".into(), "letters"),
            (Text::Alias, "a.b".into(), "letters"),
            (Text::Alias, "Latest".into(), "reserved"),
            (Text::Alias, "v12".into(), "reserved"),
            (Text::TagKey, String::new(), "1 to 255"),
            (Text::TagKey, "ä".repeat(256), "1 to 255"),
            (Text::TagKey, "a.b".into(), "any of"),
            (Text::TagKey, "a,b".into(), "any of"),
            (Text::TagKey, "a-b".into(), "any of"),
            (Text::TagKey, "a=b".into(), "any of"),
            (Text::TagKey, "a/b".into(), "any of"),
            (Text::TagKey, "a:b".into(), "any of"),
            (Text::TagKey, " a".into(), "a space"),
            (Text::TagValue, "ä".repeat(1001), "at most 1000"),
            (Text::TagValue, "a ".into(), "a space"),
        ] {
            let why = check(kind, &text).unwrap_err().message;
            assert!(why.contains(expected), "{why}");
            told.insert((kind.shown(), expected));
        }
        assert_eq!(told.len(), LIMITS.len(), "a row without a test");
        for (kind, text) in [
            (Text::Name, "ä".repeat(255)),
            (Text::Name, "my-model_1".into()),
            (Text::Alias, "Champion-2_é".into()),
            (Text::Alias, "v1x".into()),
            (Text::TagKey, "a b_é".into()),
            (Text::TagValue, "ä".repeat(1000)),
            (Text::TagValue, "a.b,c-d=e/f:g".into()),
            (Text::TagValue, String::new()),
        ] {
            assert!(check(kind, &text).is_ok(), "{kind:?} {text}");
        }
        assert!(check_tag("a", "b", 49).is_ok());
        assert!(
            check_tag("a", "b", 50)
                .unwrap_err()
                .message
                .contains("at most 50")
        );
        assert_eq!(alias("Champion"), "champion");
    }
}
