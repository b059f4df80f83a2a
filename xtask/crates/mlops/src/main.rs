//! The tool as a program of its own, with no command of a project's: for tests, and where it is installed.

fn main() -> std::process::ExitCode {
    xtask_mlops::Cli::new().run()
}
