//! Detection of notebooks: Databricks decides by extension and first line, and drops the extension.

use super::jupyter::Jupyter;

/// Extension, language and first line of source format.
const SOURCES: [(&str, &str, &str); 4] = [
    (".py", "PYTHON", "# Databricks notebook source"),
    (".sql", "SQL", "-- Databricks notebook source"),
    (".scala", "SCALA", "// Databricks notebook source"),
    (".r", "R", "# Databricks notebook source"),
];

/// A file that is imported as a notebook.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notebook<'n> {
    /// Without the extension.
    pub(super) name: &'n str,
    /// As the API spells it.
    pub(super) language: &'static str,
}

/// `None` for a plain file.
pub(super) fn detect<'n>(name: &'n str, content: &[u8]) -> Option<Notebook<'n>> {
    if let Some(stem) = strip_extension(name, ".ipynb") {
        // An invalid notebook stays a file.
        return Some(Notebook {
            name: stem,
            language: Jupyter::parse(content).ok()?.language(),
        });
    }
    SOURCES.iter().find_map(|(extension, language, header)| {
        let stem = strip_extension(name, extension)?;
        let rest = content.strip_prefix(header.as_bytes())?;
        let ends_there = rest.first().is_none_or(u8::is_ascii_whitespace);
        ends_there.then_some(Notebook {
            name: stem,
            language,
        })
    })
}

fn strip_extension<'n>(name: &'n str, extension: &str) -> Option<&'n str> {
    let at = name
        .len()
        .checked_sub(extension.len())
        .filter(|at| *at > 0)?;
    let (stem, found) = (name.get(..at)?, name.get(at..)?);
    found.eq_ignore_ascii_case(extension).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_and_first_line_decide() {
        let header = b"# Databricks notebook source\nprint(1)";
        assert_eq!(
            detect("Train.py", header),
            Some(Notebook {
                name: "Train",
                language: "PYTHON"
            })
        );
        assert_eq!(
            detect("Train.py", b"# Databricks notebook source")
                .unwrap()
                .name,
            "Train"
        );
        assert_eq!(
            detect("q.sql", b"-- Databricks notebook source\r\n")
                .unwrap()
                .language,
            "SQL"
        );
        assert_eq!(detect("x.R", header).unwrap().language, "R");
        assert_eq!(detect("x.ipynb", b"{\"cells\": []}").unwrap().name, "x");
        assert_eq!(detect("x.ipynb", b"{}"), None);
        for (name, content) in [
            ("Train.py", &b"import x\n# Databricks notebook source"[..]),
            ("Train.py", b"# Databricks notebook sources"),
            ("Train", header),
            ("Train.txt", header),
            (".py", header),
            ("q.sql", header),
        ] {
            assert_eq!(detect(name, content), None, "{name}");
        }
    }
}
