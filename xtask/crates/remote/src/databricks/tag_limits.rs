//! What Unity Catalog refuses of the tags of an object.

use std::collections::BTreeMap;

/// The most tags of one object.
pub const MOST: usize = 50;
/// The most characters of a tag's key, and of its value.
pub const LONGEST_KEY: usize = 255;
/// The most characters of a tag's value.
pub const LONGEST_VALUE: usize = 1000;
/// Characters that a key must not have.
const FORBIDDEN: [char; 6] = ['.', ',', '-', '=', '/', ':'];

/// Why an object cannot have these tags, in words that follow "its tags"; `None` where it can.
#[must_use]
pub fn refused(tags: &BTreeMap<String, String>) -> Option<String> {
    if tags.len() > MOST {
        return Some(format!(
            "are {}, and Unity Catalog keeps {MOST} at most",
            tags.len()
        ));
    }
    tags.iter()
        .find_map(|(key, value)| Some(format!("include '{key}', whose {}", objection(key, value)?)))
}

fn objection(key: &str, value: &str) -> Option<String> {
    let padded = |text: &str| text.starts_with(' ') || text.ends_with(' ');
    if key.is_empty() || key.chars().count() > LONGEST_KEY {
        return Some(format!("key has not 1 to {LONGEST_KEY} characters"));
    }
    if key.contains(FORBIDDEN) {
        return Some("key has one of . , - = / :".to_owned());
    }
    if value.chars().count() > LONGEST_VALUE {
        return Some(format!("value has more than {LONGEST_VALUE} characters"));
    }
    (padded(key) || padded(value)).then(|| "key or value begins or ends with a space".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_told() {
        let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        for (tags, expected) in [
            (one("a.b", ""), "one of"),
            (one("a-b", ""), "one of"),
            (one("", ""), "1 to 255"),
            (one(&"ä".repeat(256), ""), "1 to 255"),
            (one("a", &"ä".repeat(1001)), "more than 1000"),
            (one(" a", ""), "a space"),
            (one("a", "b "), "a space"),
            (
                (0..51).map(|n| (format!("k{n}"), String::new())).collect(),
                "are 51",
            ),
        ] {
            let why = refused(&tags).unwrap();
            assert!(why.contains(expected), "{why}");
        }
        let fits = (0..50).map(|n| (format!("k {n}"), "ä".repeat(1000)));
        assert_eq!(refused(&fits.collect()), None);
    }
}
