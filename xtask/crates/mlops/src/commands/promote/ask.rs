//! What is promoted, asked of who typed `promote` alone.

use xtask_promotion::OpenEnd;
use xtask_remote::records::VersionRecord;

use super::Args;
use crate::context::Context;
use crate::lineage::CHAMPION;

/// The most versions that one chooses from.
const OFFERED: usize = 10;

/// The arguments, with what was answered where nothing was said.
pub(super) fn what(context: &Context, args: &Args) -> anyhow::Result<Args> {
    let mut args = args.clone();
    if !context.ui.can_ask() || context.ui.wants_json() || args.says_something() {
        return Ok(args);
    }
    const OPTIONS: &[&str] = &[
        "A model version, to the next target",
        "Code, by a pull request",
        "Nothing: take the newest promotion of a model back",
        "Nothing: look at what was promoted",
    ];
    match context.ui.choose("What is to be promoted?", OPTIONS)? {
        0 => {}
        1 => args.code = true,
        2 => args.undo = Some(String::new()),
        _ => args.history = true,
    }
    Ok(args)
}

impl Args {
    /// Whether the command line says what is to be done.
    fn says_something(&self) -> bool {
        self.version.is_some()
            || self.from.is_some()
            || self.to.is_some()
            || self.within.is_some()
            || self.code
            || self.undo.is_some()
            || self.history
            || self.via_ci
            || self.plan.is_some()
    }
}

/// Which version of the source: one of those that passed validation, the champion first. `None` takes the usual one.
pub(super) fn version(context: &Context, from: &OpenEnd<'_>) -> anyhow::Result<Option<u64>> {
    let champion = from
        .registry
        .aliased(from.transport, from.model, CHAMPION)?;
    let mut versions = from.registry.versions(from.transport, from.model)?;
    versions.retain(|version| {
        VersionRecord::read(from.model, version.number, &version.pairs()).has_passed()
    });
    versions.sort_by_key(|version| {
        (
            champion != Some(version.number),
            std::cmp::Reverse(version.number),
        )
    });
    versions.truncate(OFFERED);
    // With one there is nothing to ask, and with none the plan says why.
    if versions.len() < 2 {
        return Ok(None);
    }
    let names: Vec<String> = versions
        .iter()
        .map(|version| match champion == Some(version.number) {
            true => format!("version {}, the champion", version.number),
            false => format!("version {}", version.number),
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let question = format!("Which version of {}?", from.model);
    let chosen = context.ui.choose(&question, &names)?;
    let chosen = &versions[chosen];
    // The champion is taken by its alias: the plan then holds as long as it is champion.
    Ok((champion != Some(chosen.number)).then_some(chosen.number))
}
