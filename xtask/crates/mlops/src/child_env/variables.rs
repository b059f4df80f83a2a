//! The variables of each kind of program: exact names, and prefixes with exceptions.

/// Some variables.
pub(super) struct List {
    names: &'static [&'static str],
    beginnings: &'static [&'static str],
    /// Prefixes and words that exclude names from `beginnings`.
    but: &'static [&'static str],
}

impl List {
    /// Whether it contains a variable.
    pub(super) fn has(&self, name: &str) -> bool {
        let begins = self.beginnings.iter().any(|start| name.starts_with(start));
        let left_out = || self.but.iter().any(|part| name.contains(part));
        self.names.contains(&name) || (begins && !left_out())
    }

    const fn names(names: &'static [&'static str]) -> List {
        List {
            names,
            beginnings: &[],
            but: &[],
        }
    }
}

/// The machine, the user, the language, the terminal.
pub(super) const SYSTEM: List = List {
    names: &[
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TMP",
        "TEMP",
        "TERM",
        "COLORTERM",
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "CI",
        "GITHUB_ACTIONS",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
        "JAVA_HOME",
        "SPARK_HOME",
        "SPARK_LOCAL_IP",
        "SOURCE_DATE_EPOCH",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
    ],
    beginnings: &["LC_", "XDG_"],
    but: &[],
};

pub(super) const PROXIES: List = List::names(&[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
]);

/// Certificates.
pub(super) const HTTP: List = List::names(&[
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "NETRC",
]);

/// Settings of Python and its tests, except those that point to another project's modules.
pub(super) const PYTHON: List = List {
    names: &[
        "PYTHONHASHSEED",
        "PYTHONWARNINGS",
        "PYTHONUTF8",
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONFAULTHANDLER",
        "PYTHONDEVMODE",
        "PYTHONTRACEMALLOC",
        "PYTEST_ADDOPTS",
        "PYTEST_PLUGINS",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
        "HYPOTHESIS_PROFILE",
        "PYSPARK_PYTHON",
        "PYSPARK_DRIVER_PYTHON",
        "SPARK_CONF_DIR",
        "COVERAGE_CORE",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    ],
    beginnings: &[],
    but: &[],
};

/// git's identity, transport and credentials, and what the user's editor, agent and hooks need. Nothing
/// that sets the repository's location or changes plumbing output.
pub(super) const GIT: List = List {
    names: &[
        "GIT_ASKPASS",
        "GIT_EDITOR",
        "GIT_SEQUENCE_EDITOR",
        "GIT_PAGER",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_ALLOW_PROTOCOL",
        "GIT_CEILING_DIRECTORIES",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_TEMPLATE_DIR",
        "GIT_ATTR_NOSYSTEM",
        "GIT_TRACE",
        "GIT_TRACE_CURL",
        "GIT_CURL_VERBOSE",
        "SSH_AUTH_SOCK",
        "SSH_AGENT_PID",
        "SSH_ASKPASS",
        "SSH_ASKPASS_REQUIRE",
        "GNUPGHOME",
        "GPG_TTY",
        "GPG_AGENT_INFO",
        "PASSWORD_STORE_DIR",
        "KRB5CCNAME",
        "KRB5_CONFIG",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "LESS",
        "EMAIL",
        "BROWSER",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XAUTHORITY",
        "DBUS_SESSION_BUS_ADDRESS",
        "TERM_PROGRAM",
        "SKIP",
        "HUSKY",
        "LEFTHOOK",
        "NVM_DIR",
    ],
    beginnings: &[
        "GIT_AUTHOR_",
        "GIT_COMMITTER_",
        "GIT_CONFIG_",
        "GIT_SSL_",
        "GIT_PROXY_SSL_",
        "GIT_HTTP_",
        "GIT_LFS_",
        "GCM_",
        "PRE_COMMIT_",
        "VSCODE_GIT_",
        "VSCODE_IPC_",
    ],
    // Set by `git -c` for its hooks, and meant for that git only.
    but: &["GIT_CONFIG_PARAMETERS"],
};

/// Set by git for its hooks: the repository's location.
const SET_FOR_HOOKS: &[&str] = &["GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// Whether git set a variable for the hooks of a commit: its author and editor.
pub(super) fn is_of_a_hook(name: &str, has: impl Fn(&str) -> bool) -> bool {
    let of_commit = name.starts_with("GIT_AUTHOR_") || name == "GIT_EDITOR";
    of_commit && SET_FOR_HOOKS.iter().any(|set| has(set))
}

/// gh's settings; its tokens are passed separately.
pub(super) const GH: List = List::names(&[
    "GH_CONFIG_DIR",
    "GH_HOST",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
]);

/// uv, for installing.
pub(super) const UV: List = List {
    names: &[],
    beginnings: &["UV_"],
    but: &["UV_PUBLISH_"],
};

pub(super) const PIP: List = List {
    names: &[],
    beginnings: &["PIP_"],
    but: &[],
};

/// Package indexes for building a bundle's wheels, without credentials.
pub(super) const REGISTRIES: List = List {
    names: &[],
    beginnings: &["UV_", "PIP_"],
    but: &[
        "PUBLISH",
        "PASSWORD",
        "USERNAME",
        "TOKEN",
        "SECRET",
        "CREDENTIAL",
        "KEYRING",
        "KEY",
    ],
};

pub(super) const GO: List = List {
    names: &[
        "GOAUTH",
        "GOCACHE",
        "GOENV",
        "GOFLAGS",
        "GOINSECURE",
        "GOMODCACHE",
        "GONOPROXY",
        "GONOSUMDB",
        "GOPATH",
        "GOPRIVATE",
        "GOPROXY",
        "GOROOT",
        "GOSUMDB",
        "GOTMPDIR",
        "GOTOOLCHAIN",
        "GOMAXPROCS",
        "GOVCS",
    ],
    beginnings: &[],
    but: &[],
};

/// cargo, rustc and the compilers of build scripts. Must be the same as for the cargo around us, or each of
/// the two rebuilds what the other one built.
pub(super) const CARGO: List = List {
    names: &[
        "AR",
        "ARFLAGS",
        "CC",
        "CFLAGS",
        "CPATH",
        "CRATE_CC_NO_DEFAULTS",
        "CXX",
        "CXXFLAGS",
        "CXXSTDLIB",
        "C_INCLUDE_PATH",
        "LDFLAGS",
        "LIBRARY_PATH",
        "MACOSX_DEPLOYMENT_TARGET",
        "RANLIB",
        "SDKROOT",
        "HOST_AR",
        "HOST_CC",
        "HOST_CFLAGS",
        "HOST_CXX",
        "HOST_CXXFLAGS",
        "TARGET_AR",
        "TARGET_CC",
        "TARGET_CFLAGS",
        "TARGET_CXX",
        "TARGET_CXXFLAGS",
        "DEVELOPER_DIR",
    ],
    beginnings: &[
        "CARGO_",
        "RUST",
        "SCCACHE_",
        "CCACHE_",
        "PKG_CONFIG",
        "AR_",
        "CC_",
        "CFLAGS_",
        "CXX_",
        "CXXFLAGS_",
        "RANLIB_",
        "LIBSQLITE3_",
        "SQLITE3_",
        "ZSTD_",
    ],
    but: &[
        // Set by cargo for the program that it runs.
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_MAKEFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUST_RECURSION_COUNT",
        // The token for publishing.
        "CARGO_REGISTRY_TOKEN",
    ],
};

/// npm and Node.js.
pub(super) const NODE: List = List {
    names: &["NODE_OPTIONS", "NODE_PATH", "NVM_DIR"],
    beginnings: &["npm_config_", "NPM_CONFIG_"],
    but: &[],
};

/// Values of bundle variables.
pub(super) const BUNDLE: List = List {
    names: &[],
    beginnings: &[crate::vars::BUNDLE_VARIABLES],
    but: &[],
};

/// Databricks hosts and credentials: the CLI's unified authentication, and its Terraform.
pub(super) const DATABRICKS: List = List {
    names: &[
        "AZURE_CONFIG_DIR",
        "GOOGLE_CREDENTIALS",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "TF_CLI_CONFIG_FILE",
        "TF_LOG",
        "TF_PLUGIN_CACHE_DIR",
        "BROWSER",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "DBUS_SESSION_BUS_ADDRESS",
    ],
    // SYSTEM_: the identity of a pipeline of Azure DevOps.
    beginnings: &["DATABRICKS_", "ARM_", "CLOUDSDK_", "SYSTEM_"],
    but: &[],
};

/// The display.
pub(super) const DESKTOP: List = List {
    names: &[
        "BROWSER",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XAUTHORITY",
        "DBUS_SESSION_BUS_ADDRESS",
        "DESKTOP_SESSION",
        "WSL_DISTRO_NAME",
        "WSL_INTEROP",
    ],
    beginnings: &["KDE_", "GNOME_"],
    but: &[],
};

/// Our own settings.
pub(super) const XTASK: List = List {
    names: &[],
    beginnings: &["XTASK_"],
    but: &["XTASK_GIT_"],
};
