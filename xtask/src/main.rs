//! `cargo xtask`: the commands of `xtask-mlops`, and those that this project adds (see docs/own-commands.md).

fn main() -> std::process::ExitCode {
    xtask_mlops::Cli::new().run()
}
