//! Writes the man pages of `cargo xtask` to a folder: `cargo run --package xtask-mlops --example man DIR`.
//!
//! They are not a command, so that what generates them is compiled only by those who want them.

fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "man".to_owned());
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(xtask_mlops::Cli::new().definition(), folder)?;
    Ok(())
}
