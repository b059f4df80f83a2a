//! What is looked at is what is published: every commit, its message, and what is sent besides; and what
//! `--commit` would add.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use xtask_testkit::Said;

use super::world::{BRANCH, World};

/// A line with what looks like a token; put together here, so that this file holds none.
fn secret(digit: char) -> String {
    format!("token = \"ghp_{}\"\n", format!("{digit}x").repeat(18))
}

/// What `open-pr --dry-run` says that stops.
#[track_caller]
fn stops(world: &World, args: &[&str]) -> String {
    world.fails(1, &[&["--dry-run"], args].concat())
}

#[test]
fn a_secret_that_an_earlier_commit_holds_is_found_and_the_advice_removes_it() {
    let world = World::new();
    world.write("src/config.py", secret('1').as_bytes());
    let bad = world.commit("Add settings");
    world.git(&["rm", "--quiet", "src/config.py"]);
    world.commit("Take it out again");
    let short = &bad[..7];
    let said = world.fails(1, &[]);
    assert!(
        said.contains(&format!(
            "src/config.py:1 (a GitHub token, in commit {short})"
        )),
        "{said}"
    );
    assert!(!said.contains("ghp_"), "{said}");
    assert!(
        said.contains(&format!(
            "git rebase --interactive {short}^, with `edit` for {short}"
        )),
        "{said}"
    );
    assert!(world.remote_head(BRANCH).is_none());

    // What it advises.
    let todo = format!("sequence.editor=sed -i s/^pick.{}/edit\\ {0}/", &bad[..7]);
    world.git(&[
        "-c",
        &todo,
        "rebase",
        "--quiet",
        "--interactive",
        &format!("{short}^"),
    ]);
    world.git(&["rm", "--quiet", "--force", "src/config.py"]);
    world.git(&["commit", "--quiet", "--amend", "--allow-empty", "--no-edit"]);
    let mut rest = world
        .project
        .shell("export GIT_EDITOR=true; git rebase --continue || git rebase --skip");
    assert!(rest.output().unwrap().status.success());
    let said = world.run(&["open-pr", "--yes", "--no-wait", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

#[test]
fn settings_and_attributes_hide_nothing() {
    let world = World::new();
    let long: String = (0..60).map(|line| format!("# {line}\n")).collect();
    world.write("l.py", long.as_bytes());
    world.write(
        ".gitattributes",
        b"*.py -diff\n*.ipynb binary\n*.txt diff=none\n",
    );
    world.commit("Prepare");
    world.push_as(&world.owner, "origin", "HEAD:main");
    for (key, value) in [
        ("diff.interHunkContext", "5"),
        ("diff.external", "true"),
        ("diff.none.textconv", "true"),
        ("diff.relative", "true"),
        ("diff.noprefix", "true"),
        ("diff.renames", "copies"),
        ("diff.orderFile", "/dev/null"),
        ("core.quotePath", "true"),
        ("color.ui", "always"),
        ("log.showSignature", "true"),
        ("log.diffMerges", "off"),
        ("status.showUntrackedFiles", "no"),
    ] {
        world.git(&["config", key, value]);
    }
    let changed = long
        .replace("# 9\n", "# nine\n")
        .replace("# 11\n", &secret('1'));
    world.write("l.py", changed.as_bytes());
    world.write("größe.ipynb", secret('2').as_bytes());
    world.write("new\nline.txt", secret('3').as_bytes());
    world.write("*.py", secret('4').as_bytes());
    let utf16: Vec<u8> = format!("\u{feff}a\r\n{}", secret('5'))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    world.write("windows.env", &utf16);
    world.commit("Change it");
    // What stands in for the commit here is not what is pushed.
    world.git(&["replace", "HEAD", "HEAD^"]);
    let said = stops(&world, &[]);
    for place in [
        "l.py:12 (",
        "größe.ipynb:1 (",
        "line.txt:1 (",
        "*.py:1 (",
        "windows.env:2 (",
    ] {
        assert!(said.contains(place), "{place}:\n{said}");
    }
}

#[test]
fn merges_messages_names_and_words_are_looked_at() {
    let world = World::new();
    world.git(&["switch", "--quiet", "--create", "other", "main"]);
    world.write("other.txt", b"x\n");
    world.commit("Other");
    world.git(&["switch", "--quiet", BRANCH]);
    world.git(&["merge", "--quiet", "--no-ff", "--no-commit", "other"]);
    world.write("slipped-in.py", secret('1').as_bytes());
    world.commit("Merge");
    let message = format!("Say too much\n\nWith {}", secret('2'));
    world.git(&["commit", "--quiet", "--allow-empty", "--message", &message]);
    let said = stops(&world, &[]);
    assert!(
        said.contains("slipped-in.py:1 (a GitHub token, in commit"),
        "{said}"
    );
    assert!(said.contains("line 3 of the message of commit"), "{said}");

    let world = World::new();
    let said = stops(&world, &["--title", secret('1').trim()]);
    assert!(
        said.contains("line 1 of the title (a GitHub token)"),
        "{said}"
    );
    let said = stops(&world, &["--body", &format!("a\n{}", secret('1'))]);
    assert!(
        said.contains("line 2 of the description (a GitHub token)"),
        "{said}"
    );
    world.change("and more");
    let said = stops(&world, &["--commit", &format!("x\n\n{}", secret('1'))]);
    assert!(said.contains("(a GitHub token)"), "{said}");
    world.git(&["stash", "--quiet"]);
    let name = secret('1').replace("token = ", "").replace('"', "");
    world.git(&["branch", "--quiet", "--move", name.trim()]);
    let said = stops(&world, &[]);
    assert!(said.contains("line 1 of the branch's name"), "{said}");
}

#[test]
fn a_line_that_xtask_toml_allows_passes_and_no_other() {
    let world = World::new();
    world.write("docs.md", secret('1').as_bytes());
    world.commit("Document the form of a token");
    let said = stops(&world, &[]);
    let allow = said.split("allowed-secrets = ").nth(1).unwrap();
    let allow = allow.split(" below [github]").next().unwrap();
    let path = world.project.root().join("xtask.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("[github]"), "{text}");
    fs::write(
        &path,
        format!("{text}\n[github]\nallowed-secrets = {allow}\n"),
    )
    .unwrap();
    world.commit("Allow it");
    let said = world.run(&["open-pr", "--yes", "--no-wait", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    world.write("docs.md", secret('2').as_bytes());
    world.commit("Another one");
    let said = stops(&world, &[]);
    assert!(said.contains("docs.md:1 ("), "{said}");
    let said = world.run(&[
        "open-pr",
        "--yes",
        "--no-wait",
        "--dry-run",
        "--allow-secrets",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

#[test]
fn what_a_commit_of_everything_would_add_is_looked_at_first() {
    let world = World::new();
    let commit = ["--commit", "Add more"];
    world.write("new.py", secret('1').as_bytes());
    assert!(stops(&world, &commit).contains("new.py:1 (a GitHub token)"));
    world.write("new.py", b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n");
    assert!(stops(&world, &commit).contains("the marks of a conflict are in new.py"));
    fs::remove_file(world.project.root().join("new.py")).unwrap();
    // A clone inside of the project.
    world.git(&["init", "--quiet", "scratch"]);
    world.git(&[
        "-C",
        "scratch",
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "x",
    ]);
    let said = stops(&world, &commit);
    assert!(
        said.contains("scratch is a git repository of its own"),
        "{said}"
    );
    fs::remove_dir_all(world.project.root().join("scratch")).unwrap();
    // What is in the index stays as it was, and no object is left behind.
    world.write("data.csv", b"1,2\n");
    let before = world.git(&["count-objects"]);
    let said = world.run(&[
        "open-pr",
        "--yes",
        "--no-wait",
        "--dry-run",
        "--commit",
        "Add data",
    ]);
    assert!(
        said.stderr
            .contains("commit 1 file as \"Add data\": data.csv"),
        "{}",
        said.stderr
    );
    assert_eq!(world.git(&["count-objects"]), before);
    assert_eq!(world.git(&["status", "--porcelain"]), "?? data.csv");
    assert!(
        !world
            .git(&["rev-parse", "--git-path", "xtask-apart-1"])
            .is_empty()
    );
    let left = fs::read_dir(world.project.root().join(".git")).unwrap();
    let left = left.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("xtask-apart")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn a_large_file_counts_as_it_is_committed() {
    let world = World::new();
    let large = fs::File::create(world.project.root().join("data.parquet")).unwrap();
    large.set_len(120_000_000).unwrap();
    let said = stops(&world, &["--commit", "Data"]);
    assert!(said.contains("data.parquet has 114 MB"), "{said}");
    world.write(".gitattributes", b"*.parquet filter=lfs -text\n");
    // Without the program it is stored as it is.
    let said = stops(&world, &["--commit", "Data"]);
    assert!(said.contains("data.parquet has 114 MB"), "{said}");
    world.git(&["config", "filter.lfs.clean", "sha256sum"]);
    let said = world.run(&[
        "open-pr",
        "--yes",
        "--no-wait",
        "--dry-run",
        "--commit",
        "Data",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    world.git(&["config", "filter.lfs.clean", "false"]);
    world.git(&["config", "filter.lfs.required", "true"]);
    let said = stops(&world, &["--commit", "Data"]);
    assert!(
        said.contains("git cannot add the uncommitted changes"),
        "{said}"
    );
}

#[test]
fn conflicts_and_what_is_under_way_stop() {
    let world = World::new();
    let on = |what: &str| {
        world.change(what);
        world.git(&["commit", "--quiet", "--all", "--message", what]);
    };
    world.change("mine");
    world.git(&["stash", "--quiet"]);
    on("theirs");
    let _ = world.project.shell("git stash pop").output().unwrap();
    let said = world.fails(1, &["--commit", "Go on"]);
    assert!(
        said.contains("unresolved conflicts are in src/fit.py"),
        "{said}"
    );
    assert!(world.remote_head(BRANCH).is_none());
    world.git(&["checkout", "--quiet", "--force", "HEAD"]);
    world.git(&["reset", "--quiet", "--hard"]);
    world.git(&["stash", "drop", "--quiet"]);

    let states = [
        (
            "git format-patch -1 --stdout > ../p; git reset -q --hard HEAD^^; echo '# x' >> src/fit.py; git commit -qam x; git am -3 -q ../p",
            "git am is under way",
            "git am --abort",
        ),
        (
            "git bisect start -q HEAD HEAD^",
            "a bisect is under way",
            "git bisect reset",
        ),
        (
            "git cherry-pick HEAD^ HEAD; git add -A; git commit -qm x",
            "a cherry-pick is under way",
            "git cherry-pick --abort",
        ),
        (
            "git revert --no-edit HEAD^ HEAD",
            "a revert is under way",
            "git revert --abort",
        ),
    ];
    for (begin, what, end) in states {
        let sha = world.git(&["rev-parse", "HEAD"]);
        let begun = Said::from(world.project.shell(begin).output().unwrap());
        let said = world.fails(1, &[]);
        assert!(said.contains(what), "{begin}: {}\n{said}", begun.stderr);
        let _ = world.project.shell(end).output().unwrap();
        world.git(&["switch", "--quiet", "--force", BRANCH]);
        world.git(&["reset", "--quiet", "--hard", &sha]);
    }
}

fn hook(world: &World, name: &str, script: &str) {
    let path = world.project.root().join(".git/hooks").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn hooks_may_change_what_is_committed() {
    let world = World::on_main();
    // Git LFS's own hook fails where Git LFS is missing: the branch is made all the same.
    hook(&world, "post-checkout", "echo no git-lfs >&2; exit 2");
    hook(&world, "commit-msg", "sed -i '1s/^/TAXI-7 /' \"$1\"");
    // A formatter that fails the first time, as those of pre-commit do.
    hook(
        &world,
        "pre-commit",
        "grep -q formatted made.txt && exit 0; echo formatted >> made.txt; echo reformatted; exit 1",
    );
    world.write("made.txt", b"x\n");
    let args = ["--commit", "Add it", "--branch", "add-it"];
    let said = world.fails(1, &args);
    assert!(
        said.contains("the post-checkout hook failed: no git-lfs"),
        "{said}"
    );
    assert!(said.contains("reformatted"), "{said}");
    assert!(said.contains("a hook changed files"), "{said}");
    let opened = world.open(&["--commit", "Add it"]);
    assert_eq!(opened["title"], "TAXI-7 Add it", "{opened}");
    assert_eq!(world.pulls()[0]["title"], "TAXI-7 Add it");

    // What a hook adds was not there when the files were looked at.
    hook(
        &world,
        "pre-commit",
        &format!(
            "printf '%s' '{}' > generated.py; git add generated.py",
            secret('1')
        ),
    );
    let pushed = world.remote_head("add-it");
    world.write("made.txt", b"formatted, and more\n");
    let said = world.fails(1, &["--commit", "Add more"]);
    assert!(
        said.contains("generated.py:1 (a GitHub token, in commit"),
        "{said}"
    );
    assert_eq!(world.remote_head("add-it"), pushed);
}

#[test]
fn the_number_of_files_does_not_multiply_processes() {
    let world = World::new();
    let calls = world.project.home().join("calls");
    let found = world.project.shell("command -v git").output().unwrap();
    let real = String::from_utf8(found.stdout).unwrap();
    let shim = world.project.programs().join("git");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\nexec {} \"$@\"\n",
        calls.display(),
        real.trim()
    );
    fs::write(&shim, script).unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    let count = || {
        let _ = fs::remove_file(&calls);
        let said = world.run(&[
            "open-pr",
            "--yes",
            "--no-wait",
            "--dry-run",
            "--commit",
            "More",
        ]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        fs::read_to_string(&calls).unwrap().lines().count()
    };
    world.write("one.py", b"a = 1\n");
    let few = count();
    for number in 0..300 {
        world.write(
            &format!("generated/m{number}.py"),
            format!("a = {number}\n").as_bytes(),
        );
    }
    let uncommitted = count();
    world.commit("Generate");
    world.write("two.py", b"a = 2\n");
    let committed = count();
    assert!(uncommitted <= few + 5, "{few}, then {uncommitted}");
    assert!(committed <= few + 5, "{few}, then {committed}");
}

#[test]
fn a_partial_clone_fetches_what_the_change_touches() {
    let world = World::new();
    for number in 0..40 {
        world.write(
            &format!("data/{number}.csv"),
            format!("row {number}\n").as_bytes(),
        );
        world.write(
            &format!(".github/workflows/{number}.yml"),
            format!("name: w{number}\non: push\n").as_bytes(),
        );
    }
    world.commit("Add data");
    world.push_as(&world.owner, "origin", "HEAD:main");
    for repository in fs::read_dir(world.forge.state().join("repositories")).unwrap() {
        let path = repository.unwrap().path();
        let path = path.to_string_lossy();
        for setting in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            world.git(&["-C", &path, "config", setting, "true"]);
        }
    }
    let root = world.project.root();
    let (kept, clone) = (
        root.with_extension("full"),
        world.repository.clone_url.clone(),
    );
    fs::rename(&root, &kept).unwrap();
    fs::create_dir(&root).unwrap();
    world.git(&["init", "--quiet", "--initial-branch=main"]);
    world.git(&["remote", "add", "origin", &clone]);
    for (key, value) in [
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialCloneFilter", "blob:none"),
    ] {
        world.git(&["config", key, value]);
    }
    world.git_as(
        &world.owner,
        &["fetch", "--quiet", "--filter=blob:none", "origin"],
    );
    world.git_as(
        &world.owner,
        &["sparse-checkout", "set", "src", "resources"],
    );
    world.git_as(
        &world.owner,
        &["switch", "--quiet", "--create", "partial", "origin/main"],
    );
    let missing = || {
        let listed = world.git(&["rev-list", "--objects", "--all", "--missing=print"]);
        listed.lines().filter(|line| line.starts_with('?')).count()
    };
    world.change("in a part of it");
    world.commit("Change a part");
    let before = missing();
    assert!(before >= 80, "{before}");
    world.forge.clear_requests();
    // git has no credentials of its own here.
    let said = world.run(&["open-pr", "--yes", "--no-wait", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("will open a pull request")
            || said.stderr.contains("open a pull request into main"),
        "{}",
        said.stderr
    );
    let requests = world.forge.requests();
    let fetches = requests
        .iter()
        .filter(|asked| asked.path.ends_with("/git-upload-pack"))
        .count();
    assert!(fetches <= 12, "{fetches} requests");
    assert!(missing() + 45 >= before, "{before}, then {}", missing());
}

/// Characters that look random and are the same in every run.
fn noise(length: usize, of: &str, seed: u64) -> String {
    let of: Vec<char> = of.chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64.wrapping_mul(seed + 1);
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            of[(state % of.len() as u64) as usize]
        })
        .collect()
}

#[test]
fn a_scanner_is_fetched_and_knows_more_forms() {
    const WORD: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const HEX: &str = "0123456789abcdef";
    let world = World::new();
    let word = |length| noise(length, WORD, 1);
    let forms = [
        (
            "mongodb.txt",
            format!(
                "mongodb+srv://ann:{}@cluster0.ab1cd.mongodb.net/rides",
                word(16)
            ),
        ),
        ("twilio.txt", format!("key = \"SK{}\"", noise(32, HEX, 2))),
        ("wandb.txt", format!("WANDB_API_KEY={}", noise(40, HEX, 3))),
        ("linear.txt", format!("key = \"lin_api_{}\"", word(40))),
        (
            "shopify.txt",
            format!("key = \"shpat_{}\"", noise(32, HEX, 4)),
        ),
        (
            "digitalocean.txt",
            format!("key = \"dop_v1_{}\"", noise(64, HEX, 5)),
        ),
        (
            "grafana.txt",
            format!("key = \"glsa_{}_{}\"", word(32), noise(8, HEX, 6)),
        ),
        (
            "postman.txt",
            format!("key = \"PMAK-{}-{}\"", noise(24, HEX, 7), noise(34, HEX, 8)),
        ),
    ];
    for (name, line) in &forms {
        world.write(name, format!("{line}\n").as_bytes());
    }
    // What a repository for machine learning is full of.
    let picture = noise(4000, WORD, 9);
    let notebook = format!(
        "{{\"cells\": [{{\"source\": \"1\", \"outputs\": [{{\"data\": {{\"image/png\": \"iVBORw0KGgo{picture}\"}}}}]}}]}}"
    );
    world.write("Plot.ipynb", notebook.as_bytes());
    let lock: String = (10..60)
        .map(|seed| format!("    {{ hash = \"sha256:{}\" }},\n", noise(64, HEX, seed)))
        .collect();
    world.write("other.lock", lock.as_bytes());
    // A file of the scanner's own that would have it look the other way.
    world.write("kingfisher.yaml", b"scan:\n  exclude: ['*']\n");
    world.commit("Add much");
    let mut command = world.xtask(&["open-pr", "--yes", "--no-wait"]);
    command.env_remove("XTASK_OFFLINE");
    let said = Said::of(command);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let found: Vec<&str> = forms
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| said.stderr.contains(&format!("{name}:1 (")))
        .collect();
    assert!(found.len() + 2 >= forms.len(), "{found:?}\n{}", said.stderr);
    for harmless in ["Plot.ipynb:", "other.lock:"] {
        assert!(!said.stderr.contains(harmless), "{}", said.stderr);
    }
    for (_, line) in &forms {
        let secret = line
            .split(['"', '=', ':', '@'])
            .max_by_key(|part| part.len())
            .unwrap();
        assert!(!said.stderr.contains(secret), "{}", said.stderr);
    }
    assert!(world.remote_head(BRANCH).is_none());
    // Nothing of what was searched stays behind.
    let left = fs::read_dir(world.project.root().join(".xtask/open-pr")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn what_github_refuses_for_its_length_is_refused_or_cut_before_the_push() {
    let world = World::new();
    world.write("../body", "x".repeat(70_000).as_bytes());
    let said = world.fails(2, &["--body-file", "../body"]);
    assert!(
        said.contains("the description has 70000 characters"),
        "{said}"
    );
    assert!(world.remote_head(BRANCH).is_none());
    // Many commits: the list of their subjects is cut.
    let first = world.git(&["rev-parse", "HEAD"]);
    let subject = "Improve the quality of the fit by one more small step of the plan";
    let mut stream = String::new();
    for number in 0..1500 {
        let message = format!("{subject} {number:05}\n");
        let from = if number == 0 {
            format!("from {first}\n")
        } else {
            String::new()
        };
        stream.push_str(&format!(
            "commit refs/heads/many\ncommitter A <a@example.com> {} +0000\ndata {}\n{message}{from}M 100644 inline s.txt\ndata 6\n{number:05}\n\n",
            1_700_000_000 + number,
            message.len()
        ));
    }
    world.write("../stream", stream.as_bytes());
    let imported = world
        .project
        .shell("git fast-import --quiet < ../stream && git switch -q many")
        .output()
        .unwrap();
    assert!(
        imported.status.success(),
        "{}",
        String::from_utf8_lossy(&imported.stderr)
    );
    let _ = world.open(&[]);
    let body = world.pulls()[0]["body"].as_str().unwrap().to_owned();
    assert!(body.chars().count() <= 65_536, "{}", body.len());
    assert!(body.contains("more lines"), "{}", &body[body.len() - 300..]);
    // The local GitHub refuses what GitHub refuses.
    let path = format!("/repos/{}/pulls/1", world.repository.full_name);
    for change in [
        json!({"body": "x".repeat(65_537)}),
        json!({"title": "x".repeat(257)}),
    ] {
        let (status, reply) = world.forge.rest(&world.owner, "PATCH", &path, &change);
        assert_eq!(status, 422, "{reply}");
        assert!(
            reply["errors"][0]["message"]
                .as_str()
                .unwrap()
                .contains("is too long (maximum is"),
            "{reply}"
        );
    }
}
