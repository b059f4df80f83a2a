//! Reads blobs through one `git cat-file` process.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::Git;
use crate::error::{Failure, Kind};
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
        let mut command = self.plumbing(&["cat-file", "--batch"]);
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
        let listed = self.fed(
            &["cat-file", "--batch-check=%(objectname) %(objectsize)"],
            lines(ids),
        )?;
        Ok(String::from_utf8_lossy(&listed)
            .lines()
            .filter_map(|line| {
                let (id, size) = line.split_once(' ')?;
                Some((id.to_owned(), size.parse().ok()?))
            })
            .collect())
    }

    /// The output of a local git command with `input` on stdin.
    pub(super) fn fed(&self, args: &[&str], input: String) -> anyhow::Result<Vec<u8>> {
        let mut command = self.plumbing(args);
        let line = process::typed(&command);
        self.ui.explain(&line);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        // Written in a thread: with large input and output both sides would block.
        let writer = std::thread::spawn(move || {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(input.as_bytes());
            }
        });
        let output = child.wait_with_output()?;
        let _ = writer.join();
        if output.status.success() {
            return Ok(output.stdout);
        }
        Failure::new(
            Kind::Failed,
            format!("`{line}` ended with {}", output.status),
        )
        .details(String::from_utf8_lossy(&output.stderr))
        .err()
    }
}

impl Blobs {
    /// An object's content; `None` if missing.
    pub(crate) fn read(&mut self, id: &str) -> anyhow::Result<Option<Vec<u8>>> {
        writeln!(self.asked, "{id}")?;
        self.asked.flush()?;
        let mut header = String::new();
        if self.told.read_line(&mut header)? == 0 {
            return Failure::new(Kind::Failed, "git exited while reading a file")
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
pub(super) fn lines(ids: &[&str]) -> String {
    ids.iter().flat_map(|id| [id, "\n"]).collect()
}
