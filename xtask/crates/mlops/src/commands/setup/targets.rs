//! Where the bundle's targets live, and whether those on Databricks answer and know who asks.

use camino::Utf8Path;

use crate::bundle::{self, Bundle, TargetWorkspace};
use crate::context::Context;
use crate::databricks::{ANSWER, Target};
use crate::error::{self, Kind};
use crate::local_workspace;
use crate::tools;
use crate::tools::doctor::{Finding, State};

/// A finding for each target, all asked side by side. None where the CLI, which reads the bundle, is not here yet.
pub(super) fn examine(context: &Context) -> Vec<Finding> {
    if !bundle::exists(&context.root) {
        return Vec::new();
    }
    let bundle = match Bundle::read(context) {
        Ok(bundle) => bundle,
        Err(error) => {
            let report = error::report(&error);
            let is_known = report.kind == Kind::Missing;
            let finding = Finding::of("bundle", State::Missing, report);
            return if is_known { Vec::new() } else { vec![finding] };
        }
    };
    let program = tools::databricks_cli(context);
    let targets = bundle.targets(&context.config);
    std::thread::scope(|scope| {
        let asked: Vec<_> = targets
            .iter()
            .map(|target| {
                let (bundle, program) = (&bundle, program.as_deref());
                scope.spawn(move || finding(context, bundle, target, program))
            })
            .collect();
        let found = asked.into_iter().filter_map(|asked| asked.join().ok());
        found.collect()
    })
}

fn finding(
    context: &Context,
    bundle: &Bundle,
    target: &bundle::DeclaredTarget,
    program: Option<&Utf8Path>,
) -> Finding {
    let name = format!("target {}", target.name);
    if let TargetWorkspace::Local(profile) = &target.workspace {
        let called = local_workspace::called(context, profile);
        let runs = matches!(local_workspace::find(context, profile), Ok(Some(_)));
        let state = if runs { "runs" } else { "starts when needed" };
        return Finding::ok(name, format!("{called}, which {state}"));
    }
    let Some(program) = program.filter(|_| !context.env.offline) else {
        return Finding::ok(name, "on Databricks, not asked");
    };
    let opened = Target::seen(context, bundle, target, None, program.to_owned());
    match opened.signed_in(ANSWER) {
        Ok(known) => {
            let profile = known.profile.as_ref();
            let profile = profile.map(|profile| format!(" (profile {profile})"));
            let profile = profile.unwrap_or_default();
            Finding::ok(name, format!("{} as {}{profile}", known.host, known.user))
        }
        Err(error) => {
            let report = error::report(&error);
            let state = match report.kind {
                Kind::SignedOut => State::SignedOut,
                Kind::Service => State::NotReached,
                _ => State::Missing,
            };
            Finding::of(name, state, report)
        }
    }
}
