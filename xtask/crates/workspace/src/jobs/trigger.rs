//! What starts a job automatically: a schedule, a period, or an event that only Databricks sees.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::Invalid;
use super::quartz::Quartz;

/// The settings that declare a trigger; a job may have one of them.
const FIELDS: [&str; 3] = ["schedule", "trigger", "continuous"];
/// Databricks' minimum distance between two runs of a schedule.
const LEAST_DISTANCE: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub declared: Value,
    /// `PAUSED`.
    pub paused: bool,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Cron {
        expression: String,
        zone: String,
        times: Box<Quartz>,
    },
    Every {
        interval: i64,
        unit: &'static str,
        length: SignedDuration,
    },
    Elsewhere(&'static str),
}

impl Trigger {
    /// `None` for a job that only runs on request.
    pub(crate) fn of(settings: &Value) -> Result<Option<Trigger>, Invalid> {
        let declared = FIELDS.iter().filter(|field| settings[**field].is_object());
        let declared: Vec<&str> = declared.copied().collect();
        let field = match declared[..] {
            [] => return Ok(None),
            [field] => field,
            _ => {
                return Err(Invalid::because(format!(
                    "Only one of {} can be set for a job",
                    declared.join(", ")
                )));
            }
        };
        let body = &settings[field];
        let kind = match field {
            "schedule" => cron(body)?,
            "continuous" => Kind::Elsewhere("continuously"),
            _ => triggered(body)?,
        };
        Ok(Some(Trigger {
            declared: Value::Object(Map::from_iter([(field.to_owned(), body.clone())])),
            paused: paused(body)?,
            kind,
        }))
    }

    /// For people.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Cron {
                expression, zone, ..
            } => format!("{expression} ({zone})"),
            Kind::Every { interval, unit, .. } => format!("every {interval} {unit}"),
            Kind::Elsewhere(what) => (*what).to_owned(),
        }
    }

    /// Whether it depends on the clock alone, so that it can fire locally.
    pub(crate) fn is_by_clock(&self) -> bool {
        !matches!(self.kind, Kind::Elsewhere(_))
    }

    /// The first due time after `time`; `since` is when the job got its trigger. `None` while paused.
    pub(crate) fn after(&self, time: Timestamp, since: Timestamp) -> Option<Timestamp> {
        if self.paused {
            return None;
        }
        match &self.kind {
            Kind::Cron { times, .. } => times.after(time),
            Kind::Every { length, .. } => {
                let passed = periods(time, since, *length)?;
                since
                    .checked_add(length.checked_mul(passed.checked_add(1)?)?)
                    .ok()
            }
            Kind::Elsewhere(_) => None,
        }
    }

    /// The first due time after `time` at the minimum distance from the run of `last`.
    pub(crate) fn after_run(
        &self,
        time: Timestamp,
        last: Timestamp,
        since: Timestamp,
    ) -> Option<Timestamp> {
        let earliest = last
            .checked_add(LEAST_DISTANCE - SignedDuration::from_millis(1))
            .ok()?;
        self.after(time.max(earliest), since)
    }

    /// The last due time up to `time`.
    pub(crate) fn up_to(&self, time: Timestamp, since: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            Kind::Cron { times, .. } => times.up_to(time),
            Kind::Every { length, .. } => {
                let passed = periods(time, since, *length)?;
                if passed == 0 {
                    return None;
                }
                since.checked_add(length.checked_mul(passed)?).ok()
            }
            Kind::Elsewhere(_) => None,
        }
    }
}

/// Whole periods since the job got its trigger.
fn periods(time: Timestamp, since: Timestamp, length: SignedDuration) -> Option<i32> {
    let passed = time.duration_since(since).as_secs().max(0) / length.as_secs();
    i32::try_from(passed).ok()
}

fn paused(body: &Value) -> Result<bool, Invalid> {
    match body["pause_status"].as_str() {
        None | Some("UNPAUSED") => Ok(false),
        Some("PAUSED") => Ok(true),
        Some(other) => Err(Invalid::because(format!(
            "pause_status '{other}' is not PAUSED or UNPAUSED"
        ))),
    }
}

fn cron(body: &Value) -> Result<Kind, Invalid> {
    let expression = body["quartz_cron_expression"].as_str().unwrap_or_default();
    let name = body["timezone_id"].as_str().unwrap_or_default();
    if name.is_empty() {
        return Err(Invalid::because("schedule.timezone_id is required"));
    }
    let zone = TimeZone::get(name).map_err(|error| {
        let missing = jiff::tz::db().is_definitively_empty();
        let advice = if missing {
            "; this machine has no time zone data: install the package tzdata"
        } else {
            ""
        };
        Invalid::because(format!("Invalid timezone_id: {name} ({error}){advice}"))
    })?;
    let times = Quartz::parse(expression, zone).map_err(|why| {
        Invalid::because(format!(
            "Invalid quartz_cron_expression: {expression}. Databricks uses Quartz cron syntax, which is different from \
             the standard cron syntax. See http://www.quartz-scheduler.org/documentation/quartz-2.1.x/tutorials/\
             crontrigger.html for more details. ({why})"
        ))
    })?;
    Ok(Kind::Cron {
        expression: expression.to_owned(),
        zone: name.to_owned(),
        times: Box::new(times),
    })
}

fn triggered(body: &Value) -> Result<Kind, Invalid> {
    let others = [
        ("file_arrival", "when files arrive"),
        ("table_update", "when tables change"),
        ("table", "when tables change"),
        ("model", "when a model changes"),
        ("sql_condition", "when a query returns true"),
    ];
    if let Some((_, what)) = others.iter().find(|(field, _)| body[*field].is_object()) {
        return Ok(Kind::Elsewhere(what));
    }
    let periodic = &body["periodic"];
    if !periodic.is_object() {
        return Err(Invalid::because(
            "trigger needs one of periodic, file_arrival, table_update, model",
        ));
    }
    let units = [
        ("MINUTES", 60),
        ("HOURS", 3600),
        ("DAYS", 86_400),
        ("WEEKS", 604_800),
    ];
    let unit = periodic["unit"].as_str().unwrap_or_default();
    let interval = periodic["interval"]
        .as_i64()
        .filter(|interval| (1..=10_000).contains(interval));
    let known = units.iter().find(|(name, _)| *name == unit);
    match (known, interval) {
        (Some((unit, seconds)), Some(interval)) => Ok(Kind::Every {
            interval,
            unit,
            length: SignedDuration::from_secs(seconds * interval),
        }),
        (None, _) => Err(Invalid::because(format!(
            "trigger.periodic.unit '{unit}' is not one of {}",
            units.map(|(name, _)| name).join(", ")
        ))),
        (_, None) => Err(Invalid::because(
            "trigger.periodic.interval must be at least 1",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_counts_from_when_the_job_got_it() {
        let settings = json!({"trigger": {"periodic": {"interval": 2, "unit": "HOURS"}}});
        let trigger = Trigger::of(&settings).unwrap().unwrap();
        assert_eq!(trigger.describe(), "every 2 HOURS");
        let since = time("2026-11-24T10:05:00Z");
        for (now, next, last) in [
            ("2026-11-24T10:05:00Z", "2026-11-24T12:05:00Z", None),
            (
                "2026-11-24T12:05:00Z",
                "2026-11-24T14:05:00Z",
                Some("2026-11-24T12:05:00Z"),
            ),
            (
                "2026-11-24T15:00:00Z",
                "2026-11-24T16:05:00Z",
                Some("2026-11-24T14:05:00Z"),
            ),
            // The clock went back.
            ("2026-11-24T09:00:00Z", "2026-11-24T12:05:00Z", None),
        ] {
            assert_eq!(trigger.after(time(now), since), Some(time(next)), "{now}");
            assert_eq!(trigger.up_to(time(now), since), last.map(time), "{now}");
        }
    }

    #[test]
    fn two_runs_of_a_schedule_keep_ten_seconds_apart() {
        let settings =
            json!({"schedule": {"quartz_cron_expression": "* * * * * ?", "timezone_id": "UTC"}});
        let trigger = Trigger::of(&settings).unwrap().unwrap();
        let (now, last) = (time("2026-11-24T10:00:03.2Z"), time("2026-11-24T10:00:03Z"));
        assert_eq!(trigger.after(now, last), Some(time("2026-11-24T10:00:04Z")));
        assert_eq!(
            trigger.after_run(now, last, last),
            Some(time("2026-11-24T10:00:13Z"))
        );
    }

    #[test]
    fn what_only_databricks_sees_is_kept_and_never_due() {
        for (settings, what) in [
            (
                json!({"trigger": {"file_arrival": {"url": "/Volumes/a/b/c/"}}}),
                "when files arrive",
            ),
            (
                json!({"trigger": {"table_update": {"table_names": ["a.b.c"]}}}),
                "when tables change",
            ),
            (
                json!({"continuous": {"pause_status": "UNPAUSED"}}),
                "continuously",
            ),
        ] {
            let trigger = Trigger::of(&settings).unwrap().unwrap();
            assert_eq!(
                (trigger.describe().as_str(), trigger.is_by_clock()),
                (what, false)
            );
            assert_eq!(trigger.after(Timestamp::now(), Timestamp::now()), None);
        }
        assert!(Trigger::of(&json!({"name": "x"})).unwrap().is_none());
    }

    #[test]
    fn a_paused_schedule_is_never_due() {
        let settings = json!({"schedule":
            {"quartz_cron_expression": "0 0 9 * * ?", "timezone_id": "Europe/Berlin", "pause_status": "PAUSED"}});
        let trigger = Trigger::of(&settings).unwrap().unwrap();
        assert_eq!(trigger.after(Timestamp::now(), Timestamp::now()), None);
        assert_eq!(trigger.describe(), "0 0 9 * * ? (Europe/Berlin)");
    }

    #[test]
    fn declarations_that_mean_nothing_are_refused_by_name() {
        let cron = |expression: &str, zone: &str| json!({"quartz_cron_expression": expression, "timezone_id": zone});
        let periodic =
            |interval: i64, unit: &str| json!({"periodic": {"interval": interval, "unit": unit}});
        for (settings, expected) in [
            (
                json!({"schedule": cron("0 30 2,7 * * *", "UTC")}),
                "Invalid quartz_cron_expression: 0 30 2,7 * * *. ",
            ),
            (
                json!({"schedule": cron("0 0 9 * * ?", "Mars/Base")}),
                "Invalid timezone_id: Mars/Base",
            ),
            (
                json!({"schedule": cron("0 0 9 * * ?", "")}),
                "timezone_id is required",
            ),
            (json!({"trigger": periodic(0, "DAYS")}), "interval"),
            (json!({"trigger": periodic(1, "YEARS")}), "'YEARS'"),
            (
                json!({"trigger": {"pause_status": "PAUSED"}}),
                "needs one of",
            ),
            (json!({"continuous": {"pause_status": "OFF"}}), "'OFF'"),
            (
                json!({"continuous": {}, "trigger": periodic(1, "DAYS")}),
                "Only one of trigger, continuous",
            ),
        ] {
            let message = Trigger::of(&settings).unwrap_err().0;
            assert!(message.contains(expected), "{message}");
        }
    }
}
