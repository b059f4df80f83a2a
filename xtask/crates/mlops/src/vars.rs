//! Every environment variable that xtask reads or sets, in one documented place.
//!
//! They are read once, in [`crate::env::Env::read`]; nothing else looks at the process environment.

/// Set to `1`: fetch nothing; name what is missing instead.
pub(crate) const XTASK_OFFLINE: &str = "XTASK_OFFLINE";
/// Where release archives of the Databricks CLI are served; the official address when unset.
pub(crate) const XTASK_CLI_ARCHIVES: &str = "XTASK_CLI_ARCHIVES";
/// Where Maven Central's files are served; the official address when unset.
pub(crate) const XTASK_MAVEN: &str = "XTASK_MAVEN";
/// A Databricks CLI to use as it is, instead of the one on PATH or a fetched one.
pub(crate) const XTASK_DATABRICKS_CLI: &str = "XTASK_DATABRICKS_CLI";
/// A built `xtask-workspace` program, where the project holds no Rust sources to build it from.
pub(crate) const XTASK_WORKSPACE_BIN: &str = "XTASK_WORKSPACE_BIN";
/// Extras of pyproject.toml that the Python environment has besides, separated by commas.
pub(crate) const XTASK_EXTRAS: &str = "XTASK_EXTRAS";
/// Names of further variables that every program that we start gets, separated by commas.
pub(crate) const XTASK_PASS_ENV: &str = "XTASK_PASS_ENV";
/// For tests of builds with debug assertions: the moment at which the process kills itself.
pub(crate) const XTASK_FAIL_AT: &str = "XTASK_FAIL_AT";
/// Set by CI systems: no prompts, no moving progress, nothing skipped on the default branch.
pub(crate) const CI: &str = "CI";
/// Set to anything: no colour (see no-color.org).
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// Set to anything but `0`: colour although the output is not a terminal.
pub(crate) const CLICOLOR_FORCE: &str = "CLICOLOR_FORCE";
/// `dumb` means a terminal that can neither move the cursor nor colour.
pub(crate) const TERM: &str = "TERM";
/// Set on GitHub Actions: lines of a log may be folded.
pub(crate) const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// The file that GitHub Actions shows as the job's summary.
pub(crate) const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The cargo that runs us; set by `cargo run`.
pub(crate) const CARGO: &str = "CARGO";

/// Prefix of the variables by which the Databricks CLI takes values of bundle variables.
pub(crate) const BUNDLE_VARIABLES: &str = "BUNDLE_VAR_";
/// The bundle variable that says what is deployed beside the commit.
pub(crate) const BUNDLE_VAR_GIT_EDITS: &str = "BUNDLE_VAR_git_edits";
/// Variables that say who signs in to workspaces on Databricks.
pub(crate) const DATABRICKS_CREDENTIALS: &[&str] = &[
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_AUTH_TYPE",
    "DATABRICKS_USERNAME",
    "ARM_CLIENT_ID",
];
/// The configuration file of the Databricks CLI and SDKs.
pub(crate) const DATABRICKS_CONFIG_FILE: &str = "DATABRICKS_CONFIG_FILE";
/// Has the Databricks CLI run no code of the bundle: neither Python nor scripts.
pub(crate) const DATABRICKS_BUNDLE_RESTRICTED: &str = "DATABRICKS_BUNDLE_RESTRICTED_CODE_EXECUTION";
/// Where the Databricks CLI keeps its copy of a deployment's state.
pub(crate) const DATABRICKS_BUNDLE_TMP: &str = "DATABRICKS_BUNDLE_TMP";
/// Lead the Databricks CLI to another bundle, or other files, than those in its folder.
pub(crate) const OTHER_BUNDLES: &[&str] = &["DATABRICKS_BUNDLE_ROOT", "DATABRICKS_BUNDLE_INCLUDES"];
/// The workspace that the Databricks CLI and SDKs take where nothing else names one.
pub(crate) const DATABRICKS_HOST: &str = "DATABRICKS_HOST";
/// The profile that they take.
pub(crate) const DATABRICKS_CONFIG_PROFILE: &str = "DATABRICKS_CONFIG_PROFILE";
/// Where the Databricks CLI keeps what it may forget.
pub(crate) const DATABRICKS_CACHE_DIR: &str = "DATABRICKS_CACHE_DIR";
/// Hosts that no proxy may carry; loopback is always added.
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
/// Who set off the workflow that runs us.
pub(crate) const GITHUB_ACTOR: &str = "GITHUB_ACTOR";
/// The repository of that workflow, `owner/name`.
pub(crate) const GITHUB_REPOSITORY: &str = "GITHUB_REPOSITORY";
/// The number of its run.
pub(crate) const GITHUB_RUN_ID: &str = "GITHUB_RUN_ID";
/// A further host that is a GitHub.
pub(crate) const GH_HOST: &str = "GH_HOST";
/// All tokens for GitHub: git gets them when it talks to a remote, for its credential helpers.
pub(crate) const GITHUB_TOKENS: &[&str] = &[
    "GH_TOKEN",
    GITHUB_TOKEN,
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
];
