//! From which target and branch to which, as xtask.toml says.

use crate::config::Config;
use crate::error::Failure;

/// The way that code takes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Route {
    /// The target that the code comes from.
    pub(super) from: String,
    /// The branch that feeds it.
    pub(super) main: String,
    /// The target that it goes to.
    pub(super) to: String,
    /// The branch that feeds that one.
    pub(super) release: String,
}

impl Route {
    /// Takes it from xtask.toml; what the command line names wins.
    pub(super) fn find(
        config: &Config,
        from: Option<&str>,
        to: Option<&str>,
    ) -> anyhow::Result<Route> {
        let all = routes(config, to);
        let fits = |route: &&Route| {
            from.is_none_or(|from| route.from == from) && to.is_none_or(|to| route.to == to)
        };
        let mut fitting = all.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only.clone()),
            (Some(_), Some(_)) => {
                let ways: Vec<String> = all
                    .iter()
                    .map(|route| format!("--from {} --to {}", route.from, route.to))
                    .collect();
                Failure::usage("code can be promoted in more than one way")
                    .next(format!("say which: {}", ways.join(", or ")))
                    .err()
            }
            (None, _) => Err(none(config, from, to)),
        }
    }
}

/// All ways: targets with a branch that promote to targets with another. Where a destination is named, its
/// source need not say so.
fn routes(config: &Config, to: Option<&str>) -> Vec<Route> {
    let branch = |name: &str| config.targets.get(name)?.branch.clone();
    let mut routes = Vec::new();
    for (from, target) in &config.targets {
        for name in config.targets.keys() {
            let leads = target.promotes_to.as_deref() == Some(name)
                || to == Some(name.as_str()) && target.promotes_to.is_none();
            let (Some(main), Some(release)) = (branch(from), branch(name)) else {
                continue;
            };
            if leads && from != name && main != release {
                routes.push(Route {
                    from: from.clone(),
                    main,
                    to: name.clone(),
                    release,
                });
            }
        }
    }
    // One that says where it leads to comes before one that is only asked for.
    let says = |route: &Route| {
        let target = config.targets.get(&route.from);
        target.and_then(|target| target.promotes_to.as_deref()) == Some(route.to.as_str())
    };
    match routes.iter().any(says) {
        true => routes.into_iter().filter(says).collect(),
        false => routes,
    }
}

fn none(config: &Config, from: Option<&str>, to: Option<&str>) -> anyhow::Error {
    let unknown = [from, to]
        .into_iter()
        .flatten()
        .find(|name| !config.targets.contains_key(*name));
    if let Some(unknown) = unknown {
        let known: Vec<&str> = config.targets.keys().map(String::as_str).collect();
        return Failure::usage(format!("xtask.toml has no [targets.{unknown}]"))
            .next(format!("it has: {}", known.join(", ")))
            .into();
    }
    Failure::usage("xtask.toml does not say from which branch to which code is promoted",
    )
    .details(
        "[targets.staging]\nbranch = \"main\"\npromotes-to = \"prod\"\n\n[targets.prod]\nbranch = \"release\"",
    )
    .next("give both targets a branch, and the first its promotes-to: docs/configuration.md")
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = include_str!("../../../../../../../xtask.toml");

    fn found(text: &str, from: Option<&str>, to: Option<&str>) -> Result<String, String> {
        let config = Config::parse(text).unwrap();
        match Route::find(&config, from, to) {
            Ok(route) => Ok(format!("{} -> {}", route.main, route.release)),
            Err(error) => Err(crate::error::report(&error).next.join(" ")),
        }
    }

    #[test]
    fn the_names_come_from_the_configuration() {
        assert_eq!(found(OURS, None, None).unwrap(), "main -> release");
        assert_eq!(
            found(OURS, Some("staging"), Some("prod")).unwrap(),
            "main -> release"
        );
        let error = found(OURS, Some("dev"), None).unwrap_err();
        assert_eq!(error, "it has: prod, staging, test");
        let error = found(OURS, Some("prod"), None).unwrap_err();
        assert!(error.contains("promotes-to"), "{error}");
        let same = OURS.replace("branch = \"release\"", "branch = \"main\"");
        assert!(found(&same, None, None).is_err());
    }

    #[test]
    fn two_ways_are_told_apart_by_name() {
        let two = format!(
            "{OURS}\n[targets.west]\nbranch = \"west\"\n[targets.preprod]\nbranch = \"pre\"\npromotes-to = \"west\"\n"
        );
        let error = found(&two, None, None).unwrap_err();
        assert!(error.contains("--from preprod --to west"), "{error}");
        assert_eq!(found(&two, None, Some("west")).unwrap(), "pre -> west");
    }
}
