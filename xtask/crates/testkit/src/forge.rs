//! A local GitHub of a test's own.

mod http;
mod verbs;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use self::http::Client;
use crate::server_program::{ServerProgram, built};

/// A running forge, with its state in a folder of its own. Dropping it ends it.
///
/// Repositories are at `URL/OWNER/REPO.git`, the API is where GitHub Enterprise has it (`/api/v3`,
/// `/api/graphql`), and on [`Forge::socket`] the same is served as github.com and api.github.com, for gh.
#[derive(Debug)]
pub struct Forge {
    server: ServerProgram,
    client: Client,
}

/// Somebody with an account and a token.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// The name of the account.
    pub login: String,
    /// A token that may change things.
    pub token: String,
    /// The account's number.
    pub id: i64,
}

/// A repository on the forge.
#[derive(Debug, Clone)]
pub struct Repository {
    /// `OWNER/NAME`.
    pub full_name: String,
    /// Where git finds it. The token is not in it.
    pub clone_url: String,
    /// Who owns it.
    pub owner: Account,
}

/// A workflow run and its jobs, by number.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    pub run: i64,
    /// Its jobs, in the order in which they were named. A job's number is also that of its check run.
    pub jobs: Vec<i64>,
}

/// A request that the forge received.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path, as the client said it.
    pub path: String,
    /// What stood behind the question mark.
    pub query: String,
    /// The body: JSON, text, or null for none and for git.
    pub body: Value,
    /// Whose token it carried.
    pub login: Option<String>,
    /// The reply's; `None` when the connection was cut.
    pub status: Option<u16>,
}

impl Forge {
    /// Starts a forge on a free port.
    ///
    /// The program is that of `XTASK_TEST_FORGE_BIN`, or the one beside the test's own program.
    ///
    /// # Panics
    /// When it does not start; the message says why.
    #[must_use]
    pub fn start() -> Forge {
        let server = ServerProgram::start(forge_program(), |folder| {
            let mut args = vec!["--socket".into(), folder.join("socket").into()];
            // To be compared with GitHub's published descriptions.
            if let Some(kept) = std::env::var_os("XTASK_TEST_GITHUB_EXCHANGES") {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let file = Path::new(&kept).join(format!("{name}.jsonl"));
                args.extend(["--exchanges".into(), file.into()]);
            }
            args
        });
        Forge {
            server,
            client: Client::default(),
        }
    }

    /// Ends it as if the machine had lost power, and starts it again on the same state and port.
    ///
    /// # Panics
    /// When it does not start again.
    pub fn restart(&mut self) {
        self.server.restart();
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The base address of the REST API.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}/api/v3", self.url())
    }

    /// The address of the GraphQL API.
    #[must_use]
    pub fn graphql_url(&self) -> String {
        format!("{}/api/graphql", self.url())
    }

    /// The Unix socket on which it answers as github.com: gh's `http_unix_socket`.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.server.folder().join("socket")
    }

    /// The folder of its state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.server.state()
    }

    /// The end of what it logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// A call of the REST API in somebody's name: status and body of the reply.
    ///
    /// # Panics
    /// When there is no reply.
    pub fn rest(&self, account: &Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.client.send(
            &account.token,
            method,
            &format!("{}{path}", self.api()),
            body,
        )
    }

    /// A call of the GraphQL API in somebody's name: the whole reply.
    ///
    /// # Panics
    /// When there is no reply.
    pub fn graphql(&self, account: &Account, query: &str, variables: &Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        self.client
            .send(&account.token, "POST", &self.graphql_url(), &body)
            .1
    }

    /// A call of the forge's own controls (`/_forge/v1`).
    ///
    /// # Panics
    /// When it is refused.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let address = format!("{}/_forge/v1{path}", self.url());
        let (status, reply) = self
            .client
            .send(self.server.token(), method, &address, body);
        assert!(status < 300, "{method} {path}: {status} {reply}");
        reply
    }
}

/// The forge's program: that of `XTASK_TEST_FORGE_BIN`, or the one beside the test's own program.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn forge_program() -> PathBuf {
    built("xtask-forge", "XTASK_TEST_FORGE_BIN")
}
