//! A slow disk: the kernel asks a program of ours before each call that changes a folder or waits for the disk, of
//! every process that a command starts, and that program takes its time.

use std::path::Path;
use std::process::Command;

use xtask_testkit::repository;

use super::kinds::through;

const SCRIPT: &str = include_str!("slow_disk.py");
/// How long each such call takes, one after the other.
const MILLISECONDS: &str = "10";

/// Puts the program in place.
pub(super) fn write(folder: &Path) {
    std::fs::write(folder.join("slow_disk.py"), SCRIPT).unwrap();
}

/// Has a command and all that it starts work on a slow disk. Only Linux can be asked for one.
pub(super) fn wrap(folder: &Path, command: &mut Command) {
    if cfg!(target_os = "linux") {
        let python = repository().join(".venv/bin/python");
        let script = folder.join("slow_disk.py");
        let args = [script.to_str().unwrap(), MILLISECONDS];
        *command = through(command, python.to_str().unwrap(), &args);
    }
}
