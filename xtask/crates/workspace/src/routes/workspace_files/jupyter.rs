//! Conversion of notebooks between Jupyter's format and source format, a file with marker comments.

use serde_json::{Value, json};

use super::environment::{block_of, take_block};

/// Databricks' metadata of a cell.
const DATABRICKS_CELL: &str = "application/vnd.databricks.v1+cell";
const DATABRICKS_NOTEBOOK: &str = "application/vnd.databricks.v1+notebook";
const ENVIRONMENT: &str = "environmentMetadata";
const MARKDOWN: &str = "%md";

#[derive(Debug, PartialEq)]
pub(super) struct Jupyter(Value);

impl Jupyter {
    /// An error says why it is not a notebook.
    pub(super) fn parse(content: &[u8]) -> Result<Jupyter, String> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let value: Value = serde_json::from_slice(content).map_err(|error| error.to_string())?;
        if value["nbformat"]
            .as_u64()
            .is_some_and(|version| version < 4)
        {
            return Err(
                "it is in a format older than nbformat 4; open and save it with Jupyter".to_owned(),
            );
        }
        if value["cells"].is_array() {
            Ok(Jupyter(value))
        } else {
            Err("it has no list of cells".to_owned())
        }
    }

    /// Whether stored content is in this format: source format begins with a comment.
    pub(super) fn is(content: &[u8]) -> bool {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        content.trim_ascii_start().first() == Some(&b'{')
    }

    /// As the API spells it; Python by default.
    pub(super) fn language(&self) -> &'static str {
        let metadata = &self.0["metadata"];
        let said = [
            &metadata[DATABRICKS_NOTEBOOK]["language"],
            &metadata["kernelspec"]["language"],
            &metadata["language_info"]["name"],
        ];
        let said = said.into_iter().find_map(Value::as_str);
        match said.unwrap_or_default().to_ascii_lowercase().as_str() {
            "sql" => "SQL",
            "scala" => "SCALA",
            "r" => "R",
            _ => "PYTHON",
        }
    }

    pub(super) fn to_source(&self) -> String {
        let comment = comment_of(self.language());
        let cells = self.0["cells"].as_array().into_iter().flatten();
        let cells: Vec<String> = cells
            .filter_map(|cell| source_of_cell(cell, comment))
            .collect();
        let environment = &self.0["metadata"][DATABRICKS_NOTEBOOK][ENVIRONMENT];
        format!(
            "{}\n{}{}\n",
            header(self.language()),
            block_of(environment, comment),
            cells.join(&format!("\n\n{comment} COMMAND ----------\n\n"))
        )
    }

    pub(super) fn from_source(source: &str, language: &str, name: &str) -> Jupyter {
        let comment = comment_of(language);
        let separator = format!("{comment} COMMAND ----------");
        let body = source
            .strip_prefix(&header(language))
            .unwrap_or(source)
            .trim_start_matches('\r');
        let mut cells = vec![Vec::new()];
        for line in body.lines() {
            match cells.last_mut() {
                Some(cell) if line.trim_end() != separator => cell.push(line),
                _ => cells.push(Vec::new()),
            }
        }
        let environment = cells
            .first_mut()
            .and_then(|lines| take_block(lines, comment));
        let cells = cells
            .iter()
            .filter_map(|lines| cell_of_source(lines, comment));
        let language = language.to_ascii_lowercase();
        let mut notebook = json!({"language": language, "notebookName": name});
        if let Some(environment) = environment {
            notebook[ENVIRONMENT] = environment;
        }
        Jupyter(json!({
            "cells": cells.collect::<Vec<Value>>(),
            "metadata": {
                DATABRICKS_NOTEBOOK: notebook,
                "kernelspec": {"display_name": language, "language": language, "name": language},
                "language_info": {"name": language},
            },
            "nbformat": 4,
            "nbformat_minor": 0,
        }))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        format!("{:#}\n", self.0).into_bytes()
    }
}

/// First line of source format.
pub(super) fn header(language: &str) -> String {
    format!("{} Databricks notebook source", comment_of(language))
}

fn comment_of(language: &str) -> &'static str {
    match language {
        "SQL" => "--",
        "SCALA" => "//",
        _ => "#",
    }
}

fn source_of_cell(cell: &Value, comment: &str) -> Option<String> {
    let text = text_of(&cell["source"]);
    let text = text.trim_matches('\n');
    let text = match cell["cell_type"].as_str() {
        Some("code") => text.to_owned(),
        Some("markdown") if text.starts_with(MARKDOWN) => text.to_owned(),
        Some("markdown") => format!("{MARKDOWN}\n{text}"),
        _ => return None,
    };
    let mut lines = Vec::new();
    if let Some(title) = cell["metadata"][DATABRICKS_CELL]["title"].as_str()
        && !title.is_empty()
    {
        lines.push(format!("{comment} DBTITLE 1,{}", title.replace('\n', " ")));
    }
    // Like Databricks: a cell that begins with a magic is commented out completely.
    let is_magic = text.trim_start().starts_with('%');
    lines.extend(text.lines().map(|line| match (is_magic, line) {
        (false, line) => line.to_owned(),
        (true, "") => format!("{comment} MAGIC"),
        (true, line) => format!("{comment} MAGIC {line}"),
    }));
    Some(lines.join("\n"))
}

fn cell_of_source(lines: &[&str], comment: &str) -> Option<Value> {
    let (magic, title_mark) = (format!("{comment} MAGIC"), format!("{comment} DBTITLE 1,"));
    let mut title = None;
    let mut kept = Vec::new();
    for line in lines {
        match (line.strip_prefix(&title_mark), line.strip_prefix(&magic)) {
            (Some(found), _) if title.is_none() => title = Some(found.trim()),
            (_, Some("")) => kept.push(""),
            (_, Some(rest)) if rest.starts_with(' ') => kept.push(&rest[1..]),
            _ => kept.push(line),
        }
    }
    let text = kept.join("\n");
    let text = text.trim_matches('\n');
    if text.trim().is_empty() {
        return None;
    }
    let metadata = title.map_or_else(
        || json!({}),
        |title| json!({DATABRICKS_CELL: {"title": title, "showTitle": true}}),
    );
    let markdown = text
        .strip_prefix(MARKDOWN)
        .filter(|rest| rest.starts_with([' ', '\n']));
    Some(match markdown {
        Some(rest) => {
            let source = lines_of(rest.trim_start());
            json!({"cell_type": "markdown", "metadata": metadata, "source": source})
        }
        None => json!({
            "cell_type": "code", "execution_count": null, "metadata": metadata, "outputs": [], "source": lines_of(text),
        }),
    })
}

/// Jupyter stores text as a string or a list of lines.
fn text_of(source: &Value) -> String {
    match source {
        Value::String(text) => text.replace("\r\n", "\n"),
        Value::Array(lines) => lines
            .iter()
            .filter_map(Value::as_str)
            .collect::<String>()
            .replace("\r\n", "\n"),
        _ => String::new(),
    }
}

fn lines_of(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n# MAGIC\n# MAGIC text\n\n\
        # COMMAND ----------\n\n# DBTITLE 1,Set it\nx = 1\n\nprint(x)\n\n\
        # COMMAND ----------\n\n# MAGIC %run ./Other $a=\"1\"\n";

    #[test]
    fn a_notebook_comes_back_from_either_format_as_it_was() {
        let jupyter = Jupyter::from_source(SOURCE, "PYTHON", "Main");
        assert_eq!(jupyter.0["cells"][0]["cell_type"], "markdown");
        assert_eq!(
            jupyter.0["cells"][0]["source"],
            json!(["# Title\n", "\n", "text"])
        );
        assert_eq!(
            jupyter.0["cells"][1]["source"],
            json!(["x = 1\n", "\n", "print(x)"])
        );
        assert_eq!(
            jupyter.0["cells"][2]["source"],
            json!(["%run ./Other $a=\"1\""])
        );
        assert_eq!(jupyter.to_source(), SOURCE);
        let again = Jupyter::parse(&jupyter.into_bytes()).unwrap();
        assert_eq!(
            again,
            Jupyter::from_source(&again.to_source(), "PYTHON", "Main")
        );
    }

    const BLOCK: &str = "# /// script\n# [tool.databricks.environment]\n# environment_version = \"5\"\n\
        # dependencies = [\n#   \"cowsay\",\n#   \"x; python_version > \\\"3\\\"\",\n# ]\n# ///\n";

    #[test]
    fn the_environment_comes_back_from_either_format() {
        let source = SOURCE.replacen('\n', &format!("\n{BLOCK}"), 1);
        let jupyter = Jupyter::from_source(&source, "PYTHON", "Main");
        assert_eq!(jupyter.0["cells"][0]["cell_type"], "markdown");
        assert_eq!(
            jupyter.0["metadata"][DATABRICKS_NOTEBOOK][ENVIRONMENT],
            json!({"base_environment": "", "environment_version": "5",
                "dependencies": ["cowsay", "x; python_version > \"3\""]})
        );
        assert_eq!(jupyter.to_source(), source);
        // Alone in its cell, with the line ends of Windows.
        let alone = format!("# Databricks notebook source\n{BLOCK}\n# COMMAND ----------\n\n1\n");
        let jupyter = Jupyter::from_source(&alone.replace('\n', "\r\n"), "PYTHON", "Main");
        assert_eq!(jupyter.0["cells"].as_array().unwrap().len(), 1);
        assert_eq!(
            jupyter.to_source(),
            format!("# Databricks notebook source\n{BLOCK}1\n")
        );
    }

    #[test]
    fn a_block_that_metadata_cannot_hold_stays_in_its_cell() {
        for text in [
            "# requires-python = \">=3.12\"\n# [tool.databricks.environment]\n# client = \"1\"",
            "# [tool.databricks.environment]\n# environment_version = 5",
            "# no TOML",
        ] {
            let source =
                format!("# Databricks notebook source\n# /// script\n{text}\n# ///\nx = 1\n");
            let jupyter = Jupyter::from_source(&source, "PYTHON", "Main");
            assert!(jupyter.0["metadata"][DATABRICKS_NOTEBOOK][ENVIRONMENT].is_null());
            assert_eq!(jupyter.to_source(), source);
        }
    }

    #[test]
    fn other_languages_have_their_own_comments() {
        let sql = "-- Databricks notebook source\nSELECT 1\n\n-- COMMAND ----------\n\n-- MAGIC %python\n-- MAGIC x = 1\n";
        let jupyter = Jupyter::from_source(sql, "SQL", "q");
        assert_eq!(
            (jupyter.language(), jupyter.to_source()),
            ("SQL", sql.to_owned())
        );
    }

    #[test]
    fn what_jupyter_itself_writes_is_read() {
        let text = "\u{feff}{\"nbformat\": 4, \"metadata\": {\"kernelspec\": {\"language\": \"python\"}}, \"cells\": [\
            {\"cell_type\": \"code\", \"source\": \"%pip install x\\nimport x\"}, {\"cell_type\": \"raw\", \"source\": \"y\"}]}";
        let jupyter = Jupyter::parse(text.as_bytes()).unwrap();
        assert!(Jupyter::is(text.as_bytes()));
        assert_eq!(
            jupyter.to_source(),
            "# Databricks notebook source\n# MAGIC %pip install x\n# MAGIC import x\n"
        );
        for (content, why) in [
            ("[]", "no list of cells"),
            ("{\"nbformat\": 3}", "older"),
            ("{", "EOF"),
        ] {
            let error = Jupyter::parse(content.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
