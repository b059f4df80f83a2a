//! A reply that is too large for memory: streamed into a file, in as many attempts as it takes.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use reqwest::blocking::Response;
use serde::{Deserialize, Serialize};

use super::{Http, headers};
use crate::Error;
use crate::patience::Attempt;
use crate::transport::{Headers, Request};

/// How much is read at once.
const BLOCK: usize = 256 * 1024;

/// Writes the body of a reply into a file; see [`Transport::save`](crate::Transport::save).
///
/// What an earlier attempt left in the file is kept where the service can tell that it is the start of the
/// same content. By what it can tell that stands in a second file, `FILE.of`, until the first is whole.
///
/// # Errors
/// Any [`Error`]; [`Error::Stopped`] when the caller said stop.
pub(crate) fn save(
    http: &Http,
    request: &Request,
    file: &Path,
    on_bytes: &mut dyn FnMut(u64) -> bool,
) -> Result<u64, Error> {
    http.observe(request);
    let partial = Partial::at(file);
    http.repeated(request, &mut || {
        let mut came = 0;
        let result = partial.fetch(http, request, &mut came, on_bytes);
        Attempt {
            result,
            progress: came > 0,
        }
    })
}

/// By what a service recognises the content that a part of is here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    etag: Option<String>,
    modified: Option<String>,
    length: Option<u64>,
}

impl Mark {
    fn of(headers: &Headers, length: Option<u64>) -> Mark {
        let text = |name| headers.get(name).map(str::to_owned);
        Mark {
            // A weak one says that the meaning is the same, not the bytes.
            etag: text("etag").filter(|etag| !etag.starts_with("W/")),
            modified: text("last-modified"),
            length,
        }
    }

    fn tells_something(&self) -> bool {
        self.etag.is_some() || self.modified.is_some()
    }
}

/// A file that may hold the start of some content.
struct Partial {
    file: PathBuf,
    mark: PathBuf,
}

impl Partial {
    fn at(file: &Path) -> Partial {
        let mut mark = file.as_os_str().to_owned();
        mark.push(".of");
        Partial {
            file: file.to_owned(),
            mark: PathBuf::from(mark),
        }
    }

    /// How many bytes are here, and of what; nothing where that is not known.
    fn have(&self) -> (u64, Mark) {
        let mark = fs::read(&self.mark).ok();
        let mark = mark.and_then(|text| serde_json::from_slice::<Mark>(&text).ok());
        let length = fs::metadata(&self.file).map_or(0, |file| file.len());
        match mark {
            Some(mark) if mark.tells_something() && length > 0 => (length, mark),
            _ => (0, Mark::default()),
        }
    }

    /// One attempt. `came` is how many bytes it brought, also where it failed.
    fn fetch(
        &self,
        http: &Http,
        request: &Request,
        came: &mut u64,
        on_bytes: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, Error> {
        let (have, mark) = self.have();
        let reply = self.ask(http, request, have, &mark)?;
        let goes_on = have > 0 && begins_at(&reply, have, &mark);
        if have > 0 && !goes_on && reply.status().as_u16() != 200 {
            // It is not what it was, or a proxy in between does not know of parts.
            self.forget()?;
            return self.fetch(http, request, came, on_bytes);
        }
        let status = reply.status().as_u16();
        if status >= 400 {
            let headers = headers(&reply);
            let body = http.whole(request, reply)?;
            return Err(http.refused(request, status, &headers, &body));
        }
        let start = if goes_on { have } else { 0 };
        let whole = reply.content_length().map(|length| start + length);
        let written = match goes_on {
            true => OpenOptions::new().append(true).open(&self.file),
            false => self.begin(&Mark::of(&headers(&reply), whole)),
        };
        let written = written.map_err(|source| self.failed(source))?;
        let done = self.stream(http, request, reply, written, start, came, on_bytes)?;
        if whole.is_some_and(|whole| whole != done) {
            return Err(cut(http, format!("{done} bytes of {whole:?} came")));
        }
        fs::remove_file(&self.mark).map_err(|source| self.failed(source))?;
        Ok(done)
    }

    /// Asks for what is missing.
    fn ask(
        &self,
        http: &Http,
        request: &Request,
        have: u64,
        mark: &Mark,
    ) -> Result<Response, Error> {
        let mut builder = http.build(request)?;
        if have > 0 {
            builder = builder.header("range", format!("bytes={have}-"));
            builder = match (&mark.etag, &mark.modified) {
                (Some(etag), _) => builder.header("if-range", etag),
                // What the Files API of Databricks knows instead.
                (None, Some(modified)) => builder.header("if-unmodified-since", modified),
                (None, None) => builder,
            };
        }
        builder.send().map_err(|error| http.failed(request, &error))
    }

    /// Begins anew, with what the content will be recognised by.
    fn begin(&self, mark: &Mark) -> std::io::Result<File> {
        let file = File::create(&self.file)?;
        // After the file is empty: the mark never stands beside the start of something else.
        fs::write(&self.mark, serde_json::to_vec(mark)?)?;
        Ok(file)
    }

    fn forget(&self) -> Result<(), Error> {
        fs::remove_file(&self.mark).map_err(|source| self.failed(source))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all of them are what one attempt is about"
    )]
    fn stream(
        &self,
        http: &Http,
        request: &Request,
        mut reply: Response,
        mut file: File,
        mut done: u64,
        came: &mut u64,
        on_bytes: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, Error> {
        let mut block = vec![0; BLOCK];
        loop {
            let read = reply
                .read(&mut block)
                .map_err(|error| cut(http, error.to_string()))?;
            if read == 0 {
                break;
            }
            file.write_all(&block[..read])
                .map_err(|source| self.failed(source))?;
            *came += read as u64;
            done += read as u64;
            if !on_bytes(done) {
                return Err(Error::Stopped {
                    call: request.call(),
                });
            }
        }
        file.sync_all().map_err(|source| self.failed(source))?;
        Ok(done)
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::File {
            path: self.file.display().to_string(),
            source,
        }
    }
}

fn cut(http: &Http, reason: String) -> Error {
    Error::Unreachable {
        service: http.base().to_owned(),
        reason,
    }
}

/// Whether a reply is the rest, from there on, of the content that is known by a mark.
fn begins_at(reply: &Response, have: u64, mark: &Mark) -> bool {
    let headers = headers(reply);
    let range = headers.get("content-range").unwrap_or_default();
    let Some((part, whole)) = range
        .strip_prefix("bytes ")
        .and_then(|range| range.split_once('/'))
    else {
        return false;
    };
    let whole = whole.parse().ok();
    let now = Mark::of(&headers, whole.or(mark.length));
    let same = |was: &Option<String>, is: &Option<String>| is.is_none() || was == is;
    reply.status().as_u16() == 206
        && part.starts_with(&format!("{have}-"))
        && now.length == mark.length
        && same(&mark.etag, &now.etag)
        && same(&mark.modified, &now.modified)
}
