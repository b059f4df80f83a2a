//! `condition_task`: compares two values.

use serde_json::json;

use super::work::{Ending, Task, TaskError};
use crate::runner::references;

pub(super) fn run(task: &Task) -> Result<Ending, TaskError> {
    let declared = &task.task_run.settings["condition_task"];
    let side = |name: &str| {
        let template = declared[name].as_str().unwrap_or_default();
        task.resolve(|context| references::fill(template, context))
    };
    let (left, right) = (side("left")?, side("right")?);
    task.begin(&json!({"left": left, "right": right}))?;
    let operator = declared["op"].as_str().unwrap_or_default();
    match holds(&left, operator, &right) {
        Ok(outcome) => {
            task.app.store.set_outcome(task.task_run.run_id, outcome)?;
            Ok(Ending::Success)
        }
        Err(why) => {
            task.fail_with(why)?;
            Ok(Ending::Failed)
        }
    }
}

/// Equality compares texts, so `12.0` is not `12`; everything else compares numbers.
fn holds(left: &str, operator: &str, right: &str) -> Result<bool, String> {
    match operator {
        "EQUAL_TO" => return Ok(left == right),
        "NOT_EQUAL" => return Ok(left != right),
        _ => {}
    }
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .map_err(|_| format!("{operator} compares numbers, and {text:?} is none"))
    };
    let (left, right) = (number(left)?, number(right)?);
    match operator {
        "GREATER_THAN" => Ok(left > right),
        "GREATER_THAN_OR_EQUAL" => Ok(left >= right),
        "LESS_THAN" => Ok(left < right),
        "LESS_THAN_OR_EQUAL" => Ok(left <= right),
        _ => Err(format!("there is no operator {operator:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_of_texts_and_order_of_numbers() {
        for (left, operator, right, expected) in [
            ("12", "EQUAL_TO", "12", true),
            ("12", "EQUAL_TO", "12.0", false),
            ("a", "NOT_EQUAL", "b", true),
            ("10", "GREATER_THAN", "9", true),
            ("0.90", "GREATER_THAN_OR_EQUAL", "0.9", true),
            ("-1", "LESS_THAN", "-2", false),
            ("1e3", "LESS_THAN_OR_EQUAL", "1000", true),
        ] {
            assert_eq!(
                holds(left, operator, right),
                Ok(expected),
                "{left} {operator} {right}"
            );
        }
        assert!(
            holds("x", "LESS_THAN", "1")
                .unwrap_err()
                .contains("\"x\" is none")
        );
    }
}
