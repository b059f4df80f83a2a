//! `condition_task`: compares two values.

use serde_json::json;

use super::work::{Ending, Task, TaskError};
use crate::jobs::{Condition, Operator};
use crate::runner::references;

pub(super) fn run(task: &Task, declared: &Condition) -> Result<Ending, TaskError> {
    let side = |template: &str| task.resolve(|context| references::fill(template, context));
    let (left, right) = (side(&declared.left)?, side(&declared.right)?);
    task.begin(&json!({"left": left, "right": right}))?;
    match holds(&left, declared.op, &right) {
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

/// Equality compares strings, so `12.0` is not `12`; everything else compares numbers.
fn holds(left: &str, operator: Operator, right: &str) -> Result<bool, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<f64>();
        number.map_err(|_| format!("cannot compare: {text:?} is not a number"))
    };
    let compare = |holds: fn(&f64, &f64) -> bool| Ok(holds(&number(left)?, &number(right)?));
    match operator {
        Operator::EqualTo => Ok(left == right),
        Operator::NotEqual => Ok(left != right),
        Operator::GreaterThan => compare(f64::gt),
        Operator::GreaterThanOrEqual => compare(f64::ge),
        Operator::LessThan => compare(f64::lt),
        Operator::LessThanOrEqual => compare(f64::le),
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_of_texts_and_order_of_numbers() {
        for (left, operator, right, expected) in [
            ("12", Operator::EqualTo, "12", true),
            ("12", Operator::EqualTo, "12.0", false),
            ("a", Operator::NotEqual, "b", true),
            ("10", Operator::GreaterThan, "9", true),
            ("0.90", Operator::GreaterThanOrEqual, "0.9", true),
            ("-1", Operator::LessThan, "-2", false),
            ("1e3", Operator::LessThanOrEqual, "1000", true),
        ] {
            assert_eq!(
                holds(left, operator, right),
                Ok(expected),
                "{left} {operator:?} {right}"
            );
        }
        assert!(
            holds("x", Operator::LessThan, "1")
                .unwrap_err()
                .contains("\"x\" is not a number")
        );
    }
}
