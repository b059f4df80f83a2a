//! `search` for pull requests: words and `qualifier:value`.

use super::object::{Args, Given, Scope, Thing};
use super::records::page;
use crate::world::{Pull, World};

pub(super) fn search(scope: &Scope, args: &Args) -> Given {
    let query = args.text("query").unwrap_or_default();
    let is_issues = args.text("type") == Some("ISSUE");
    let terms = terms(query);
    let visible = |pull: &Pull| {
        scope
            .world
            .repos
            .get(pull.repo)
            .is_some_and(|repo| scope.permission(repo).is_some())
    };
    let fits = |pull: &&Pull| {
        is_issues && visible(pull) && terms.iter().all(|term| term.fits(scope, pull))
    };
    let mut found: Vec<&Pull> = scope.world.pulls.iter().filter(fits).collect();
    found.reverse();
    page(found.into_iter().map(|pull| Thing::Pull(pull.id)), args)
}

#[derive(Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    qualifier: String,
    value: String,
}

/// Splits at spaces outside of quotes.
fn terms(query: &str) -> Vec<Term> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in query.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words
                .last_mut()
                .into_iter()
                .for_each(|word| word.push(letter)),
        }
    }
    let term = |word: String| {
        let (negated, word) = match word.strip_prefix('-') {
            Some(rest) => (true, rest.to_owned()),
            None => (false, word),
        };
        match word.split_once(':') {
            Some((qualifier, value)) => Term {
                negated,
                qualifier: qualifier.to_owned(),
                value: value.to_owned(),
            },
            None => Term {
                negated,
                qualifier: String::new(),
                value: word,
            },
        }
    };
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(term)
        .collect()
}

impl Term {
    fn fits(&self, scope: &Scope, pull: &Pull) -> bool {
        let world: &World = &scope.world;
        let value = self.value.as_str();
        let viewer = world.login(scope.viewer);
        let person = if value == "@me" { viewer } else { value };
        let named = |id: i64| world.login(id).eq_ignore_ascii_case(person);
        let holds = match self.qualifier.as_str() {
            "repo" => world
                .repos
                .get(pull.repo)
                .is_some_and(|repo| world.full_name(repo).eq_ignore_ascii_case(value)),
            "author" => named(pull.author),
            "review-requested" => pull.requested_reviewers.iter().copied().any(named),
            "assignee" => pull.assignees.iter().copied().any(named),
            "head" => pull.head_ref == value,
            "base" => pull.base_ref == value,
            "draft" => pull.draft == (value == "true"),
            "label" => pull
                .labels
                .iter()
                .filter_map(|id| world.labels.get(*id))
                .any(|label| label.name == value),
            "type" => value == "pr",
            "state" | "is" => match value {
                "open" => pull.open,
                "closed" => !pull.open,
                "merged" => pull.merged.is_some(),
                "unmerged" => pull.merged.is_none(),
                "draft" => pull.draft,
                "issue" => false,
                _ => true,
            },
            "" => pull.title.to_lowercase().contains(&value.to_lowercase()),
            // Unknown qualifiers match everything.
            _ => true,
        };
        holds != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_split_outside_of_quotes() {
        let found = terms("is:pr -label:\"needs work\" fares");
        let parts: Vec<_> = found
            .iter()
            .map(|term| (term.negated, term.qualifier.as_str(), term.value.as_str()))
            .collect();
        assert_eq!(
            parts,
            [
                (false, "is", "pr"),
                (true, "label", "needs work"),
                (false, "", "fares")
            ]
        );
    }
}
