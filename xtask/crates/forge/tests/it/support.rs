//! A forge with a repository that has a first commit, and a clone of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use xtask_testkit::{Account, Forge, Repository};

/// Two people, a repository, and a folder for clones.
pub(crate) struct Scene {
    pub(crate) forge: Forge,
    pub(crate) ada: Account,
    pub(crate) bob: Account,
    pub(crate) repo: Repository,
    pub(crate) folder: TempDir,
}

impl Scene {
    /// Ada owns the repository `taxi`; Bob may write.
    pub(crate) fn new() -> Scene {
        let forge = Forge::start();
        let (ada, bob) = (forge.user("ada"), forge.user("bob"));
        let repo = forge.repository(&ada, "taxi");
        forge.permit(&repo, &bob, "write");
        let _ = forge.commit(&repo, &ada, "main", "README.md", "Taxis\n", "First");
        let folder = tempfile::tempdir().expect("it works");
        Scene {
            forge,
            ada,
            bob,
            repo,
            folder,
        }
    }

    /// Clones a repository as somebody.
    pub(crate) fn clone(&self, url: &str, account: &Account) -> PathBuf {
        let to = self.folder.path().join(&account.login);
        let output = self.git(
            self.folder.path(),
            account,
            &["clone", "--quiet", url, to.to_str().expect("it works")],
        );
        assert!(output.status.success(), "{output:?}");
        to
    }

    /// git as somebody: the token is in a header, as CI has it, and nobody's configuration counts.
    pub(crate) fn git(&self, folder: &Path, account: &Account, args: &[&str]) -> Output {
        let basic = base64(&format!("x-access-token:{}", account.token));
        let header = format!("http.extraHeader=Authorization: Basic {basic}");
        let mut command = Command::new("git");
        command.current_dir(folder).args(["-c", &header]).args(args);
        command
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), &account.login);
            command.env(
                format!("GIT_{role}_EMAIL"),
                format!("{}@example.com", account.login),
            );
        }
        command
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        command.output().expect("it works")
    }

    /// A file committed on a new branch and pushed.
    pub(crate) fn push(&self, clone: &Path, account: &Account, branch: &str, file: &str) -> String {
        std::fs::write(clone.join(file), format!("{branch}\n")).expect("it works");
        for args in [
            vec!["checkout", "--quiet", "-B", branch],
            vec!["add", "--all"],
            vec!["commit", "--quiet", "--message", "Change a file"],
            vec!["push", "--quiet", "--force", "origin", branch],
        ] {
            let output = self.git(clone, account, &args);
            assert!(output.status.success(), "{output:?}");
        }
        let head = self.git(clone, account, &["rev-parse", "HEAD"]);
        String::from_utf8(head.stdout)
            .expect("it works")
            .trim()
            .to_owned()
    }

    /// The address of something below the repository.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repo.full_name)
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
