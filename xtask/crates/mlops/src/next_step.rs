//! Suggests the next command for a target, by the data and the champion that it has.

use xtask_remote::databricks::files;

use crate::context::Context;
use crate::databricks::{Summary, Target};
use crate::lineage::CHAMPION;

/// What decides.
#[derive(Debug, Clone, Copy)]
struct Found<'a> {
    target: &'a str,
    /// The folder that its jobs read from, and whether anything is in it.
    data: Option<(&'a str, bool)>,
    has_champion: bool,
    /// Whether it deploys from a branch.
    is_fed: bool,
    /// Whether models are promoted to it.
    gets_models: bool,
}

/// The next command, or what to do first; `None` where the target's state is unknown.
pub(crate) fn of(context: &Context, target: &Target<'_>, summary: &Summary) -> Option<String> {
    let (config, resources) = (&context.config, &summary.resources);
    let transport = target.transport();
    let folder = resources.data_folder(config);
    let data = match &folder {
        Some(folder) => {
            let names = files::names(&*transport, folder).ok()?;
            Some((folder.as_str(), !names.is_empty()))
        }
        None => None,
    };
    let model = resources.model(config)?.id.as_ref()?;
    let champion = config.model.registry.aliased(&*transport, model, CHAMPION);
    let configured = config.targets.get(&target.name);
    let mut all = config.targets.values();
    let step = decide(Found {
        target: &target.name,
        data,
        has_champion: champion.ok()?.is_some(),
        is_fed: configured.is_some_and(|configured| configured.branch.is_some()),
        gets_models: all.any(|other| other.promotes_to.as_deref() == Some(&target.name)),
    });
    Some(match step {
        Step::Run(Job::Train) => run(&config.jobs.train, &target.name),
        Step::Run(Job::Infer) => run(&config.jobs.inference, &target.name),
        Step::Type(command) => command,
    })
}

fn run(job: &str, target: &str) -> String {
    format!("cargo xtask run {job} --target {target}")
}

/// Whether the source target has a champion is not checked: it may be on another workspace.
fn promote(target: &str) -> String {
    format!("cargo xtask promote --to {target}   # once the source target has a champion")
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Run(Job),
    Type(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Job {
    Train,
    Infer,
}

fn decide(found: Found<'_>) -> Step {
    let target = found.target;
    // Targets that deploy from a branch get no generated data.
    if let (Some((folder, false)), true) = (found.data, found.is_fed) {
        return Step::Type(match found.has_champion || !found.gets_models {
            true => format!("put the input data of {target}'s jobs into {folder}"),
            false => promote(target),
        });
    }
    match found.data {
        Some((_, false)) => Step::Type(format!("cargo xtask data upload --target {target}")),
        _ if found.has_champion => Step::Run(Job::Infer),
        _ if found.gets_models => Step::Type(promote(target)),
        _ => Step::Run(Job::Train),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_next_can_succeed() {
        let own = Found {
            target: "dev",
            data: Some(("/Volumes/dev/x/data", false)),
            has_champion: false,
            is_fed: false,
            gets_models: false,
        };
        let upload = Step::Type("cargo xtask data upload --target dev".to_owned());
        assert_eq!(decide(own), upload);
        let data = Some(("/Volumes/dev/x/data", true));
        assert_eq!(decide(Found { data, ..own }), Step::Run(Job::Train));
        let has_champion = true;
        let scored = Found {
            data,
            has_champion,
            ..own
        };
        assert_eq!(decide(scored), Step::Run(Job::Infer));

        let fed = Found {
            target: "prod",
            is_fed: true,
            gets_models: true,
            ..own
        };
        let promote = Step::Type(promote("prod"));
        assert_eq!(decide(fed), promote);
        assert_eq!(decide(Found { data, ..fed }), promote);
        let bring = "put the input data of prod's jobs into /Volumes/dev/x/data";
        assert_eq!(
            decide(Found {
                has_champion,
                ..fed
            }),
            Step::Type(bring.to_owned())
        );
        // Without a volume of its own, what the jobs read is elsewhere.
        let elsewhere = Found {
            data: None,
            has_champion,
            ..fed
        };
        assert_eq!(decide(elsewhere), Step::Run(Job::Infer));
    }
}
