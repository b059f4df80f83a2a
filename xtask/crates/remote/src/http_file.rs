//! A reply that is too large for memory: streamed into a file.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::Error;
use crate::http::Http;
use crate::refusal::refused;
use crate::transport::{Headers, Request};

impl Http {
    /// Writes the body of a reply into a file, and says how long it is. `on_bytes` is told how many bytes
    /// have come, and answers whether to go on. The file is whole only where this succeeds.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::Unreachable`] also when the caller said stop.
    pub fn save(
        &self,
        request: &Request,
        file: &Path,
        on_bytes: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, Error> {
        let failed = |error: reqwest::Error| self.failed(request, &error);
        self.observe(request);
        let mut reply = self.build(request)?.send().map_err(failed)?;
        let status = reply.status().as_u16();
        if status >= 400 {
            let body = reply.bytes().map_err(failed)?;
            return Err(refused(request, status, &Headers::default(), &body));
        }
        let local = |source| Error::File {
            path: file.display().to_string(),
            source,
        };
        let mut written = File::create(file).map_err(local)?;
        let (mut block, mut done) = (vec![0; 64 * 1024], 0);
        let broken = |reason: String| Error::Unreachable {
            service: self.base().to_owned(),
            reason,
        };
        loop {
            let read = reply
                .read(&mut block)
                .map_err(|error| broken(error.to_string()))?;
            if read == 0 {
                break;
            }
            written.write_all(&block[..read]).map_err(local)?;
            done += read as u64;
            if !on_bytes(done) {
                return Err(broken("stopped".to_owned()));
            }
        }
        written.sync_all().map_err(local)?;
        Ok(done)
    }
}
