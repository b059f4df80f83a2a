//! Every command line in the docs does what the page says.
//!
//! `console` fences run in the order of their page, in a temporary copy of the project; `...` stands
//! for any lines and `[..]` for any text within one. `console forge` fences run on a branch with one
//! commit, whose remote is a local GitHub; before `console approved` ones the checks of its pull request pass
//! and a reviewer approves it. `console external` fences need accounts: their command lines are parsed by the
//! tool's own parser.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use snapbox::{Assert, IntoData as _};
use xtask_testkit::{Account, Forge, Project, Repository, Said, repository};

/// What runs the docs tests is not run by them; that it runs elsewhere is checked instead.
const OUTER: &str = "cargo xtask ci";

/// A command line and what it prints.
#[derive(Debug)]
struct Example {
    line: String,
    expected: String,
    needs: Needs,
}

/// What a command line needs besides the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Forge,
    Approval,
    Accounts,
}

#[test]
fn console_fences_are_true() {
    let project = Project::of_this_repository(env!("CARGO_BIN_EXE_xtask-mlops"));
    let (mut executed, mut parsed, mut pages) = (0, 0, 0);
    let mut change = None;
    for page in pages_of_the_docs() {
        let text = std::fs::read_to_string(&page).unwrap();
        let examples = examples(&text);
        pages += usize::from(!examples.is_empty());
        for example in examples {
            if example.line == OUTER {
                let ci = std::fs::read_to_string(repository().join(".ci/run")).unwrap();
                assert!(ci.contains(OUTER), "nothing runs `{OUTER}`");
                continue;
            }
            let page = page.display().to_string();
            let environment = match example.needs {
                Needs::Accounts => {
                    parse(&project, &example);
                    parsed += 1;
                    continue;
                }
                Needs::Nothing => Vec::new(),
                needs => {
                    let change = change.get_or_insert_with(|| Change::propose(&project));
                    if needs == Needs::Approval {
                        change.approve(&project);
                    }
                    vec![("GH_ENTERPRISE_TOKEN", change.owner.token.clone())]
                }
            };
            execute(&project, &page, &example, &environment);
            executed += 1;
        }
    }
    assert!(executed > 10, "only {executed} command lines were found");
    println!("docs: {executed} command lines executed, {parsed} parsed, on {pages} pages");
}

#[test]
fn a_page_that_is_not_true_is_found() {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let text = "```console\n$ echo two; echo three\none\n```\n";
    let found = std::panic::catch_unwind(|| execute(&project, "a page", &examples(text)[0], &[]));
    assert!(found.is_err());
}

fn pages_of_the_docs() -> Vec<std::path::PathBuf> {
    let mut pages = vec![
        repository().join("README.md"),
        repository().join("CONTRIBUTING.md"),
    ];
    let mut docs: Vec<_> = std::fs::read_dir(repository().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    docs.sort();
    pages.extend(docs);
    pages
}

fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut fence: Option<Needs> = None;
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                fence = match &*info {
                    "console" => Some(Needs::Nothing),
                    "console forge" => Some(Needs::Forge),
                    "console approved" => Some(Needs::Approval),
                    "console external" => Some(Needs::Accounts),
                    _ => None,
                };
            }
            Event::End(TagEnd::CodeBlock) => fence = None,
            Event::Text(text) => {
                let Some(needs) = fence else { continue };
                for line in text.lines() {
                    match (line.strip_prefix("$ "), examples.last_mut()) {
                        (Some(line), _) => examples.push(Example {
                            line: line.to_owned(),
                            expected: String::new(),
                            needs,
                        }),
                        (None, Some(example)) => {
                            example.expected.push_str(line);
                            example.expected.push('\n');
                        }
                        (None, None) => panic!("a console fence starts with a command: {line}"),
                    }
                }
            }
            _ => {}
        }
    }
    examples
}

/// A branch with one commit, and the local GitHub that it is proposed to.
struct Change {
    forge: Forge,
    repository: Repository,
    owner: Account,
    reviewer: Account,
}

impl Change {
    fn propose(project: &Project) -> Change {
        let forge = Forge::start();
        let owner = forge.user("ann");
        let reviewer = forge.user("bob");
        let repository = forge.repository(&owner, "taxi");
        forge.permit(&repository, &reviewer, "write");
        let helper = format!(
            "credential.helper=!f() {{ echo username=x; echo password={}; }}; f",
            owner.token
        );
        project.git(&["config", "user.name", "Ann"]);
        project.git(&["config", "user.email", "ann@example.com"]);
        project.git(&["remote", "add", "origin", &repository.clone_url]);
        project.git(&["-c", &helper, "push", "--quiet", "origin", "main"]);
        project.git(&["switch", "--quiet", "--create", "careful-fit"]);
        let notebook = project.root().join("notebooks/Train.py");
        let text = std::fs::read_to_string(&notebook).unwrap();
        std::fs::write(&notebook, text + "\n# With care.\n").unwrap();
        project.git(&["commit", "--quiet", "--all", "--message", "Fit with care"]);
        Change {
            forge,
            repository,
            owner,
            reviewer,
        }
    }

    /// Once is enough; a second review of the same commit does no harm.
    fn approve(&self, project: &Project) {
        let sha = project.git(&["rev-parse", "HEAD"]);
        let check = [("Unit and integration tests", "success")];
        self.forge.checks(&self.repository, &sha, &check);
        self.forge
            .review(&self.repository, 1, &self.reviewer, "APPROVE", "fine");
    }
}

fn execute(project: &Project, page: &str, example: &Example, environment: &[(&str, String)]) {
    // What a reader sees is both streams in one.
    let said = Said::from(
        project
            .shell(&format!("({}) 2>&1", example.line))
            .envs(environment.iter().cloned())
            .output()
            .unwrap(),
    );
    assert_eq!(
        said.code,
        Some(0),
        "{page}: `{}` failed:\n{}",
        example.line,
        said.stdout
    );
    let matched = Assert::new().try_eq(
        Some(&format!("{page}: {}", example.line)),
        said.stdout.into_data(),
        example.expected.clone().into_data(),
    );
    if let Err(difference) = matched {
        panic!(
            "{page}: `{}` prints something else:\n{difference}",
            example.line
        );
    }
}

fn parse(project: &Project, example: &Example) {
    let Some(arguments) = example.line.strip_prefix("cargo xtask ") else {
        return;
    };
    let said = Said::from(
        project
            .shell(&format!("cargo xtask --parse-only {arguments}"))
            .output()
            .unwrap(),
    );
    assert_eq!(
        said.code,
        Some(0),
        "`{}` is not understood:\n{}",
        example.line,
        said.stderr
    );
}
