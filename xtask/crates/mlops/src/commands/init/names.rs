//! Which names Databricks, Python, Git and GitHub take, and the rule that refuses the others.

use std::collections::BTreeSet;

/// A name as it is used, or the rule that it breaks.
pub(super) type Checked = Result<String, String>;

const KEYWORDS: &str = "and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield";

/// Modules that come with Python.
const STANDARD_LIBRARY: &str = "\
    abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect \
    builtins bz2 calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall \
    concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm \
    decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp \
    fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip \
    hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json \
    keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder \
    msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os \
    ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint \
    profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib \
    resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd smtplib \
    sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string \
    stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios \
    test textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle \
    turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg \
    winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo";

/// Modules of common packages that are called otherwise than their package.
const IMPORTED_AS: &str =
    "attr databricks dateutil git google graphql mpl_toolkits opentelemetry pil pylab sklearn yaml";

/// What a notebook finds defined, and the folders of the project.
const OF_THE_PROJECT: &str = "dbutils display notebooks spark tests xtask";

fn is_one_of(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|word| word == name)
}

fn is_made_of(name: &str, more: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
    name.chars().all(allowed)
}

/// The project: the name of the bundle, of the repository and, with dashes, in pyproject.toml.
pub(super) fn project(name: &str) -> Checked {
    let fits = (2..=40).contains(&name.len())
        && is_made_of(name, "-_")
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with(['-', '_']);
    match fits {
        true => Ok(name.to_owned()),
        false => Err(format!(
            "invalid project name {name:?}: use 2 to 40 lowercase letters, digits, `-` and `_`, with a letter first \
             and no `-` or `_` last"
        )),
    }
}

/// The Python package; `installed` are the modules of the project's environment.
pub(super) fn package(name: &str, installed: &BTreeSet<String>) -> Checked {
    let fits = (1..=40).contains(&name.len())
        && is_made_of(name, "_")
        && name.starts_with(|c: char| c.is_ascii_lowercase());
    let refused = if !fits {
        "use 1 to 40 lowercase letters, digits and `_`, with a letter first"
    } else if is_one_of(KEYWORDS, name) {
        "it is a keyword of Python"
    } else if is_one_of(STANDARD_LIBRARY, name) {
        "Python's standard library has a module of that name"
    } else if installed.contains(name) || is_one_of(IMPORTED_AS, name) {
        "the project's environment installs a package of that name"
    } else if is_one_of(OF_THE_PROJECT, name) {
        "notebooks or the project's folders use that name"
    } else {
        return Ok(name.to_owned());
    };
    Err(format!("invalid Python package {name:?}: {refused}"))
}

/// A catalog of Unity Catalog.
pub(super) fn catalog(name: &str) -> Checked {
    let reserved = "hive_metastore information_schema samples spark_catalog system";
    in_unity_catalog("catalog", name, reserved)
}

/// A schema of Unity Catalog.
pub(super) fn schema(name: &str) -> Checked {
    in_unity_catalog("schema", name, "information_schema")
}

fn in_unity_catalog(kind: &str, name: &str, reserved: &str) -> Checked {
    let fits = (1..=255).contains(&name.len())
        && is_made_of(name, "-_")
        && !name.starts_with("__databricks");
    if is_one_of(reserved, name) {
        return Err(format!(
            "invalid {kind} {name:?}: Unity Catalog reserves that name"
        ));
    }
    match fits {
        true => Ok(name.to_owned()),
        false => Err(format!(
            "invalid {kind} {name:?}: use lowercase letters, digits, `_` and `-`, at most 255 of them (Unity Catalog \
             stores names in lower case)"
        )),
    }
}

/// The word for the local workspace.
pub(super) const LOCAL: &str = "local";

/// Where a target is: `local`, or the address of a workspace.
pub(super) fn workspace(place: &str) -> Checked {
    if place == LOCAL {
        return Ok(place.to_owned());
    }
    let rule = |why: &str| {
        Err(format!(
            "invalid workspace {place:?}: {why}; use `local`, or the address in your browser, such as \
             https://dbc-1a2b3c4d-5e6f.cloud.databricks.com"
        ))
    };
    let Some(rest) = place.strip_prefix("https://") else {
        return rule("it does not begin with https://");
    };
    let host = rest.trim_end_matches('/').to_lowercase();
    let is_label = |label: &str| {
        !label.is_empty()
            && is_made_of(label, "-")
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !host.contains('.') || !host.split('.').all(is_label) {
        return rule("it is no host name alone");
    }
    let placeholder = [
        "your",
        "example",
        "xxxx",
        "workspace-url",
        "changeme",
        "placeholder",
    ];
    if placeholder.iter().any(|word| host.contains(word)) || host.starts_with("workspace.") {
        return rule("it is a placeholder");
    }
    Ok(format!("https://{host}"))
}

/// A branch, besides what git itself checks: workflows and xtask.toml name it without quotes.
pub(super) fn branch(name: &str, git_takes_it: bool) -> Checked {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    match git_takes_it && name.chars().all(plain) {
        true => Ok(name.to_owned()),
        false => Err(format!(
            "invalid branch {name:?}: use letters, digits, `.`, `_`, `/` and `-`, as `git check-ref-format` takes them"
        )),
    }
}

/// The address of a repository on GitHub, from `OWNER/NAME` or an address.
pub(super) fn repository(name: &str) -> Checked {
    let (before, path) = match name {
        _ if name.starts_with("https://") => name
            .match_indices('/')
            .nth(2)
            .map(|(at, _)| name.split_at(at + 1)),
        _ if name.starts_with("git@") => name.find(':').map(|at| name.split_at(at + 1)),
        _ => Some(("https://github.com/", name)),
    }
    .unwrap_or((name, ""));
    let path = path.trim_end_matches(".git");
    let fits = |part: &str, more: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let (owner, repository) = path.split_once('/').unwrap_or((path, ""));
    let is_named = fits(owner, "-_")
        && !owner.starts_with('-')
        && fits(repository, "-_.")
        && !matches!(repository, "." | "..")
        && fits(before, "-_.:/@")
        && before.matches('@').count() == usize::from(before.starts_with("git@"));
    match is_named {
        true => Ok(format!("{before}{path}.git")),
        false => Err(format!(
            "invalid GitHub repository {name:?}: use OWNER/NAME, https://HOST/OWNER/NAME or git@HOST:OWNER/NAME"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_python_would_refuse_or_shadow_are_refused() {
        let installed = BTreeSet::from(["mlflow".to_owned()]);
        for (name, rule) in [
            ("", "lowercase letters"),
            ("Churn", "lowercase letters"),
            ("churn-model", "lowercase letters"),
            ("2churn", "a letter first"),
            ("_churn", "a letter first"),
            ("chürn", "lowercase letters"),
            ("class", "keyword"),
            ("json", "standard library"),
            ("test", "standard library"),
            ("mlflow", "installs a package"),
            ("sklearn", "installs a package"),
            ("tests", "folders"),
            ("dbutils", "notebooks"),
        ] {
            let said = package(name, &installed).unwrap_err();
            assert!(
                said.contains(rule) && said.contains(&format!("{name:?}")),
                "{said}"
            );
        }
        assert_eq!(package("churn_model2", &installed).unwrap(), "churn_model2");
    }

    #[test]
    fn names_that_databricks_would_refuse_are_refused() {
        for name in [
            "",
            "a",
            "Churn",
            "1churn",
            "churn-",
            "churn model",
            "a/b",
            "a.b",
            &"x".repeat(41),
        ] {
            assert!(project(name).is_err(), "{name}");
        }
        assert!(project("customer-churn_2").is_ok());
        for name in [
            "",
            "a.b",
            "a b",
            "a/b",
            "a\nb",
            "Prod",
            "system",
            "information_schema",
            &"x".repeat(256),
        ] {
            assert!(catalog(name).is_err(), "{name}");
        }
        assert!(catalog("ml_prod-2").is_ok() && schema("system").is_ok());
        assert!(schema("information_schema").is_err());
    }

    #[test]
    fn a_workspace_is_local_or_a_real_address() {
        let address = "https://adb-123.4.azuredatabricks.net";
        assert_eq!(workspace(&format!("{address}/")).unwrap(), address);
        assert_eq!(workspace(LOCAL).unwrap(), LOCAL);
        for refused in [
            "",
            "http://dbc-1.cloud.databricks.com",
            "dbc-1.cloud.databricks.com",
            "https://",
            "https://localhost",
            "https://<workspace>.cloud.databricks.com",
            "https://your-workspace.cloud.databricks.com",
            "https://example.com",
            "https://adb-xxxx.azuredatabricks.net",
            "https://dbc-1.cloud.databricks.com/?o=1",
            "https://ann:secret@dbc-1.cloud.databricks.com",
        ] {
            assert!(workspace(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_repository_is_a_name_or_an_address() {
        for (name, url) in [
            ("acme/churn", "https://github.com/acme/churn.git"),
            (
                "https://github.com/acme/churn",
                "https://github.com/acme/churn.git",
            ),
            (
                "https://github.acme.com/ml/churn.git",
                "https://github.acme.com/ml/churn.git",
            ),
            (
                "git@github.com:acme/churn.git",
                "git@github.com:acme/churn.git",
            ),
        ] {
            assert_eq!(repository(name).unwrap(), url);
        }
        for refused in [
            "",
            "churn",
            "a/b/c",
            "-a/b",
            "a/..",
            "a b/c",
            "https://github.com",
            "https://me:pw@github.com/a/b",
        ] {
            assert!(repository(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_branch_is_what_git_and_the_files_take() {
        assert!(branch("release/2", true).is_ok());
        for refused in ["a b", "a,b", "[a]", "a#b", "é"] {
            assert!(branch(refused, true).is_err(), "{refused}");
        }
        assert!(branch("a..b", false).is_err());
    }
}
