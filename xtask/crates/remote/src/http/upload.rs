//! A file on its way to a service.

use std::fs::File;
use std::io::{Error, Read, Result};

use crate::transport::Progress;

/// Reads a file, and tells how far it has got.
pub(crate) struct Upload {
    file: File,
    done: u64,
    progress: Option<Progress>,
}

impl Upload {
    pub(crate) fn new(file: File, progress: Option<Progress>) -> Upload {
        Upload {
            file,
            done: 0,
            progress,
        }
    }
}

impl Read for Upload {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let Some(progress) = &self.progress
            && !progress.tell(self.done)
        {
            return Err(Error::other(Stopped));
        }
        let read = self.file.read(buffer)?;
        self.done += read as u64;
        Ok(read)
    }
}

/// The caller said stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

/// Whether an error comes from a caller who said stop.
pub(crate) fn was_stopped(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<Error>().and_then(Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<Stopped>()) {
            return true;
        }
        cause = error.source();
    }
    false
}
