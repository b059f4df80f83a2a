//! Every environment variable that xtask reads or sets, in one documented place.
//!
//! They are read once, in [`crate::env::Env::read`]; nothing else looks at the process environment.

/// Set to `1`: download nothing; report what is missing instead.
pub(crate) const XTASK_OFFLINE: &str = "XTASK_OFFLINE";
/// A mirror of the Databricks CLI's release archives; the official address when unset.
pub(crate) const XTASK_CLI_ARCHIVES: &str = "XTASK_CLI_ARCHIVES";
/// A mirror of Maven Central; the official address when unset.
pub(crate) const XTASK_MAVEN: &str = "XTASK_MAVEN";
/// The Databricks CLI to use, instead of the one on PATH or a downloaded one.
pub(crate) const XTASK_DATABRICKS_CLI: &str = "XTASK_DATABRICKS_CLI";
/// The `xtask-workspace` program to use instead of building one.
pub(crate) const XTASK_WORKSPACE_BIN: &str = "XTASK_WORKSPACE_BIN";
/// Extras of pyproject.toml to install into the Python environment, comma-separated.
pub(crate) const XTASK_EXTRAS: &str = "XTASK_EXTRAS";
/// Further variables that every child process inherits, comma-separated.
pub(crate) const XTASK_PASS_ENV: &str = "XTASK_PASS_ENV";
/// For tests of debug builds: the point at which the process kills itself.
pub(crate) const XTASK_FAIL_AT: &str = "XTASK_FAIL_AT";
/// Set by CI systems: no prompts, no moving progress, nothing skipped on the default branch.
pub(crate) const CI: &str = "CI";
/// Set to anything: no colour (see no-color.org).
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// Set to anything but `0`: colour even if the output is not a terminal.
pub(crate) const CLICOLOR_FORCE: &str = "CLICOLOR_FORCE";
/// `dumb` means a terminal that can neither move the cursor nor colour.
pub(crate) const TERM: &str = "TERM";
/// Set on GitHub Actions: the log supports groups.
pub(crate) const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// The file that GitHub Actions shows as the job's summary.
pub(crate) const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The cargo that runs us; set by `cargo run`.
pub(crate) const CARGO: &str = "CARGO";

/// Prefix of the variables by which the Databricks CLI takes values of bundle variables.
pub(crate) const BUNDLE_VARIABLES: &str = "BUNDLE_VAR_";
/// The bundle variable that tells uncommitted changes in a deployment.
pub(crate) const BUNDLE_VAR_GIT_EDITS: &str = "BUNDLE_VAR_git_edits";
/// Credentials for Databricks workspaces.
pub(crate) const DATABRICKS_CREDENTIALS: &[&str] = &[
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_AUTH_TYPE",
    "DATABRICKS_USERNAME",
    "ARM_CLIENT_ID",
];
/// The configuration file of the Databricks CLI and SDKs.
pub(crate) const DATABRICKS_CONFIG_FILE: &str = "DATABRICKS_CONFIG_FILE";
/// Forbids the Databricks CLI to run the bundle's Python and scripts.
pub(crate) const DATABRICKS_BUNDLE_RESTRICTED: &str = "DATABRICKS_BUNDLE_RESTRICTED_CODE_EXECUTION";
/// Where the Databricks CLI keeps its copy of a deployment's state.
pub(crate) const DATABRICKS_BUNDLE_TMP: &str = "DATABRICKS_BUNDLE_TMP";
/// Point the Databricks CLI to another bundle or other files.
pub(crate) const OTHER_BUNDLES: &[&str] = &["DATABRICKS_BUNDLE_ROOT", "DATABRICKS_BUNDLE_INCLUDES"];
/// The workspace that the Databricks CLI and SDKs take where nothing else names one.
pub(crate) const DATABRICKS_HOST: &str = "DATABRICKS_HOST";
/// The profile that they take.
pub(crate) const DATABRICKS_CONFIG_PROFILE: &str = "DATABRICKS_CONFIG_PROFILE";
/// The Databricks CLI's cache folder.
pub(crate) const DATABRICKS_CACHE_DIR: &str = "DATABRICKS_CACHE_DIR";
/// Hosts that bypass the proxy; loopback is always added.
pub(crate) const NO_PROXY: &[&str] = &["NO_PROXY", "no_proxy"];
/// Where uv keeps the project's environment; `.venv` when unset.
pub(crate) const UV_PROJECT_ENVIRONMENT: &str = "UV_PROJECT_ENVIRONMENT";
/// The interpreter that the user tells uv to take.
pub(crate) const UV_PYTHON: &str = "UV_PYTHON";
/// Tokens for github.com and GitHub Enterprise Cloud, in the order in which they count (gh's own).
pub(crate) const CLOUD_TOKENS: &[&str] = &["GH_TOKEN", GITHUB_TOKEN];
/// Tokens for all other GitHubs, in the order in which they count.
pub(crate) const SERVER_TOKENS: &[&str] = &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
/// The token of the GitHub Actions job that runs us, for the GitHub of `GITHUB_SERVER_URL`.
pub(crate) const GITHUB_TOKEN: &str = "GITHUB_TOKEN";
/// The GitHub whose Actions run us.
pub(crate) const GITHUB_SERVER_URL: &str = "GITHUB_SERVER_URL";
/// The user who triggered the workflow.
pub(crate) const GITHUB_ACTOR: &str = "GITHUB_ACTOR";
/// The repository of that workflow, `owner/name`.
pub(crate) const GITHUB_REPOSITORY: &str = "GITHUB_REPOSITORY";
/// The number of its run.
pub(crate) const GITHUB_RUN_ID: &str = "GITHUB_RUN_ID";
/// The host of a GitHub Enterprise Server.
pub(crate) const GH_HOST: &str = "GH_HOST";
/// All tokens for GitHub: git gets them when it talks to a remote, for its credential helpers.
pub(crate) const GITHUB_TOKENS: &[&str] = &[
    "GH_TOKEN",
    GITHUB_TOKEN,
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
];
