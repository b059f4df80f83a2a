//! Reads blobs through one `git cat-file` process.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use xshell::cmd;

use super::Git;
use crate::child_env::sh;
use crate::error::Failure;
use crate::process;

/// Reads objects in sequence, without attributes, filters and textconv.
pub(crate) struct Blobs {
    child: Child,
    asked: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Git {
    /// Starts reading objects.
    pub(crate) fn blobs(&self) -> anyhow::Result<Blobs> {
        let mut command = self.plumbing(cmd!(sh(), "git cat-file --batch"));
        self.ui.explain(&process::typed(&command));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(asked), Some(told)) = (child.stdin.take(), child.stdout.take()) else {
            anyhow::bail!("git's pipes are missing");
        };
        let told = BufReader::new(told);
        Ok(Blobs { child, asked, told })
    }

    /// The sizes of objects in bytes, without missing ones. Fetches nothing after [`Git::bring_objects`].
    pub(crate) fn sizes(&self, ids: &[&str]) -> anyhow::Result<HashMap<String, u64>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let line = cmd!(
            sh(),
            "git cat-file '--batch-check=%(objectname) %(objectsize)'"
        );
        Ok(self
            .fed(line, lines(ids))?
            .lines()
            .filter_map(|line| {
                let (id, size) = line.split_once(' ')?;
                Some((id.to_owned(), size.parse().ok()?))
            })
            .collect())
    }
}

impl Blobs {
    /// An object's content; `None` if missing.
    pub(crate) fn read(&mut self, id: &str) -> anyhow::Result<Option<Vec<u8>>> {
        writeln!(self.asked, "{id}")?;
        self.asked.flush()?;
        let mut header = String::new();
        if self.told.read_line(&mut header)? == 0 {
            return Failure::failed("git exited while reading a file")
                .next("git fsck")
                .err();
        }
        let size = header.split_whitespace().nth(2);
        let Some(size) = size.and_then(|size| size.parse().ok()) else {
            return Ok(None);
        };
        let mut content = vec![0; size];
        self.told.read_exact(&mut content)?;
        // A line end follows.
        self.told.read_exact(&mut [0])?;
        Ok(Some(content))
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One a line.
fn lines(ids: &[&str]) -> String {
    ids.iter().flat_map(|id| [id, "\n"]).collect()
}
