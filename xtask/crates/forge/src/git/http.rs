//! git's http protocol, through `git http-backend`.

use std::process::Stdio;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::TryStreamExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio_util::io::{ReaderStream, StreamReader};

use super::Git;
use crate::world::Id;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Fetch,
    Push,
}

/// From the path below the repository, and the query.
pub(crate) fn service(path: &str, query: &str) -> Option<Service> {
    let named = |name: &str| match name {
        "git-upload-pack" => Some(Service::Fetch),
        "git-receive-pack" => Some(Service::Push),
        _ => None,
    };
    match path {
        "info/refs" => named(query.strip_prefix("service=")?),
        _ => named(path),
    }
}

impl Git {
    /// Runs `git http-backend`. `refusals` goes into the environment of the hook that guards protected branches.
    pub(crate) async fn serve(
        &self,
        repo: Id,
        path: &str,
        login: &str,
        request: Request,
    ) -> std::io::Result<Response> {
        let mut child = self.backend(repo, path, login, &request).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            let body = request.into_body().into_data_stream();
            let mut body = StreamReader::new(body.map_err(std::io::Error::other));
            tokio::spawn(async move {
                // A program that has read enough closes its standard input.
                let _ = tokio::io::copy(&mut body, &mut stdin).await;
            });
        }
        reply(child, path == "git-receive-pack").await
    }

    fn backend(&self, repo: Id, path: &str, login: &str, request: &Request) -> Command {
        let text = |name: HeaderName| {
            let value = request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let mut command = Command::new("git");
        command.arg("http-backend");
        command.env_clear().envs(self.environment());
        command.env("GIT_PROJECT_ROOT", &self.folder);
        command.env("GIT_HTTP_EXPORT_ALL", "1");
        command.env("PATH_INFO", format!("/{repo}.git/{path}"));
        command.env("REMOTE_USER", login);
        command.env("REMOTE_ADDR", "127.0.0.1");
        command.env("REQUEST_METHOD", request.method().as_str());
        command.env("QUERY_STRING", request.uri().query().unwrap_or_default());
        command.env("CONTENT_TYPE", text(header::CONTENT_TYPE));
        command.env("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING));
        command.env(
            "GIT_PROTOCOL",
            text(HeaderName::from_static("git-protocol")),
        );
        let length = text(header::CONTENT_LENGTH);
        if !length.is_empty() {
            command.env("CONTENT_LENGTH", length);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.kill_on_drop(true);
        command
    }
}

/// Turns CGI output into a reply. A push is waited for, so that its effects are visible when the client sees success.
async fn reply(mut child: Child, is_push: bool) -> std::io::Result<Response> {
    let Some(stdout) = child.stdout.take() else {
        return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
    };
    let mut stdout = BufReader::new(stdout);
    let mut response = Response::new(Body::empty());
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        let Some((name, value)) = line.trim().split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("status") {
            let code = value
                .trim()
                .split(' ')
                .next()
                .and_then(|code| code.parse().ok());
            *response.status_mut() = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        } else if let (Ok(name), Ok(value)) = (
            name.parse::<HeaderName>(),
            HeaderValue::from_str(value.trim()),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    if is_push {
        let mut body = Vec::new();
        stdout.read_to_end(&mut body).await?;
        child.wait().await?;
        *response.body_mut() = Body::from(body);
    } else {
        let stream = ReaderStream::new(stdout);
        // The child ends with its output.
        let stream = stream.inspect_ok(move |_| {
            let _kept = &child;
        });
        *response.body_mut() = Body::from_stream(stream);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_in_the_path_or_the_query() {
        assert_eq!(
            service("info/refs", "service=git-upload-pack"),
            Some(Service::Fetch)
        );
        assert_eq!(service("git-receive-pack", ""), Some(Service::Push));
        assert_eq!(service("HEAD", ""), None);
        assert_eq!(service("info/refs", ""), None);
    }
}
