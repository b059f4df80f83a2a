//! HTTP/1.1 as bytes: heads, and bodies that are passed on while they come.

use std::io::{BufRead, Error, ErrorKind, Read as _, Result};

/// The longest head that anybody sends.
const LONGEST: u64 = 1024 * 1024;

/// First line and headers of a message.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) first: String,
    pub(super) headers: Vec<(String, String)>,
}

/// How one knows where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClosed,
}

/// A part of a body as it comes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// What stands between the pieces of content.
    Frame(&'a [u8]),
    Content(&'a [u8]),
}

impl Part<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Part::Frame(bytes) | Part::Content(bytes) => bytes,
        }
    }
}

impl Head {
    /// Reads a head; `None` when the other side has closed the connection before.
    pub(super) fn read(from: &mut impl BufRead) -> Result<Option<Head>> {
        let mut lines = from.take(LONGEST);
        let mut next = || -> Result<Option<String>> {
            let mut line = Vec::new();
            lines.read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&line);
            Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
        };
        let Some(first) = next()? else {
            return Ok(None);
        };
        let mut headers = Vec::new();
        loop {
            let line = next()?.ok_or(ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                return Ok(Some(Head { first, headers }));
            }
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// The value of a header, whatever its case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = |(own, _): &&(String, String)| own.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(found)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.headers
            .retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Puts another server's name in the place of one, in a header that may hold it.
    pub(super) fn rename(&mut self, name: &str, from: &str, to: &str) {
        for (own, value) in &mut self.headers {
            if own.eq_ignore_ascii_case(name) && value.starts_with(from) {
                value.replace_range(..from.len(), to);
            }
        }
    }

    /// The words of the first line.
    pub(super) fn word(&self, place: usize) -> &str {
        self.first.split(' ').nth(place).unwrap_or_default()
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.word(1).parse().ok()
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name)
            .is_some_and(|own| own.to_ascii_lowercase().contains(value))
    }

    /// How the body of a request ends.
    pub(super) fn framing(&self) -> Result<Framing> {
        if self.is("transfer-encoding", "chunked") {
            return Ok(Framing::Chunked);
        }
        let length = self.get("content-length").unwrap_or("0");
        let length = length.parse().map_err(|_| ErrorKind::InvalidData)?;
        Ok(Framing::Length(length))
    }

    /// How the body of a reply ends.
    pub(super) fn framing_of_reply(&self, to_head: bool) -> Result<Framing> {
        let bare = to_head || matches!(self.status(), Some(100..=199 | 204 | 304));
        match bare {
            true => Ok(Framing::Length(0)),
            false
                if self.get("content-length").is_none()
                    && !self.is("transfer-encoding", "chunked") =>
            {
                Ok(Framing::UntilClosed)
            }
            false => self.framing(),
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Hands the parts of a body to `each` as they come, and reads exactly to its end.
pub(super) fn body(
    from: &mut impl BufRead,
    framing: Framing,
    each: &mut dyn FnMut(Part<'_>) -> Result<()>,
) -> Result<()> {
    match framing {
        Framing::Length(length) => content(from, length, each),
        Framing::UntilClosed => loop {
            let block = from.fill_buf()?;
            if block.is_empty() {
                return Ok(());
            }
            let read = block.len();
            each(Part::Content(block))?;
            from.consume(read);
        },
        Framing::Chunked => loop {
            let line = line(from)?;
            each(Part::Frame(&line))?;
            match size(&line)? {
                0 => break trailers(from, each),
                size => content(from, size, each)?,
            }
            let end = self::line(from)?;
            each(Part::Frame(&end))?;
        },
    }
}

fn content(
    from: &mut impl BufRead,
    mut left: u64,
    each: &mut dyn FnMut(Part<'_>) -> Result<()>,
) -> Result<()> {
    while left > 0 {
        let block = from.fill_buf()?;
        if block.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let read = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        each(Part::Content(&block[..read]))?;
        from.consume(read);
        left -= read as u64;
    }
    Ok(())
}

fn trailers(from: &mut impl BufRead, each: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
    loop {
        let line = line(from)?;
        each(Part::Frame(&line))?;
        if line == b"\r\n" {
            return Ok(());
        }
    }
}

/// A line of a chunked body, with its end.
fn line(from: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LONGEST).read_until(b'\n', &mut line)?;
    match line.ends_with(b"\r\n") {
        true => Ok(line),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn size(line: &[u8]) -> Result<u64> {
    let text = String::from_utf8_lossy(line);
    let digits = text.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16)
        .map_err(|_| Error::new(ErrorKind::InvalidData, format!("{digits:?} is no size")))
}
