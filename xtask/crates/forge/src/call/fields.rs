//! The fields of a request body; a value of the wrong type is refused in GitHub's words.

use serde_json::Value;

use crate::refusal::Refusal;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    pub(crate) fn new(value: &'a Value) -> Fields<'a> {
        Fields(value)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// `None` if missing or null.
    fn read<T>(
        &self,
        name: &str,
        kind: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let read = |value| read(value).ok_or_else(|| wrong(name, value, kind));
        self.get(name).map(read).transpose()
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.read(name, "string", Value::as_str)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// One of the values that GitHub allows.
    pub(crate) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, Refusal> {
        let text = self.text(name)?;
        match text {
            Some(text) if !allowed.contains(&text) => Err(Refusal::unprocessable(format!(
                "Invalid request.\n\nFor 'properties/{name}', \"{text}\" is not a member of {allowed:?}."
            ))),
            text => Ok(text),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.read(name, "boolean", Value::as_bool)
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.read(name, "integer", Value::as_i64)
    }

    /// Empty if missing.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        let items = value
            .as_array()
            .ok_or_else(|| wrong(name, value, "array"))?;
        let text = |item: &Value| {
            item.as_str()
                .map(str::to_owned)
                .ok_or_else(|| wrong(name, item, "string"))
        };
        items.iter().map(text).collect()
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields<'a>>, Refusal> {
        self.read(name, "object", |value| {
            value.is_object().then_some(Fields(value))
        })
    }

    /// Empty if missing.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Refusal> {
        let items = self.read(name, "array", Value::as_array)?;
        Ok(items.into_iter().flatten().map(Fields).collect())
    }

    pub(crate) fn any(&self, name: &str) -> Option<&'a Value> {
        self.get(name)
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::unprocessable(format!("Invalid request.\n\n\"{name}\" wasn't supplied."))
}

fn wrong(name: &str, value: &Value, kind: &str) -> Refusal {
    let article = if kind.starts_with(['a', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    Refusal::unprocessable(format!(
        "Invalid request.\n\nFor 'properties/{name}', {value} is not {article} {kind}."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_wrong_kind_is_named() {
        let body = serde_json::json!({"draft": "yes", "labels": [1], "title": null});
        let fields = Fields::new(&body);
        let said = fields.flag("draft").unwrap_err().message;
        assert_eq!(
            said,
            "Invalid request.\n\nFor 'properties/draft', \"yes\" is not a boolean."
        );
        assert!(fields.texts("labels").is_err());
        assert_eq!(fields.text("title").unwrap(), None);
        assert_eq!(
            fields.required("base").unwrap_err().message,
            "Invalid request.\n\n\"base\" wasn't supplied."
        );
    }
}
