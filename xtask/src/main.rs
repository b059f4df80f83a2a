//! `cargo xtask`: the commands of `xtask-mlops`, and those that this project adds (docs/own-commands.md of the tool).

fn main() -> std::process::ExitCode {
    xtask_mlops::Cli::new().run()
}
