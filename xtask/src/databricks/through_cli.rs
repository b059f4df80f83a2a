//! The way of REST calls to a workspace that only the Databricks CLI has the credentials for.

use std::process::Command;
use std::time::Instant;

use xtask_remote::{Body, Error, Headers, Request, Response, Transport, refused};

use super::Target;
use crate::context::Context;
use crate::process;

/// Sends REST calls with the Databricks CLI: it authenticates, the token never reaches us.
pub(super) struct ThroughCli<'a> {
    target: &'a Target<'a>,
}

impl<'a> ThroughCli<'a> {
    /// Calls to the workspace of a target.
    pub(super) fn new(target: &'a Target<'a>) -> ThroughCli<'a> {
        ThroughCli { target }
    }
}

impl Transport for ThroughCli<'_> {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let unexpected = |reason: String| Error::Unexpected {
            call: request.call(),
            reason,
        };
        let mut command = Command::new(&self.target.program);
        match &request.body {
            Body::File(file) => copy(&mut command, request, file)
                .ok_or_else(|| unexpected("only the Files API takes files".to_owned()))?,
            body => {
                let method = request.method.as_str().to_lowercase();
                command.args(["api", &method, &url(request)]);
                if let Body::Json(value) = body {
                    command.args(["--json", &value.to_string()]);
                }
            }
        }
        self.target.lead(&mut command);
        let Context { ui, interrupt, .. } = self.target.context;
        let started = Instant::now();
        let finished = process::run_within(ui, interrupt, command, request.deadline, |_| ())
            .map_err(|error| match request.deadline {
                Some(deadline) if started.elapsed() >= deadline => Error::Timeout {
                    service: self.target.name.clone(),
                    deadline,
                },
                _ => unexpected(error.to_string()),
            })?;
        if !finished.ok() {
            // The CLI prints the service's message and keeps its status for itself.
            let status = if says_it_is_not_there(&finished.tail) {
                404
            } else {
                400
            };
            return Err(refused(
                request,
                status,
                &Headers::default(),
                finished.tail.as_bytes(),
            ));
        }
        Ok(Response {
            status: 200,
            headers: Headers::default(),
            body: finished.stdout.into_bytes(),
        })
    }
}

/// Whether a message of the Databricks API says that what was asked for is not there.
fn says_it_is_not_there(message: &str) -> bool {
    ["RESOURCE_DOES_NOT_EXIST", "doesn't exist", "does not exist"]
        .iter()
        .any(|words| message.contains(words))
}

/// Path and query of a call, as `databricks api` takes them.
fn url(request: &Request) -> String {
    let mut url = request.path.clone();
    for (index, (name, value)) in request.query.iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(&format!("{name}={value}"));
    }
    url
}

/// An upload, which `databricks api` has no way for: the CLI's own copy. `None` where it is no upload.
fn copy(command: &mut Command, request: &Request, file: &std::path::Path) -> Option<()> {
    let remote = request.path.strip_prefix("/api/2.0/fs/files")?;
    command.args(["fs", "cp", "--overwrite"]);
    command.arg(file).arg(format!("dbfs:{remote}"));
    Some(())
}
