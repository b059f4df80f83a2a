//! The value of a metric: any number, those that JSON has no way to write among them.

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The value of a metric.
///
/// It is read as servers write it: a number, or text (`"NaN"`, `"-Infinity"`, `"0.5"`), as JSON has no other way to
/// write some of them. It is written in the same way, so that it reads back, and shown with four decimals.
#[derive(Debug, Clone, Copy)]
pub struct MetricValue(f64);

impl MetricValue {
    /// A value. The largest number there is stands for infinity, which MLflow's database cannot hold.
    #[must_use]
    pub fn new(value: f64) -> MetricValue {
        match value.abs() >= f64::MAX {
            true => MetricValue(f64::INFINITY.copysign(value)),
            false => MetricValue(value),
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

/// The same text on each screen is the same value: NaN equals itself.
impl PartialEq for MetricValue {
    fn eq(&self, other: &MetricValue) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}

impl Eq for MetricValue {}

impl From<f64> for MetricValue {
    fn from(value: f64) -> MetricValue {
        MetricValue::new(value)
    }
}

/// `2.3405`, `NaN`, `-inf`; from 1e9 and below 1e-4 `1.797e308`.
impl fmt::Display for MetricValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        let text = match size {
            _ if !self.0.is_finite() => self.0.to_string(),
            0.0 | 1e-4..1e9 => format!("{:.4}", self.0),
            _ => format!("{:.3e}", self.0),
        };
        f.pad(&text)
    }
}

impl Serialize for MetricValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_finite() => serializer.serialize_f64(value),
            value if value.is_nan() => serializer.serialize_str("NaN"),
            value if value > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }
}

impl<'de> Deserialize<'de> for MetricValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MetricValue, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

/// Reads a number, or a text or null in place of one. What says no number is none: one value that cannot be read must
/// not hide all the others.
struct AnyNumber;

impl Visitor<'_> for AnyNumber {
    type Value = MetricValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<MetricValue, E> {
        Ok(MetricValue::new(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
    fn visit_i64<E>(self, value: i64) -> Result<MetricValue, E> {
        Ok(MetricValue::new(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
    fn visit_u64<E>(self, value: u64) -> Result<MetricValue, E> {
        Ok(MetricValue::new(value as f64))
    }

    fn visit_str<E>(self, text: &str) -> Result<MetricValue, E> {
        Ok(MetricValue::new(text.trim().parse().unwrap_or(f64::NAN)))
    }

    fn visit_unit<E>(self) -> Result<MetricValue, E> {
        Ok(MetricValue(f64::NAN))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> MetricValue {
        serde_json::from_value(value).expect("a value")
    }

    #[test]
    fn every_number_is_read_shown_and_written_so_that_it_reads_back() {
        for (found, shown, written) in [
            (json!(2.5), "2.5000", json!(2.5)),
            (json!(7), "7.0000", json!(7.0)),
            (json!(-3), "-3.0000", json!(-3.0)),
            (json!("0.125"), "0.1250", json!(0.125)),
            (json!("1e3"), "1000.0000", json!(1000.0)),
            (json!("NaN"), "NaN", json!("NaN")),
            (json!("nan"), "NaN", json!("NaN")),
            (json!(null), "NaN", json!("NaN")),
            (json!("unknown"), "NaN", json!("NaN")),
            (json!("Infinity"), "inf", json!("Infinity")),
            (json!("-Infinity"), "-inf", json!("-Infinity")),
            (json!(f64::MAX), "inf", json!("Infinity")),
            (json!(f64::MIN), "-inf", json!("-Infinity")),
            (json!(1.5e308), "1.500e308", json!(1.5e308)),
            (json!(1e9), "1.000e9", json!(1e9)),
            (
                json!(-123_456_789.0),
                "-123456789.0000",
                json!(-123_456_789.0),
            ),
            (json!(1e-4), "0.0001", json!(1e-4)),
            (json!(-0.000_012_34), "-1.234e-5", json!(-0.000_012_34)),
            (json!(0), "0.0000", json!(0.0)),
        ] {
            let value = read(found.clone());
            assert_eq!(value.to_string(), shown, "{found}");
            assert_eq!(serde_json::to_value(value).ok(), Some(written), "{found}");
            let text = serde_json::to_string(&value).expect("JSON");
            assert_eq!(serde_json::from_str::<MetricValue>(&text).ok(), Some(value));
        }
        assert_eq!(format!("{:>8}|", read(json!("NaN"))), "     NaN|");
    }
}
