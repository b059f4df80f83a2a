//! `%pip` for running notebooks: packages for an overlay of their own.

use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};
use tokio::process::{Child, ChildStdout};
use tokio_util::io::ReaderStream;

use crate::access;
use crate::call::{Call, JsonBody, Routes};
use crate::caller::Credential;
use crate::error::ApiError;
use crate::process_group::Group;
use crate::python;
use crate::state::App;

pub(super) fn router() -> Routes {
    Routes::new().route("/kernel/v1/overlays", post(install))
}

#[derive(Deserialize, Serialize)]
struct Wanted {
    arguments: Vec<String>,
    #[serde(default)]
    base: Vec<String>,
}

/// Streams pip's output line by line; the last line is a JSON object with the result.
async fn install(call: Call, JsonBody(wanted): JsonBody<Wanted>) -> Result<Response, ApiError> {
    // The installer has the credentials of the user's package index, which runs must not see.
    if !matches!(call.caller.by, Credential::Run { .. } | Credential::Owner) {
        return Err(ApiError::forbidden(
            "packages are installed only for job runs",
        ));
    }
    for argument in &wanted.arguments {
        for (tree, mount) in [
            (&call.workspace_files, "/Workspace"),
            (&call.volumes, "/Volumes"),
        ] {
            if let Some((_, file)) = argument.split_once(tree.root().as_str()) {
                access::readable(&call, &format!("{mount}{file}"))?;
            }
        }
    }
    let failed = |error: std::io::Error| ApiError::internal("cannot start the installer", &error);
    let request = serde_json::to_vec(&wanted)
        .map_err(|error| ApiError::internal("cannot pass on the request", &error))?;
    let mut installer = Installer::start(&call).map_err(failed)?;
    installer.ask(&request).await.map_err(failed)?;
    let lines = Body::from_stream(ReaderStream::new(installer));
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], lines).into_response())
}

/// The installing process. It ends with all of its children when the client stops reading.
struct Installer {
    child: Child,
    output: ChildStdout,
    group: Option<Group>,
}

impl Installer {
    fn start(app: &App) -> std::io::Result<Installer> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(app.config.state.path().join("runs/kernel.log"))?;
        let mut child = python::installer(app)
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| std::io::Error::other("the process has no output"))?;
        Ok(Installer {
            group: Group::of(&child),
            child,
            output,
        })
    }

    async fn ask(&mut self, request: &[u8]) -> std::io::Result<()> {
        if let Some(mut input) = self.child.stdin.take() {
            input.write_all(request).await?;
            input.write_all(b"\n").await?;
        }
        Ok(())
    }
}

impl AsyncRead for Installer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.output).poll_read(context, buffer)
    }
}

impl Drop for Installer {
    fn drop(&mut self) {
        // After `wait` the child has no id: the number may belong to another process.
        if let (Some(group), Ok(None)) = (self.group, self.child.try_wait()) {
            group.signal(Signal::KILL);
        }
    }
}
