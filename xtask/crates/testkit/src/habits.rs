//! The git of somebody who has used it for years: settings, hooks and a signing key that change what every plain
//! git command does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Each of these changes the output or the effect of a git command that is called without saying otherwise.
const SETTINGS: &str = "
[user]
    name = A Tester
    email = tester@example.com
    signingkey = \"HOME/.ssh/signing\"
[gpg]
    format = ssh
[gpg \"ssh\"]
    allowedSignersFile = \"HOME/.ssh/allowed\"
[commit]
    gpgsign = true
    verbose = true
    cleanup = scissors
[tag]
    gpgsign = true
[init]
    defaultBranch = trunk
[push]
    default = upstream
    followTags = true
    autoSetupRemote = true
    recurseSubmodules = on-demand
[pull]
    rebase = true
[rebase]
    autoStash = true
    updateRefs = true
[branch]
    autoSetupMerge = always
    autoSetupRebase = always
[fetch]
    prune = true
    pruneTags = true
    fsckObjects = true
[merge]
    ff = only
    conflictStyle = zdiff3
[core]
    hooksPath = \"HOME/.githooks\"
    attributesFile = \"HOME/.gitattributes\"
    excludesFile = \"HOME/.gitignore\"
    fsmonitor = \"'HOME/.githooks/fsmonitor'\"
    untrackedCache = true
    editor = false
    pager = false
    quotePath = true
    abbrev = 5
[diff]
    noprefix = true
    external = false
    relative = true
    renames = copies
    algorithm = histogram
    colorMoved = zebra
    submodule = log
    context = 0
[log]
    showSignature = true
    decorate = full
    follow = true
    date = relative
[status]
    short = true
    branch = true
    showUntrackedFiles = no
[format]
    pretty = oneline
[color]
    ui = always
[column]
    ui = always
[submodule]
    recurse = true
[checkout]
    defaultRemote = backup
[transfer]
    fsckObjects = true
[rerere]
    enabled = true
";

/// Hooks that do what people's hooks do: speak, add to the message, and leave a trace.
const HOOKS: &[(&str, &str)] = &[
    ("pre-commit", "echo checking >&2"),
    ("commit-msg", "printf '\\nChecked-By: a hook\\n' >> \"$1\""),
    ("post-checkout", "echo checked out >&2"),
    ("pre-push", "cat >> \"HOME/pushed\""),
    // Whatever changed: look at everything.
    ("fsmonitor", "printf '/'"),
];

/// Writes such settings, hooks and a key into a home.
///
/// # Panics
/// When a file cannot be written, or there is no `ssh-keygen`.
pub(crate) fn of_years(home: &Path) {
    let here = home.to_str().expect("a plain path");
    let write = |name: &str, text: &str| {
        let file = home.join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, text.replace("HOME", here)).expect("a file");
        file
    };
    write(".gitconfig", SETTINGS);
    write(".gitattributes", "*.py diff=python\n*.lock -diff\n");
    write(".gitignore", "*.orig\n.idea/\n");
    for (name, body) in HOOKS {
        let file = write(
            &format!(".githooks/{name}"),
            &format!("#!/bin/sh\n{body}\n"),
        );
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(file, executable).expect("a hook");
    }
    let key = write(".ssh/signing", "");
    std::fs::remove_file(&key).expect("a file");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args([
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "tester@example.com",
        "-f",
    ]);
    let made = keygen.arg(&key).status().expect("ssh-keygen starts");
    assert!(made.success(), "no key was made");
    let public = std::fs::read_to_string(key.with_extension("pub")).expect("a public key");
    write(".ssh/allowed", &format!("tester@example.com {public}"));
}
