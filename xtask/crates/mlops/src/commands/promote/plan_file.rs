//! Plans in files: written after they were looked at, applied later or elsewhere, and not changed in between.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;
use xtask_promotion::Plan;

use crate::error::Failure;

/// Writes a plan.
pub(super) fn write(path: &Utf8Path, plan: &Plan) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(plan)?;
    let mut options = OpenOptions::new();
    let opened = options.create_new(true).write(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::usage(format!("the plan cannot be written to {path}"))
            .details(error.to_string())
            .next("name a file that is not there yet")
            .into()
    })
}

/// Reads a plan.
pub(super) fn read(path: &Utf8Path) -> anyhow::Result<Plan> {
    let refused = |why: String| {
        Failure::usage(format!("{path} is no plan of a promotion"))
            .details(why)
            .next("write one: cargo xtask promote --dry-run --plan FILE")
    };
    let text = fs_err::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let plan: Plan =
        xtask_remote::json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    if plan.version != 1 {
        let why = format!("version {}: this tool reads version 1", plan.version);
        return refused(why).err();
    }
    Ok(plan)
}
