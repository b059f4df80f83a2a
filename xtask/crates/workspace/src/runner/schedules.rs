//! Schedules: due times, and the runs that start at them if the workspace has schedules enabled.
//!
//! The next due time of each schedule is stored. If times passed while the workspace was down, one run makes up for all
//! of them. The run of a due time has an idempotency token, so that looking at it twice (after a kill, or after the
//! clock was set back) starts one run.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::start::{Request, run_job};
use crate::error::ApiError;
use crate::jobs::Trigger;
use crate::state::App;
use crate::store::{Due, Job};

/// How often the clock is read.
const TICK: Duration = Duration::from_millis(500);
/// A due time this far ahead was computed with a wrong clock.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_hours(24);

/// The trigger of a job, for display.
#[derive(Debug, Clone)]
pub(crate) struct Upcoming {
    /// A cron expression with its time zone, a period, or the event that Databricks would wait for.
    pub what: String,
    pub paused: bool,
    /// Whether it depends on the clock alone; other triggers never fire locally.
    pub by_clock: bool,
    /// Next due time, if it depends on the clock alone.
    pub next: Option<Timestamp>,
    /// Whether it starts runs here.
    pub fires: bool,
}

/// `None` for a job that only runs on request.
pub(crate) fn upcoming(app: &App, job: &Job) -> Option<Upcoming> {
    let trigger = Trigger::of(job.settings.json()).ok().flatten()?;
    let kept = app.store.due(job.job_id).ok().flatten();
    let kept = kept.filter(|due| due.trigger == trigger.declared && !trigger.paused);
    let next = match kept {
        Some(due) => Timestamp::from_millisecond(due.next).ok(),
        None => trigger.after(Timestamp::now(), since(job)),
    };
    Some(Upcoming {
        what: trigger.describe(),
        paused: trigger.paused,
        by_clock: trigger.is_by_clock(),
        next,
        fires: app.config.schedules && trigger.is_by_clock() && !trigger.paused,
    })
}

fn since(job: &Job) -> Timestamp {
    Timestamp::from_millisecond(job.trigger_since).unwrap_or_default()
}

/// Starts due runs until the workspace stops. With schedules disabled, deletes the stored due times.
pub(crate) async fn watch(app: Arc<App>) {
    if !app.config.schedules {
        if let Err(error) = app.store.forget_dues() {
            tracing::error!(%error, "cannot delete due times");
        }
        return;
    }
    while !app.stop.is_requested() {
        if let Err(error) = look(&app, Timestamp::now()) {
            tracing::error!(%error, "cannot check the schedules");
        }
        tokio::select! {
            () = sleep(TICK) => {}
            () = app.stop.requested() => {}
        }
    }
}

fn look(app: &Arc<App>, now: Timestamp) -> Result<(), ApiError> {
    for job in app.store.jobs_with_triggers()? {
        // A trigger that an older version accepted and this one does not is never due.
        let Ok(Some(trigger)) = Trigger::of(job.settings.json()) else {
            continue;
        };
        let kept = app.store.due(job.job_id)?;
        let job_id = job.job_id;
        match step(&trigger, since(&job), kept.as_ref(), now) {
            Step::Rest => {}
            Step::Forget => app.store.forget_due(job_id)?,
            Step::Wait(due) => app.store.set_due(job_id, &due)?,
            Step::Fire { at, next } => {
                fire(app, job, at);
                if app.stop.is_requested() {
                    return Ok(());
                }
                match next {
                    Some(due) => app.store.set_due(job_id, &due)?,
                    None => app.store.forget_due(job_id)?,
                }
            }
        }
    }
    Ok(())
}

fn fire(app: &Arc<App>, job: Job, at: Timestamp) {
    let job_id = job.job_id;
    let at = at.as_millisecond();
    let request = Request {
        idempotency_token: Some(format!("schedule-{job_id}-{at}")),
        due_time: Some(at),
        ..Request::default()
    };
    match run_job(app, job, request) {
        Ok(run) => tracing::info!(job_id, run_id = run.run_id, "a schedule started a run"),
        Err(error) => tracing::warn!(job_id, %error, "a schedule could not start a run"),
    }
}

/// What to do about a schedule.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Rest,
    /// It is paused or gone.
    Forget,
    /// Store the next due time.
    Wait(Due),
    /// Start a run, and store the next due time.
    Fire {
        at: Timestamp,
        next: Option<Due>,
    },
}

fn step(trigger: &Trigger, since: Timestamp, kept: Option<&Due>, now: Timestamp) -> Step {
    let due = |last: Option<Timestamp>, next: Timestamp| Due {
        trigger: trigger.declared.clone(),
        last: last.map(Timestamp::as_millisecond),
        next: next.as_millisecond(),
    };
    let time = |millisecond: i64| Timestamp::from_millisecond(millisecond).unwrap_or_default();
    let is_far_ahead = |last: i64| time(last).duration_since(now) > WRONG_CLOCK;
    let kept = kept
        .filter(|kept| kept.trigger == trigger.declared)
        .filter(|kept| !kept.last.is_some_and(is_far_ahead));
    let first = trigger.after(now, since);
    match (kept, first) {
        (None, Some(first)) => Step::Wait(due(None, first)),
        (None, None) => Step::Forget,
        (Some(kept), _) if time(kept.next) > now => Step::Rest,
        (Some(kept), _) => {
            // Of several missed times, the last counts.
            let at = trigger
                .up_to(now, since)
                .filter(|last| *last > time(kept.next));
            let at = at.unwrap_or_else(|| time(kept.next));
            let next = trigger.after_run(now, at, since);
            Step::Fire {
                at,
                next: next.map(|next| due(Some(at), next)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn time(text: &str) -> Timestamp {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    fn trigger(cron: &str) -> Trigger {
        let settings = json!({"schedule": {"quartz_cron_expression": cron, "timezone_id": "UTC"}});
        Trigger::of(&settings).unwrap().unwrap()
    }

    /// Looks at these times one after the other, and answers those that a run was started for.
    fn fired(trigger: &Trigger, kept: &mut Option<Due>, looks: &[&str]) -> Vec<String> {
        let mut fired = Vec::new();
        for look in looks {
            match step(trigger, time("01T00:00:00"), kept.as_ref(), time(look)) {
                Step::Rest => {}
                Step::Forget => *kept = None,
                Step::Wait(due) => *kept = Some(due),
                Step::Fire { at, next } => {
                    fired.push(
                        at.to_string()["2026-11-".len()..]
                            .trim_end_matches('Z')
                            .to_owned(),
                    );
                    *kept = next;
                }
            }
        }
        fired
    }

    #[test]
    fn each_time_fires_once_however_often_the_clock_is_looked_at() {
        let hourly = trigger("0 0 * * * ?");
        let looks = [
            "24T09:59:58",
            "24T09:59:59.5",
            "24T10:00:00",
            "24T10:00:00.5",
            "24T10:30:00",
            "24T11:00:00.3",
        ];
        assert_eq!(
            fired(&hourly, &mut None, &looks),
            ["24T10:00:00", "24T11:00:00"]
        );
    }

    #[test]
    fn the_first_look_starts_nothing() {
        assert!(
            fired(
                &trigger("0 0 * * * ?"),
                &mut None,
                &["24T10:00:00", "24T10:00:01"]
            )
            .is_empty()
        );
    }

    #[test]
    fn of_the_times_that_passed_while_nobody_looked_the_last_fires_once() {
        let looks = [
            "24T09:30:00",
            "24T14:20:00",
            "24T14:20:01",
            "24T14:59:59",
            "24T15:00:00",
        ];
        assert_eq!(
            fired(&trigger("0 0 * * * ?"), &mut None, &looks),
            ["24T14:00:00", "24T15:00:00"]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_fires_no_time_again() {
        let looks = [
            "24T09:59:00",
            "24T10:00:00",
            "24T09:30:00",
            "24T10:00:00",
            "24T10:00:01",
            "24T11:00:00",
        ];
        assert_eq!(
            fired(&trigger("0 0 * * * ?"), &mut None, &looks),
            ["24T10:00:00", "24T11:00:00"]
        );
    }

    #[test]
    fn a_clock_that_was_days_ahead_does_not_stop_a_schedule() {
        let looks = ["24T09:59:00", "28T10:00:00", "24T10:10:00", "24T11:00:00"];
        assert_eq!(
            fired(&trigger("0 0 * * * ?"), &mut None, &looks),
            ["28T10:00:00", "24T11:00:00"]
        );
    }

    #[test]
    fn a_schedule_that_changes_or_pauses_starts_afresh() {
        let mut kept = None;
        assert!(fired(&trigger("0 0 * * * ?"), &mut kept, &["24T09:59:00"]).is_empty());
        assert!(fired(&trigger("0 30 * * * ?"), &mut kept, &["24T10:00:00"]).is_empty());
        let due = kept.clone().unwrap();
        assert_eq!(due.next, time("24T10:30:00").as_millisecond());
        let settings: Value = json!({"schedule":
            {"quartz_cron_expression": "0 30 * * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}});
        let paused = Trigger::of(&settings).unwrap().unwrap();
        assert_eq!(
            step(
                &paused,
                time("01T00:00:00"),
                Some(&due),
                time("24T10:30:00")
            ),
            Step::Forget
        );
    }
}
