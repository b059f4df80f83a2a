//! Downloads, whole or in part.

use std::io::{Seek as _, SeekFrom};
use std::ops::Range;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::place::Place;
use crate::access::Right;
use crate::call::{Call, on_disk};
use crate::error::ApiError;
use crate::files::modified_ms;

/// `GET` and `HEAD` of a file. It is never rendered as a page: a job's file must not act in the reader's name.
pub(super) async fn download(
    call: Call,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let place = Place::resolve(&call, &path, Right::Read)?;
    let (mut file, metadata) = on_disk(&call.app, move |app| {
        let metadata = place.metadata(app)?;
        if metadata.is_dir() {
            return Err(ApiError::not_found(format!("{place} is a folder.")));
        }
        let file = place.tree(app).open_file(place.path());
        Ok((
            file.map_err(|error| ApiError::disk(&format!("cannot read {place}"), &error))?
                .into_std(),
            metadata,
        ))
    })
    .await?;
    let length = metadata.len();
    let modified = Timestamp::from_millisecond(modified_ms(&metadata)).unwrap_or_default();
    if headers.get(IF_UNMODIFIED_SINCE).is_some_and(|since| {
        let since = since.to_str().ok().and_then(http_date);
        // In whole seconds, like the header. An invalid date is no condition.
        since.is_some_and(|since| modified.as_second() > since.as_second())
    }) {
        return Err(ApiError::new(
            StatusCode::PRECONDITION_FAILED,
            "PRECONDITION_FAILED",
            "The file has been changed since.",
        ));
    }
    let wanted = match headers
        .get(RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| range(text, length))
    {
        None => None,
        Some(Ok(range)) => Some(range),
        Some(Err(Unsatisfiable)) => {
            let headers = [(CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        }
    };
    let part = wanted.clone().unwrap_or(0..length);
    file.seek(SeekFrom::Start(part.start))
        .map_err(|error| ApiError::disk("cannot read the file", &error))?;
    let content = tokio::fs::File::from_std(file).take(part.end - part.start);
    let body = Body::from_stream(ReaderStream::with_capacity(content, 64 << 10));
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
        (CONTENT_LENGTH, (part.end - part.start).to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (
            LAST_MODIFIED,
            modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        ),
    ];
    Ok(match wanted {
        None => (headers, body).into_response(),
        Some(range) => {
            let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            (
                StatusCode::PARTIAL_CONTENT,
                [(CONTENT_RANGE, content_range)],
                headers,
                body,
            )
                .into_response()
        }
    })
}

fn http_date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(&text.replace("GMT", "+0000")).ok()?;
    Some(zoned.timestamp())
}

#[derive(Debug, PartialEq, Eq)]
struct Unsatisfiable;

/// The range of a `Range` header. `None` for several ranges or an invalid header: the whole file is then a valid reply.
fn range(header: &str, length: u64) -> Option<Result<Range<u64>, Unsatisfiable>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let range = if first.is_empty() {
        length.saturating_sub(last.parse().ok()?)..length
    } else {
        let first: u64 = first.parse().ok()?;
        let last = if last.is_empty() {
            u64::MAX
        } else {
            last.parse().ok().filter(|last| *last >= first)?
        };
        first..last.saturating_add(1).min(length)
    };
    Some(if range.start < range.end {
        Ok(range)
    } else {
        Err(Unsatisfiable)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (header, expected) in [
            ("bytes=0-4", Some(Ok(0..5))),
            ("bytes=5-", Some(Ok(5..10))),
            ("bytes=-3", Some(Ok(7..10))),
            ("bytes=-30", Some(Ok(0..10))),
            ("bytes=8-99", Some(Ok(8..10))),
            ("bytes=10-", Some(Err(Unsatisfiable))),
            ("bytes=-0", Some(Err(Unsatisfiable))),
            ("bytes=4-2", None),
            ("bytes=0-1,3-4", None),
            ("lines=1-2", None),
            ("bytes=a-b", None),
        ] {
            assert_eq!(range(header, 10), expected, "{header}");
        }
    }
}
