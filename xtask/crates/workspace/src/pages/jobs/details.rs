//! Deployment and permissions of a job.

/// Size limit for a bundle's metadata, bytes.
use std::io::Read as _;

use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::formatting::{short_commit, time};
use crate::error::ApiError;
use crate::files::WorkspacePath;
use crate::jobs::JobSettings;
use crate::runner::schedules::{Upcoming, upcoming};
use crate::state::App;
use crate::store::Job;

const METADATA_LIMIT: u64 = 4 << 20;

/// Metadata of the bundle's last deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::pages) struct Deployment {
    pub commit: Option<String>,
    pub branch: Option<String>,
    pub origin: Option<String>,
    /// The bundle's file that declares the job.
    pub declared_in: Option<String>,
    /// Milliseconds.
    pub at: Option<i64>,
}

impl Deployment {
    /// `None` for a job without a bundle.
    pub(in crate::pages) fn of(
        app: &App,
        job_id: i64,
        settings: &JobSettings,
    ) -> Option<Deployment> {
        let path = settings.deployment.metadata_file_path.as_deref()?;
        let path = WorkspacePath::parse(path).ok()?;
        let file = app.workspace_files.open_file(path.relative()).ok()?;
        let mut text = String::new();
        file.take(METADATA_LIMIT).read_to_string(&mut text).ok()?;
        let metadata: Value = serde_json::from_str(&text).ok()?;
        let object = app.store.object(&path.key()).ok().flatten();
        Some(Deployment {
            at: object.map(|object| object.modified_at),
            ..Deployment::read(&metadata, job_id)
        })
    }

    fn read(metadata: &Value, job_id: i64) -> Deployment {
        let git = &metadata["config"]["bundle"]["git"];
        let text = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let jobs = metadata["config"]["resources"]["jobs"].as_object();
        let declared = jobs.into_iter().flat_map(|jobs| jobs.values()).find(|job| {
            job["id"]
                .as_str()
                .and_then(|id| id.parse().ok())
                .or_else(|| job["id"].as_i64())
                == Some(job_id)
        });
        Deployment {
            commit: text(&git["commit"]),
            branch: text(&git["branch"]),
            origin: text(&git["origin_url"]),
            declared_in: declared.and_then(|job| text(&job["relative_path"])),
            at: None,
        }
    }

    pub(in crate::pages) fn commit(&self) -> Markup {
        html! {
            @if let Some(commit) = &self.commit {
                code title=(commit) { (short_commit(commit)) }
                @if let Some(branch) = &self.branch { " of " (branch) }
            } @else { "a folder without a commit" }
        }
    }

    pub(super) fn told(&self) -> Markup {
        html! {
            (self.commit())
            @if let Some(at) = self.at { ", deployed " (time(at)) }
            @if let Some(file) = &self.declared_in { ", declared in " code { (file) } }
        }
    }
}

/// As (principal, level).
pub(super) fn permissions(
    app: &App,
    job_id: i64,
    creator: &str,
) -> Result<Vec<(String, String)>, ApiError> {
    let entries = app.store.acl("jobs", &job_id.to_string())?;
    let entries = entries
        .unwrap_or_else(|| vec![json!({"user_name": creator, "permission_level": "IS_OWNER"})]);
    let who = |entry: &Value| {
        ["user_name", "group_name", "service_principal_name"]
            .into_iter()
            .find_map(|kind| entry[kind].as_str().map(str::to_owned))
    };
    Ok(entries
        .iter()
        .filter_map(|entry| {
            let level = entry["permission_level"].as_str().unwrap_or_default();
            Some((who(entry)?, level.to_owned()))
        })
        .collect())
}

pub(super) fn short_schedule(app: &App, job: &Job) -> Markup {
    match upcoming(app, job) {
        Some(upcoming) => html! { code { (upcoming.what) } (when_next(&upcoming)) },
        None => html! { "none" },
    }
}

pub(super) fn full_schedule(app: &App, job: &Job) -> Markup {
    let Some(upcoming) = upcoming(app, job) else {
        return html! { "none; it runs on request" };
    };
    html! {
        code { (upcoming.what) } (when_next(&upcoming))
        @if !upcoming.paused && !upcoming.by_clock {
            ". The local workspace stores this trigger, but does not fire it."
        } @else if !upcoming.paused && !upcoming.fires {
            ". To fire schedules here, run " code { "cargo xtask workspace up --schedules" } "."
        }
    }
}

fn when_next(upcoming: &Upcoming) -> Markup {
    html! {
        @if upcoming.paused { ", paused" }
        @else if let Some(next) = upcoming.next { ", next " (time(next.as_millisecond())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundles_metadata_names_commit_and_file() {
        let metadata = json!({"config": {
            "bundle": {"git": {"commit": "abc", "branch": "topic", "origin_url": ""}},
            "resources": {"jobs": {"a": {"id": "7", "relative_path": "resources/a.yml"}, "b": {"id": "8"}}},
        }});
        let read = Deployment::read(&metadata, 7);
        assert_eq!(read.commit.as_deref(), Some("abc"));
        assert_eq!(read.declared_in.as_deref(), Some("resources/a.yml"));
        assert_eq!(read.origin, None);
        assert_eq!(Deployment::read(&json!({}), 7), Deployment::default());
    }
}
