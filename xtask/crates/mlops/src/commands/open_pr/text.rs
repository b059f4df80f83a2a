//! Title and description: from the commits and the repository's template, and as the user edits them.

use camino::Utf8Path;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Args;
use crate::context::Context;
use crate::error::Failure;
use crate::git::{Commit, Git};
use crate::pull_request::block::{self, LONGEST_BODY};

/// The most characters of a title that GitHub takes.
const LONGEST_TITLE: usize = 256;
/// How many characters of a description are made of commits: the template and the summary come besides.
const OF_COMMITS: usize = 50_000;
/// What stands between the text and the explanation in the editor.
const SCISSORS: &str = "------------------------ >8 ------------------------";

/// Title and description as people write them, without our summary.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) body: String,
}

impl Text {
    /// What the commits say: one commit's subject and body; of several the first subject, and a list.
    /// `message` is that of a commit which is still to be made.
    pub(super) fn of_commits(commits: &[Commit], message: Option<&str>, branch: &str) -> Text {
        let to_come = message.map(|message| {
            let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
            (subject.trim(), body.trim())
        });
        let made = commits
            .iter()
            .map(|commit| (commit.subject.as_str(), commit.body.as_str()));
        let all: Vec<(&str, &str)> = made.chain(to_come).collect();
        match all.as_slice() {
            [] => Text {
                title: words_of(branch),
                body: String::new(),
            },
            [(subject, body)] => shortened(subject, body),
            several => {
                let listed = several.iter().map(|(subject, _)| format!("- {subject}"));
                let body = listed.collect::<Vec<_>>().join("\n");
                shortened(&words_of(branch), &body)
            }
        }
    }

    /// The template below what the commits say.
    #[must_use]
    pub(super) fn with_template(mut self, template: Option<&str>) -> Text {
        let template = template.map(str::trim).unwrap_or_default();
        if !template.is_empty() {
            let commits = std::mem::take(&mut self.body);
            let parts = [commits.as_str(), template];
            self.body = parts
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("\n\n");
        }
        self
    }

    /// What the command line says wins.
    pub(super) fn with_flags(mut self, context: &Context, args: &Args) -> anyhow::Result<Text> {
        if let Some(title) = &args.title {
            self.title.clone_from(title);
        }
        if let Some(body) = body_flag(context, args)? {
            self.body = body;
        }
        self.check()?;
        Ok(self)
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        let length = self.title.chars().count();
        let what = match () {
            () if self.title.trim().is_empty() => "the title is empty".to_owned(),
            () if self.title.contains(['\n', '\r']) => {
                "the title has more than one line".to_owned()
            }
            () if length > LONGEST_TITLE => {
                format!("the title has {length} characters; GitHub takes {LONGEST_TITLE}")
            }
            () => String::new(),
        };
        if !what.is_empty() {
            return Failure::usage(what)
                .next("cargo xtask open-pr --title TITLE")
                .err();
        }
        let length = self.body.chars().count();
        if length <= LONGEST_BODY {
            return Ok(());
        }
        Failure::usage(format!(
            "the description has {length} characters; GitHub takes {LONGEST_BODY}"
        ))
        .next("cargo xtask open-pr --edit, or --body-file FILE with a shorter one")
        .err()
    }

    /// Has the user edit it in git's editor.
    pub(super) fn edited(&self, git: &Git, folder: &Utf8Path) -> anyhow::Result<Text> {
        fs_err::create_dir_all(folder)?;
        let file = folder.join("PULL_REQUEST.md");
        fs_err::write(&file, self.form())?;
        git.edit(&file)?;
        let edited = Text::of_form(&fs_err::read_to_string(&file)?);
        let _ = fs_err::remove_file(&file);
        edited.check()?;
        Ok(edited)
    }

    fn form(&self) -> String {
        let Text { title, body } = self;
        format!(
            "{title}\n\n{body}\n\n{SCISSORS}\n\
             The first line is the title, what follows the blank line is the description (Markdown).\n\
             This line and what is below it stay here. Without a title nothing is opened.\n"
        )
    }

    fn of_form(form: &str) -> Text {
        let text = form
            .split_once(SCISSORS)
            .map_or(form, |(text, _)| text)
            .trim();
        let (title, body) = text.split_once('\n').unwrap_or((text, ""));
        Text {
            title: title.trim().to_owned(),
            body: body.trim().to_owned(),
        }
    }
}

/// `--body` or `--body-file`; `-` is standard input.
fn body_flag(context: &Context, args: &Args) -> anyhow::Result<Option<String>> {
    if let Some(body) = &args.body {
        return Ok(Some(body.clone()));
    }
    let Some(file) = &args.body_file else {
        return Ok(None);
    };
    let read = match file.as_str() {
        "-" => std::io::read_to_string(std::io::stdin()).map_err(anyhow::Error::from),
        file => fs_err::read_to_string(context.env.cwd.join(file)).map_err(anyhow::Error::from),
    };
    read.map(Some)
        .map_err(|error| Failure::usage(format!("the description cannot be read: {error}")).into())
}

/// A title that is too long is cut, and stands in full above the description.
fn shortened(title: &str, body: &str) -> Text {
    let body = block::cut(body, OF_COMMITS);
    if title.chars().count() <= LONGEST_TITLE {
        return Text {
            title: title.to_owned(),
            body,
        };
    }
    let start: String = title.chars().take(LONGEST_TITLE - 1).collect();
    Text {
        title: format!("{}…", start.trim_end()),
        body: format!("{title}\n\n{body}").trim().to_owned(),
    }
}

/// A branch's name as a title: `widen-the_gate` becomes `Widen the gate`.
fn words_of(branch: &str) -> String {
    let last = branch.rsplit('/').next().unwrap_or(branch);
    let words = last.replace(['-', '_'], " ");
    let words = words.trim();
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => branch.to_owned(),
    }
}

/// A name for a branch, from a sentence: `Widen the gate!` becomes `widen-the-gate`.
pub(super) fn branch_of(sentence: &str) -> String {
    const LONGEST: usize = 50;
    let mut name = String::new();
    for character in in_ascii(sentence).chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    if name.len() > LONGEST {
        // Whole words only.
        let end = name[..=LONGEST].rfind('-').unwrap_or(LONGEST);
        name.truncate(end);
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "change" } else { name }.to_owned()
}

/// A sentence with its letters in ASCII, as far as they are Latin: without accents, and with those that are no
/// letter with an accent spelled out.
fn in_ascii(sentence: &str) -> String {
    const SPELLED: &[(char, &str)] = &[
        ('ß', "ss"),
        ('æ', "ae"),
        ('œ', "oe"),
        ('ø', "o"),
        ('đ', "d"),
        ('ð', "d"),
        ('þ', "th"),
        ('ł', "l"),
        ('ı', "i"),
    ];
    let mut text = String::new();
    for character in sentence
        .nfkd()
        .filter(|character| !is_combining_mark(*character))
    {
        let lower = character.to_lowercase().next().unwrap_or(character);
        match SPELLED.iter().find(|(letter, _)| *letter == lower) {
            Some((_, spelled)) => text.push_str(spelled),
            None => text.push(character),
        }
    }
    text
}

/// The template of the repository; `None` where it has none.
pub(super) fn template(
    git: &Git,
    commit: &str,
    asked: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let mut files = git.files_below(commit, ".github").unwrap_or_default();
    files.extend(git.files_below(commit, "docs").unwrap_or_default());
    files.extend(git.files_at_the_top(commit).unwrap_or_default());
    let content = |file: &str| {
        let bytes = git.content(commit, file)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    if let Some(asked) = asked {
        let wanted = asked.trim_end_matches(".md").to_lowercase();
        let several = files.iter().filter(|file| is_one_of_several(file));
        let stem = |file: &str| {
            let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
            name.rsplit_once('.')
                .map_or(name.clone(), |(stem, _)| stem.to_owned())
        };
        let found = several.clone().find(|file| stem(file) == wanted);
        let names: Vec<String> = several.map(|file| stem(file)).collect();
        return match found {
            Some(file) => Ok(content(file)),
            None => Failure::usage(format!("there is no template {asked}"))
                .next(match names.is_empty() {
                    true => "the repository has no templates to choose from".to_owned(),
                    false => format!("take one of: {}", names.join(", ")),
                })
                .err(),
        };
    }
    // GitHub's own order of places.
    let found = [".github/", "", "docs/"].iter().find_map(|folder| {
        files.iter().find(|file| {
            let name = file.to_lowercase();
            let name = name.strip_prefix(folder).unwrap_or("/");
            matches!(
                name,
                "pull_request_template.md" | "pull_request_template.txt" | "pull_request_template"
            )
        })
    });
    Ok(found.and_then(|file| content(file)))
}

fn is_one_of_several(file: &str) -> bool {
    file.to_lowercase().contains("pull_request_template/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(subject: &str, body: &str) -> Commit {
        Commit {
            sha: "0".repeat(40),
            subject: subject.to_owned(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn one_commit_speaks_for_itself_and_several_are_listed() {
        let one = Text::of_commits(&[commit("Widen the gate", "It was narrow.")], None, "x");
        assert_eq!(
            (one.title.as_str(), one.body.as_str()),
            ("Widen the gate", "It was narrow.")
        );
        let several = Text::of_commits(
            &[commit("A", "a"), commit("B", "")],
            Some("C\n\nc"),
            "me/wider-gate",
        );
        assert_eq!(several.title, "Wider gate");
        assert_eq!(several.body, "- A\n- B\n- C");
        let none = Text::of_commits(&[], None, "fix_it");
        assert_eq!(none.title, "Fix it");
    }

    #[test]
    fn a_subject_that_github_refuses_as_a_title_is_cut_and_kept() {
        let long = "é".repeat(300);
        let text = Text::of_commits(&[commit(&long, "why")], None, "x");
        assert_eq!(text.title.chars().count(), 256);
        assert!(text.body.starts_with(&long) && text.body.ends_with("why"));
        text.check().unwrap();
    }

    #[test]
    fn the_template_follows_the_commits() {
        let text = Text::of_commits(&[commit("A", "a")], None, "x").with_template(Some("## Why\n"));
        assert_eq!(text.body, "a\n\n## Why");
    }

    #[test]
    fn what_is_edited_comes_back_and_the_explanation_does_not() {
        let text = Text {
            title: "-- \"quoted\" 🚕".to_owned(),
            body: "# A heading\n\n- [ ] a box".to_owned(),
        };
        assert_eq!(Text::of_form(&text.form()), text);
        assert!(Text::of_form(SCISSORS).check().is_err());
    }

    #[test]
    fn branch_names_are_made_of_sentences() {
        for (sentence, name) in [
            ("Widen the gate!", "widen-the-gate"),
            ("  -- fix: a/b ", "fix-a-b"),
            ("Détachée : naïve façade", "detachee-naive-facade"),
            ("Größe ÆRØ Łódź", "grosse-aero-lodz"),
            ("ﬁx the ﬁt", "fix-the-fit"),
            ("日本 fares", "fares"),
            ("🚕", "change"),
            (
                "A very long sentence that goes on and on and never seems to come to its end",
                "a-very-long-sentence-that-goes-on-and-on-and-never",
            ),
        ] {
            assert_eq!(branch_of(sentence), name);
        }
    }
}
