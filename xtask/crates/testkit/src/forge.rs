//! A local GitHub of a test's own.

mod http;
mod verbs;

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::http::Client;

/// A running forge, with its state in a folder of its own. Dropping it ends it.
///
/// Repositories are at `URL/OWNER/REPO.git`, the API is where GitHub Enterprise has it (`/api/v3`,
/// `/api/graphql`), and on [`Forge::socket`] the same is served as github.com and api.github.com, for gh.
#[derive(Debug)]
pub struct Forge {
    folder: TempDir,
    program: PathBuf,
    child: Child,
    url: String,
    operator: String,
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
    /// The run.
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
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = forge_program();
        let child = spawn(&program, folder.path());
        let mut forge = Forge {
            folder,
            program,
            child,
            url: String::new(),
            operator: String::new(),
            client: Client::default(),
        };
        forge.wait_until_it_answers();
        forge
    }

    /// Ends it as if the machine had lost power, and starts it again on the same state and port.
    ///
    /// # Panics
    /// When it does not start again.
    pub fn restart(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(self.state().join("server.json"));
        self.child = spawn(&self.program, self.folder.path());
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        let announced = self.state().join("server.json");
        loop {
            let text = std::fs::read_to_string(&announced).unwrap_or_default();
            if let Ok(Value::Object(said)) = serde_json::from_str(&text) {
                self.url = said["url"].as_str().unwrap_or_default().to_owned();
                let token = std::fs::read_to_string(self.state().join("token"));
                self.operator = token.expect("the forge's token").trim().to_owned();
                return;
            }
            let ended = self.child.try_wait().expect("the forge can be asked");
            let late = started.elapsed() > Duration::from_secs(60);
            assert!(
                ended.is_none() && !late,
                "the forge did not start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The base address of the REST API.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}/api/v3", self.url)
    }

    /// The address of the GraphQL API.
    #[must_use]
    pub fn graphql_url(&self) -> String {
        format!("{}/api/graphql", self.url)
    }

    /// The Unix socket on which it answers as github.com: gh's `http_unix_socket`.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// The folder of its state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The end of what it logged.
    #[must_use]
    pub fn log(&self) -> String {
        let file = std::fs::File::open(self.folder.path().join("log"));
        let lines = file.map(|file| {
            std::io::BufReader::new(file)
                .lines()
                .map_while(Result::ok)
                .collect()
        });
        let lines: Vec<String> = lines.unwrap_or_default();
        lines[lines.len().saturating_sub(30)..].join("\n")
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
        let address = format!("{}/_forge/v1{path}", self.url);
        let (status, reply) = self.client.send(&self.operator, method, &address, body);
        assert!(status < 300, "{method} {path}: {status} {reply}");
        reply
    }
}

impl Drop for Forge {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Path, folder: &Path) -> Child {
    let log = std::fs::File::create(folder.join("log")).expect("a log file");
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg("--state")
        .arg(folder.join("state"))
        .arg("--socket")
        .arg(folder.join("socket"));
    // Where what went over the wire is to be held against GitHub's published descriptions.
    if let Some(kept) = std::env::var_os("XTASK_TEST_GITHUB_EXCHANGES") {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let file = Path::new(&kept).join(format!("{name}.jsonl"));
        command.arg("--exchanges").arg(file);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command.spawn().expect("the forge starts")
}

/// The forge's program: that of `XTASK_TEST_FORGE_BIN`, or the one beside the test's own program.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn forge_program() -> PathBuf {
    if let Some(program) = std::env::var_os("XTASK_TEST_FORGE_BIN") {
        return PathBuf::from(program);
    }
    let test = std::env::current_exe().expect("a test has a program");
    // target/debug/deps/TEST: the programs are one folder up.
    let folder = test
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("."));
    let program = folder.join("xtask-forge");
    assert!(
        program.exists(),
        "{} is missing: run `cargo build --workspace --bins` first",
        program.display()
    );
    program
}
