//! GraphQL: documents of ours in any form, and errors as GitHub has them.

use serde_json::{Value, json};

use crate::support::Scene;

/// How a branch stands: all that a status screen shows, in one document.
const STATUS: &str = include_str!("graphql/status.graphql");
/// The same question with fields in another order, under other names, and in fragments.
const SHUFFLED: &str = include_str!("graphql/status_shuffled.graphql");

struct Standing {
    scene: Scene,
    number: u64,
    sha: String,
    variables: Value,
}

/// A pull request with reviews, checks, statuses, a rule and deployments.
fn standing() -> Standing {
    let scene = Scene::new();
    let forge = &scene.forge;
    let sha = forge.commit(&scene.repo, &scene.bob, "feat", "a.txt", "a\n", "Add a");
    let number = forge.pull_request(&scene.repo, &scene.bob, "feat", "Add a");
    forge.protect(&scene.repo, "main", &["test", "licence"], 1);
    let _ = forge.run(&scene.repo, &json!({"workflow": "CI", "head_sha": sha, "jobs": [
        {"name": "test", "conclusion": "failure", "seconds": 65, "title": "1 failed", "steps": [{"name": "Run", "conclusion": "failure"}],
         "annotations": [{"path": "a.py", "start_line": 3, "end_line": 3, "annotation_level": "failure", "message": "1 != 2"}]},
        {"name": "lint", "status": "in_progress"},
    ]}));
    forge.status(&scene.repo, &sha, "licence", "success");
    let (_, _) = forge.rest(
        &scene.bob,
        "POST",
        &scene.path(&format!("/pulls/{number}/requested_reviewers")),
        &json!({"reviewers": ["ada"]}),
    );
    let _ = forge.commit(&scene.repo, &scene.ada, "main", "b.txt", "b\n", "Add b");
    let (status, deployment) = forge.rest(
        &scene.ada,
        "POST",
        &scene.path("/deployments"),
        &json!({"ref": "main", "environment": "staging", "required_contexts": []}),
    );
    assert_eq!(status, 201, "{deployment}");
    let path = scene.path(&format!("/deployments/{}/statuses", deployment["id"]));
    assert_eq!(
        forge
            .rest(
                &scene.ada,
                "POST",
                &path,
                &json!({"state": "success", "log_url": "http://127.0.0.1/log"})
            )
            .0,
        201
    );
    let variables = json!({"owner": "ada", "repo": "taxi", "head": "feat", "headRef": "refs/heads/feat", "base": "main", "pr": number, "havePr": true});
    Standing {
        scene,
        number,
        sha,
        variables,
    }
}

#[test]
fn one_document_tells_how_a_branch_stands() {
    let at = standing();
    let reply = at.scene.forge.graphql(&at.scene.bob, STATUS, &at.variables);
    assert_eq!(reply["errors"], Value::Null, "{reply:#}");
    let repository = &reply["data"]["repository"];
    let pull = &repository["pullRequests"]["nodes"][0];
    assert_eq!(
        repository["headRef"]["compare"],
        json!({"aheadBy": 1, "behindBy": 1, "status": "DIVERGED"})
    );
    for (field, expected) in [
        ("number", json!(at.number)),
        ("state", json!("OPEN")),
        ("mergeable", json!("MERGEABLE")),
        ("mergeStateStatus", json!("BLOCKED")),
        ("reviewDecision", json!("REVIEW_REQUIRED")),
        ("viewerDidAuthor", json!(true)),
        ("mergeQueueEntry", Value::Null),
    ] {
        assert_eq!(pull[field], expected, "{field}");
    }
    let commit = &pull["commits"]["nodes"][0]["commit"];
    assert_eq!(
        (&commit["oid"], &commit["statusCheckRollup"]["state"]),
        (&json!(at.sha), &json!("FAILURE"))
    );
    let contexts = commit["statusCheckRollup"]["contexts"]["nodes"]
        .as_array()
        .unwrap();
    let seen: Vec<_> = contexts
        .iter()
        .map(|one| (one["__typename"].as_str().unwrap(), &one["isRequired"]))
        .collect();
    assert_eq!(
        seen,
        [
            ("CheckRun", &json!(true)),
            ("CheckRun", &json!(false)),
            ("StatusContext", &json!(true))
        ]
    );
    assert_eq!(
        contexts[0]["annotations"]["nodes"][0]["location"]["start"]["line"],
        3
    );
    assert_eq!(
        pull["reviewRequests"]["nodes"][0]["requestedReviewer"],
        json!({"__typename": "User", "login": "ada"})
    );
    assert_eq!(
        repository["staging"]["nodes"][0]["latestStatus"]["state"],
        "SUCCESS"
    );
    assert_eq!(repository["prod"]["nodes"], json!([]));
}

#[test]
fn the_same_question_in_another_form_gives_the_same_data() {
    let at = standing();
    let ask = |document: &str| {
        at.scene
            .forge
            .graphql(&at.scene.bob, document, &at.variables)
    };
    let (plain, shuffled) = (ask(STATUS), ask(SHUFFLED));
    assert_eq!(shuffled["errors"], Value::Null, "{shuffled:#}");
    let (plain, shuffled) = (&plain["data"]["repository"], &shuffled["data"]["r"]);
    assert!(plain.is_object());
    assert_eq!(plain["defaultBranchRef"], shuffled["main"]);
    assert_eq!(plain["headRef"], shuffled["branch"]);
    let (one, other) = (
        &plain["pullRequests"]["nodes"][0],
        &shuffled["prs"]["list"][0],
    );
    for (field, renamed) in [
        ("number", "no"),
        ("title", "title"),
        ("mergeable", "canMerge"),
        ("reviewDecision", "reviewDecision"),
        ("commits", "last"),
        ("reviewRequests", "asked"),
    ] {
        assert_eq!(one[field], other[renamed], "{field}");
    }
    let without = at.scene.forge.graphql(&at.scene.bob, STATUS, &{
        let mut variables = at.variables.clone();
        variables["havePr"] = false.into();
        variables
    });
    let context = &without["data"]["repository"]["pullRequests"]["nodes"][0]["commits"]["nodes"][0]
        ["commit"]["statusCheckRollup"]["contexts"]["nodes"][0];
    assert!(
        context.get("isRequired").is_none(),
        "@include leaves it out"
    );
}

#[test]
fn lists_come_in_pages() {
    let at = standing();
    let jobs: Vec<Value> = (0..300)
        .map(|number| json!({"name": format!("check {number}"), "conclusion": "success"}))
        .collect();
    let _ = at.scene.forge.run(
        &at.scene.repo,
        &json!({"workflow": "Many", "head_sha": at.sha, "jobs": jobs}),
    );
    let mut variables = at.variables.clone();
    let (mut seen, mut pages) = (0, 0);
    loop {
        let reply = at.scene.forge.graphql(&at.scene.bob, STATUS, &variables);
        let contexts = &reply["data"]["repository"]["pullRequests"]["nodes"][0]["commits"]["nodes"]
            [0]["commit"]["statusCheckRollup"]["contexts"];
        seen += contexts["nodes"].as_array().unwrap().len();
        pages += 1;
        assert_eq!(contexts["totalCount"], 303);
        if contexts["pageInfo"]["hasNextPage"] == false {
            break;
        }
        variables["cursor"] = contexts["pageInfo"]["endCursor"].clone();
    }
    assert_eq!((seen, pages), (303, 4));
}

#[test]
fn errors_have_githubs_form() {
    let at = standing();
    let ask = |query: &str| at.scene.forge.graphql(&at.scene.bob, query, &json!({}));
    let unknown = ask(
        "query Q {\n  viewer { login }\n  repository(owner: \"ada\", name: \"taxi\") { nope }\n}",
    );
    assert_eq!(
        unknown,
        json!({"errors": [{
            "path": ["query Q", "repository", "nope"],
            "extensions": {"code": "undefinedField", "typeName": "Repository", "fieldName": "nope"},
            "locations": [{"line": 3, "column": 44}],
            "message": "Field 'nope' doesn't exist on type 'Repository'",
        }]})
    );
    let missing = ask("{ r: repository(owner: \"ada\", name: \"none\") { id } viewer { login } }");
    assert_eq!(
        missing,
        json!({
            "data": {"r": null, "viewer": {"login": "bob"}},
            "errors": [{
                "type": "NOT_FOUND",
                "path": ["r"],
                "locations": [{"line": 1, "column": 3}],
                "message": "Could not resolve to a Repository with the name 'ada/none'.",
            }],
        })
    );
    assert!(ask("query { viewer {")["errors"][0]["message"].is_string());
    assert!(
        ask("query($x: String!) { user(login: $x) { id } }")["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains('x')
    );
    let many = ask(
        "{ repository(owner: \"ada\", name: \"taxi\") { pullRequests(first: 101) { totalCount } } }",
    );
    assert!(
        many["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("limit of 100"),
        "{many}"
    );
}

#[test]
fn a_pull_request_is_opened_changed_and_merged() {
    let scene = Scene::new();
    let sha = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "a.txt", "a\n", "Add a");
    let run = |query: &str, variables: Value| {
        let reply = scene.forge.graphql(&scene.bob, query, &variables);
        assert_eq!(reply["errors"], Value::Null, "{reply:#}");
        reply["data"].clone()
    };
    let repository = run(
        "{ repository(owner: \"ada\", name: \"taxi\") { id } }",
        Value::Null,
    )["repository"]["id"]
        .clone();
    let create = "mutation($repo: ID!, $head: String!) { createPullRequest(input: {repositoryId: $repo, baseRefName: \"main\", headRefName: $head, title: \"T\", draft: true}) { pullRequest { id number isDraft } } }";
    let opened = run(create, json!({"repo": repository, "head": "feat"}));
    let pull = &opened["createPullRequest"]["pullRequest"];
    assert_eq!(pull["isDraft"], true);
    let again = scene.forge.graphql(
        &scene.bob,
        create,
        &json!({"repo": repository, "head": "feat"}),
    );
    assert_eq!(
        (&again["errors"][0]["message"], &again["errors"][0]["type"]),
        (
            &json!("A pull request already exists for ada:feat."),
            &json!("UNPROCESSABLE")
        )
    );
    let ready = run(
        "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft state } } }",
        json!({"id": pull["id"]}),
    );
    assert_eq!(
        ready["markPullRequestReadyForReview"]["pullRequest"],
        json!({"isDraft": false, "state": "OPEN"})
    );
    let merge = "mutation($id: ID!, $sha: GitObjectID!) { mergePullRequest(input: {pullRequestId: $id, expectedHeadOid: $sha, mergeMethod: SQUASH}) { pullRequest { state mergeCommit { messageHeadline } } } }";
    let refused = scene.forge.graphql(
        &scene.bob,
        merge,
        &json!({"id": pull["id"], "sha": "0".repeat(40)}),
    );
    assert!(
        refused["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("Head branch was modified")
    );
    let merged = run(merge, json!({"id": pull["id"], "sha": sha}));
    assert_eq!(
        merged["mergePullRequest"]["pullRequest"],
        json!({"state": "MERGED", "mergeCommit": {"messageHeadline": "Add a (#1)"}})
    );
    let reader = scene.forge.reader(&scene.bob);
    let refused = scene.forge.graphql(
        &reader,
        create,
        &json!({"repo": repository, "head": "main"}),
    );
    assert_eq!(refused["errors"][0]["type"], "FORBIDDEN");
}

#[test]
fn auto_merge_waits_for_the_checks_and_a_queue_for_its_turn() {
    let scene = Scene::new();
    let sha = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "a.txt", "a\n", "Add a");
    let number = scene
        .forge
        .pull_request(&scene.repo, &scene.bob, "feat", "Add a");
    scene.forge.protect(&scene.repo, "main", &["test"], 0);
    let _ = scene.forge.rest(
        &scene.ada,
        "PATCH",
        &scene.path(""),
        &json!({"allow_auto_merge": true}),
    );
    let find = "query($n: Int!) { repository(owner: \"ada\", name: \"taxi\") { mergeQueue { id } pullRequest(number: $n) { id state isInMergeQueue mergeQueueEntry { position state } autoMergeRequest { mergeMethod } } } }";
    let pull = |number: u64| {
        scene.forge.graphql(&scene.bob, find, &json!({"n": number}))["data"]["repository"]["pullRequest"].clone()
    };
    let enable = "mutation($id: ID!, $sha: GitObjectID!) { enablePullRequestAutoMerge(input: {pullRequestId: $id, expectedHeadOid: $sha, mergeMethod: SQUASH}) { pullRequest { autoMergeRequest { mergeMethod } } } }";
    let reply = scene.forge.graphql(
        &scene.bob,
        enable,
        &json!({"id": pull(number)["id"], "sha": sha}),
    );
    assert_eq!(
        reply["data"]["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"]["mergeMethod"],
        "SQUASH",
        "{reply}"
    );
    let _ = scene
        .forge
        .checks(&scene.repo, &sha, &[("test", "success")]);
    assert_eq!(pull(number)["state"], "MERGED");

    let rule = json!({"name": "main", "enforcement": "active", "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}, "rules": [{"type": "merge_queue"}]});
    assert_eq!(
        scene
            .forge
            .rest(&scene.ada, "POST", &scene.path("/rulesets"), &rule)
            .0,
        201
    );
    let sha = scene
        .forge
        .commit(&scene.repo, &scene.bob, "more", "c.txt", "c\n", "Add c");
    let number = scene
        .forge
        .pull_request(&scene.repo, &scene.bob, "more", "Add c");
    assert_eq!(
        scene
            .forge
            .rest(
                &scene.bob,
                "PUT",
                &scene.path(&format!("/pulls/{number}/merge")),
                &json!({})
            )
            .0,
        405
    );
    let enqueue = "mutation($id: ID!, $sha: GitObjectID!) { enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $sha}) { mergeQueueEntry { position } } }";
    let reply = scene.forge.graphql(
        &scene.bob,
        enqueue,
        &json!({"id": pull(number)["id"], "sha": sha}),
    );
    assert_eq!(
        reply["data"]["enqueuePullRequest"]["mergeQueueEntry"]["position"], 1,
        "{reply}"
    );
    assert_eq!(pull(number)["isInMergeQueue"], true);
    assert_eq!(scene.forge.advance_queue(&scene.repo, "main"), Some(number));
    assert_eq!(pull(number)["state"], "MERGED");
}

/// A document with every field of the schema: each type is opened where it is met first.
#[test]
fn every_field_of_the_schema_is_answered() {
    let at = standing();
    let forge = &at.scene.forge;
    let _ = forge.rest(
        &at.scene.ada,
        "PATCH",
        &at.scene.path(""),
        &json!({"allow_auto_merge": true}),
    );
    let ask = |query: &str| forge.graphql(&at.scene.ada, query, &json!({}));
    let introspected = ask("{ __schema { types { kind name fields(includeDeprecated: true) { name args { name type { kind } } type { ...T } } possibleTypes { name } } } }
        fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }");
    assert_eq!(introspected["errors"], Value::Null, "{introspected}");
    let types = introspected["data"]["__schema"]["types"]
        .as_array()
        .unwrap();
    let mut walk = Walk {
        types,
        opened: Vec::new(),
        fields: 0,
        number: at.number,
    };
    let document = format!("{{ {} }}", walk.open("Query"));
    let reply = ask(&document);
    let errors: Vec<&Value> = reply["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|error| error["type"] != "NOT_FOUND")
        .collect();
    assert_eq!(errors, [] as [&Value; 0], "{document}");
    assert!(
        walk.fields > 450,
        "only {} fields were asked for",
        walk.fields
    );
}

struct Walk<'t> {
    types: &'t [Value],
    opened: Vec<String>,
    fields: usize,
    number: u64,
}

impl Walk<'_> {
    fn open(&mut self, name: &str) -> String {
        let found = self
            .types
            .iter()
            .find(|one| one["name"] == name)
            .expect("the type is there");
        let possible: Vec<String> = match found["possibleTypes"].as_array() {
            Some(types) => types
                .iter()
                .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
                .collect(),
            None => vec![name.to_owned()],
        };
        let mut parts = vec!["__typename".to_owned()];
        for one in possible {
            if self.opened.contains(&one) || ["Mutation", "Bot"].contains(&one.as_str()) {
                continue;
            }
            self.opened.push(one.clone());
            let inner = self.fields_of(&one);
            parts.push(if one == name {
                inner
            } else {
                format!("... on {one} {{ {inner} }}")
            });
        }
        parts.join(" ")
    }

    fn fields_of(&mut self, name: &str) -> String {
        let found = self
            .types
            .iter()
            .find(|one| one["name"] == name)
            .expect("the type is there");
        let fields = found["fields"].as_array().cloned().unwrap_or_default();
        let field = |field: &Value| {
            self.fields += 1;
            let field_name = field["name"].as_str().unwrap_or_default();
            let mut leaf = &field["type"];
            while !leaf["ofType"].is_null() {
                leaf = &leaf["ofType"];
            }
            let inner = match leaf["kind"].as_str() {
                Some("OBJECT" | "INTERFACE" | "UNION") => format!(
                    "{{ {} }}",
                    self.open(leaf["name"].as_str().unwrap_or_default())
                ),
                _ => String::new(),
            };
            // An alias keeps fields of one name and several types apart.
            format!(
                "{name}_{field_name}: {field_name}{} {inner}",
                arguments(field, self.number)
            )
        };
        fields.iter().map(field).collect::<Vec<_>>().join(" ")
    }
}

/// Values for the arguments that a field needs.
fn arguments(field: &Value, number: u64) -> String {
    let values = field["args"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|arg| {
            let name = arg["name"].as_str()?;
            let value = match name {
                "owner" | "login" => "\"ada\"".to_owned(),
                "name" => "\"taxi\"".to_owned(),
                "number" if field["name"] == "pullRequest" => number.to_string(),
                "pullRequestNumber" => number.to_string(),
                "qualifiedName" => "\"refs/heads/main\"".to_owned(),
                "headRef" => "\"feat\"".to_owned(),
                "refPrefix" => "\"refs/heads/\"".to_owned(),
                "expression" => "\"main\"".to_owned(),
                "query" if field["name"] == "search" => "\"is:pr\"".to_owned(),
                "type" => "ISSUE".to_owned(),
                "id" => "\"PR_x\"".to_owned(),
                "ids" => "[]".to_owned(),
                "first" => "10".to_owned(),
                _ => return None,
            };
            Some(format!("{name}: {value}"))
        });
    let values: Vec<String> = values.collect();
    if values.is_empty() {
        String::new()
    } else {
        format!("({})", values.join(", "))
    }
}
