//! Cron expressions of the Quartz scheduler, as schedules use them.
//!
//! `croner` evaluates them. It accepts several dialects; what Quartz does not accept is refused here, and differences
//! in notation are rewritten.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Field positions.
const DAY_OF_MONTH: usize = 3;
const DAY_OF_WEEK: usize = 5;
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

#[derive(Debug, Clone)]
pub(crate) struct Quartz {
    cron: Cron,
    zone: TimeZone,
}

impl Quartz {
    /// Fields: seconds, minutes, hours, day of month, month, day of week, and optionally years. An error is a reason.
    pub(crate) fn parse(expression: &str, zone: TimeZone) -> Result<Quartz, String> {
        let mut fields: Vec<&str> = expression.split_whitespace().collect();
        if !matches!(fields.len(), 6 | 7) {
            return Err(format!(
                "it has {} fields, and needs 6 or 7: seconds, minutes, hours, day of month, month, day of week, years",
                fields.len()
            ));
        }
        if (fields[DAY_OF_MONTH] == "?") == (fields[DAY_OF_WEEK] == "?") {
            return Err("exactly one of day of month and day of week must be ?".to_owned());
        }
        if let Some(foreign) = expression.chars().find(|c| matches!(c, '@' | '+')) {
            return Err(format!("{foreign:?} is not allowed"));
        }
        if fields[DAY_OF_MONTH].to_ascii_uppercase().starts_with("L-") {
            return Err(
                "days counted from the end of the month (L-3) are not supported".to_owned(),
            );
        }
        // Days of the week count from 1 for Sunday; L alone is the last one.
        if fields[DAY_OF_WEEK].eq_ignore_ascii_case("L") {
            fields[DAY_OF_WEEK] = "7";
        }
        let numbers = fields[DAY_OF_WEEK].split(|c: char| !c.is_ascii_digit());
        if numbers
            .clone()
            .any(|number| matches!(number, "0" | "8" | "9"))
        {
            return Err("days of the week are 1 (Sunday) to 7 (Saturday)".to_owned());
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Optional)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build();
        let fields: Vec<String> = fields
            .iter()
            .enumerate()
            .map(|(index, field)| unrolled(field, index))
            .collect();
        let cron = parser
            .parse(&fields.join(" "))
            .map_err(|error| error.to_string())?;
        Ok(Quartz { cron, zone })
    }

    pub(crate) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&self.local(time), false);
        found.ok().map(|found| found.timestamp())
    }

    pub(crate) fn up_to(&self, time: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&self.local(time), true);
        found.ok().map(|found| found.timestamp())
    }

    fn local(&self, time: Timestamp) -> Zoned {
        time.to_zoned(self.zone.clone())
    }
}

/// Rewrites wrapping ranges (`22-2`, `FRI-MON`) as lists.
fn unrolled(field: &str, index: usize) -> String {
    let parts = field
        .split(',')
        .map(|part| over_the_end(part, index).unwrap_or_else(|| part.to_owned()));
    parts.collect::<Vec<_>>().join(",")
}

fn over_the_end(part: &str, index: usize) -> Option<String> {
    let (lowest, highest, names): (usize, usize, &[&str]) = match index {
        0 | 1 => (0, 59, &[]),
        2 => (0, 23, &[]),
        DAY_OF_MONTH => (1, 31, &[]),
        4 => (1, 12, &MONTHS),
        DAY_OF_WEEK => (1, 7, &DAYS),
        _ => return None,
    };
    let value = |text: &str| {
        let named = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        named.map(|at| at + lowest).or_else(|| text.parse().ok())
    };
    let (range, step) = part.split_once('/').unwrap_or((part, "1"));
    let (first, last) = range.split_once('-')?;
    let (first, last, step) = (value(first)?, value(last)?, step.parse::<usize>().ok()?);
    if first <= last || first > highest || last < lowest || step == 0 {
        return None;
    }
    let round = highest - lowest + 1;
    let values = (first..=last + round).step_by(step);
    let values = values.map(|value| ((value - lowest) % round + lowest).to_string());
    Some(values.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, zone: &str, after: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let quartz = Quartz::parse(expression, zone.clone())
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        let found = quartz.after(after.parse().unwrap());
        found.map_or("never".to_owned(), |found| {
            found
                .to_zoned(zone)
                .strftime("%Y-%m-%dT%H:%M:%S%:z")
                .to_string()
        })
    }

    #[test]
    fn expressions_mean_what_quartz_means() {
        // A Tuesday.
        let now = "2026-11-24T11:30:15Z";
        for (expression, expected) in [
            ("0 0 9 * * ?", "2026-11-25T09:00:00+00:00"),
            ("0 0/15 * * * ?", "2026-11-24T11:45:00+00:00"),
            ("20 30 * * * ?", "2026-11-24T11:30:20+00:00"),
            ("*/5 * * ? * *", "2026-11-24T11:30:20+00:00"),
            ("0 0 12 ? * 1", "2026-11-29T12:00:00+00:00"),
            ("0 0 12 ? * SUN", "2026-11-29T12:00:00+00:00"),
            ("0 0 12 ? * 7", "2026-11-28T12:00:00+00:00"),
            ("0 0 12 ? * L", "2026-11-28T12:00:00+00:00"),
            ("0 0 12 ? * MON-FRI", "2026-11-24T12:00:00+00:00"),
            ("0 0 12 ? * 2-6", "2026-11-24T12:00:00+00:00"),
            ("0 0 12 ? * 6L", "2026-11-27T12:00:00+00:00"),
            ("0 0 12 ? * FRIL", "2026-11-27T12:00:00+00:00"),
            ("0 0 12 ? * 6#3", "2026-12-18T12:00:00+00:00"),
            ("0 0 12 ? * FRI#3", "2026-12-18T12:00:00+00:00"),
            ("0 0 12 L * ?", "2026-11-30T12:00:00+00:00"),
            ("0 0 12 LW * ?", "2026-11-30T12:00:00+00:00"),
            ("0 0 12 15W * ?", "2026-12-15T12:00:00+00:00"),
            ("0 0 12 1,15 * ?", "2026-12-01T12:00:00+00:00"),
            ("0 0 12 1 JAN ? 2028", "2028-01-01T12:00:00+00:00"),
            ("0 0 12 1 1 ? 2027-2030", "2027-01-01T12:00:00+00:00"),
            ("0 0 12 29 2 ?", "2028-02-29T12:00:00+00:00"),
            ("0 0 12 1 1 ? 2020", "never"),
            ("0 0 22-2 * * ?", "2026-11-24T22:00:00+00:00"),
            ("0 0 12 ? * FRI-MON", "2026-11-27T12:00:00+00:00"),
            ("0 0 12 ? * THU-TUE", "2026-11-24T12:00:00+00:00"),
            ("0 0 21-3/2 * * ?", "2026-11-24T21:00:00+00:00"),
            ("0 0 12 1 NOV-FEB ?", "2026-12-01T12:00:00+00:00"),
            ("0 0 12 ? * 2/3", "2026-11-26T12:00:00+00:00"),
        ] {
            assert_eq!(next(expression, "UTC", now), expected, "{expression}");
        }
    }

    #[test]
    fn what_is_no_quartz_expression_is_refused() {
        for expression in [
            "",
            "0 9 * * *",
            "0 0 9 * * *",
            "0 0 9 ? * ?",
            "0 30 2,7,11,15 * * *",
            "@daily",
            "0 0 25 * * ?",
            "0 60 * * * ?",
            "0 0 9 ? * 8",
            "0 0 9 ? * 0",
            "0 0 9 ? * MOON",
            "0 0 9 32 * ?",
            "0 0 9 ? * +MON",
            "0 0 9 * * ? 2026 1",
            "0 0 9 L-3 * ?",
        ] {
            assert!(
                Quartz::parse(expression, TimeZone::UTC).is_err(),
                "{expression}"
            );
        }
    }

    #[test]
    fn summer_time_moves_the_hour_and_neither_loses_nor_doubles_a_day() {
        let berlin = "Europe/Berlin";
        let daily = "0 30 2 * * ?";
        // The clock goes from 2 to 3 on 29 March 2026, and from 3 back to 2 on 25 October.
        for (after, expected) in [
            ("2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00"),
            ("2026-03-29T12:00:00Z", "2026-03-30T02:30:00+02:00"),
            ("2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00"),
            ("2026-10-25T00:30:00Z", "2026-10-26T02:30:00+01:00"),
        ] {
            assert_eq!(next(daily, berlin, after), expected, "{after}");
        }
    }

    #[test]
    fn the_last_time_is_found_as_well() {
        let quartz = Quartz::parse("0 0/10 * * * ?", TimeZone::UTC).unwrap();
        let found = quartz.up_to("2026-11-24T11:39:59Z".parse().unwrap());
        assert_eq!(found.unwrap().to_string(), "2026-11-24T11:30:00Z");
    }
}
