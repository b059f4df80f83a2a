//! The two ends of a promotion: which targets, and the connections to them.

use camino::Utf8PathBuf;
use xtask_promotion::{Carrier, OpenEnd, Owner, Registry};
use xtask_remote::Transport;
use xtask_remote::databricks::registry::RegistryKind;

use super::Args;
use crate::config::Config;
use crate::context::Context;
use crate::databricks::guard::Pass;
use crate::databricks::{Summary, Target};
use crate::error::Failure;
use crate::model_files;
use crate::tools::Toolbox;

/// Which targets a promotion is between; the same twice where a challenger becomes champion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Targets {
    /// Where the version comes from.
    pub(super) from: String,
    /// Where it goes.
    pub(super) to: String,
}

/// Takes them from the command line and from xtask.toml; asks where several are possible.
pub(super) fn choose(context: &Context, args: &Args) -> anyhow::Result<Targets> {
    if let Some(within) = &args.within {
        return Ok(Targets {
            from: within.clone(),
            to: within.clone(),
        });
    }
    let possible = possible(&context.config, args.from.as_deref(), args.to.as_deref());
    match (possible.as_slice(), &args.from, &args.to) {
        ([one], ..) => Ok(one.clone()),
        // Two targets that xtask.toml does not connect: the user knows.
        ([], Some(from), Some(to)) => Ok(Targets {
            from: from.clone(),
            to: to.clone(),
        }),
        ([], ..) => unconnected(context, args),
        (several, ..) if context.ui.can_ask() => {
            let options: Vec<String> = several.iter().map(Targets::arrow).collect();
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            let chosen = context
                .ui
                .choose("Promote from where to where?", &options)?;
            Ok(several[chosen].clone())
        }
        (several, ..) => {
            let what = "which target does the version come from?";
            let mut failure = Failure::usage(what);
            for ends in several {
                failure = failure.next(format!(
                    "cargo xtask promote --from {} --to {}",
                    ends.from, ends.to
                ));
            }
            failure.err()
        }
    }
}

impl Targets {
    fn arrow(&self) -> String {
        format!("{} → {}", self.from, self.to)
    }
}

/// The pairs of targets that xtask.toml connects, of those that the command line allows.
fn possible(config: &Config, from: Option<&str>, to: Option<&str>) -> Vec<Targets> {
    let connection = config.targets.iter().filter_map(|(name, target)| {
        Some(Targets {
            from: name.clone(),
            to: target.promotes_to.clone()?,
        })
    });
    connection
        .filter(|ends| from.is_none_or(|from| ends.from == from))
        .filter(|ends| to.is_none_or(|to| ends.to == to))
        .collect()
}

fn unconnected<T>(context: &Context, args: &Args) -> anyhow::Result<T> {
    let what = match (&args.from, &args.to) {
        (Some(from), _) => format!("xtask.toml does not say where {from} promotes to"),
        (_, Some(to)) => format!("xtask.toml has no target that promotes to {to}"),
        _ => "xtask.toml has no target that promotes to another".to_owned(),
    };
    let mut failure = Failure::usage(what).next("say both: --from TARGET --to TARGET");
    for ends in possible(&context.config, None, None) {
        failure = failure.next(format!("known: {}", ends.arrow()));
    }
    failure.err()
}

/// The destination of `--undo` and `--history`.
pub(super) fn destination(context: &Context, args: &Args) -> anyhow::Result<String> {
    match args.to.as_ref().or(args.within.as_ref()) {
        Some(to) => Ok(to.clone()),
        None => choose(context, args).map(|ends| ends.to),
    }
}

/// A target that is open, with all that is known of it.
pub(super) struct OpenTarget<'a> {
    pub(super) target: Target<'a>,
    /// What the CLI says of it.
    pub(super) summary: Summary,
    /// The address of its workspace.
    pub(super) host: String,
    /// The model's full name there.
    pub(super) model: String,
    kind: RegistryKind,
}

impl<'a> OpenTarget<'a> {
    /// Opens a target; its workspace is started where it is a local one.
    pub(super) fn open(
        context: &'a Context,
        toolbox: &Toolbox,
        name: &str,
    ) -> anyhow::Result<OpenTarget<'a>> {
        let target = Target::open(context, toolbox, name)?.patient();
        let summary = target.deployed()?;
        let key = &context.config.model.resource;
        let model = summary.resources.model(&context.config);
        let Some(model) = model.and_then(|model| model.id.clone()) else {
            return Failure::usage(format!("the model {key} is not deployed to {name}"))
                .next(format!("cargo xtask deploy --target {name}"))
                .err();
        };
        Ok(OpenTarget {
            host: target.host(),
            target,
            summary,
            model,
            kind: context.config.model.registry,
        })
    }

    /// Who works here, as the workspace knows them; in CI first who asked for it and in which run: what is too long for
    /// a tag loses its end.
    pub(super) fn user(&self, context: &Context) -> String {
        let user = self.summary.workspace.user();
        match context.env.workflow_run() {
            Some(run) => format!("{run} as {user}"),
            None => user.to_owned(),
        }
    }

    /// The connection through which it is only read.
    pub(super) fn connection(&self, toolbox: &'a Toolbox) -> anyhow::Result<Connection<'_>> {
        self.by(self.target.transport(), toolbox)
    }

    /// The connection through which it can be changed.
    pub(super) fn changing(
        &self,
        toolbox: &'a Toolbox,
        pass: &Pass,
    ) -> anyhow::Result<Connection<'_>> {
        self.by(pass.on(&self.target)?.transport(), toolbox)
    }

    fn by<'p>(
        &'p self,
        transport: Box<dyn Transport + 'p>,
        toolbox: &'a Toolbox,
    ) -> anyhow::Result<Connection<'p>> {
        Ok(Connection {
            place: self,
            registry: Registry::of(&*transport, self.kind, &self.model)?,
            transport,
            carrier: model_files::carrier(toolbox, &self.target, self.kind),
        })
    }
}

/// The connection to a target: its calls, its registry, the way of its files.
pub(super) struct Connection<'p> {
    place: &'p OpenTarget<'p>,
    /// Of calls.
    pub(super) transport: Box<dyn Transport + 'p>,
    registry: Registry,
    carrier: Box<dyn Carrier + 'p>,
}

impl Connection<'_> {
    /// What the engine is given.
    pub(super) fn end(&self) -> OpenEnd<'_> {
        OpenEnd {
            target: &self.place.target.name,
            host: &self.place.host,
            model: &self.place.model,
            state_path: &self.place.summary.workspace.state_path,
            transport: &*self.transport,
            registry: self.registry,
            carrier: &*self.carrier,
        }
    }
}

/// This process, as the lock names it.
pub(super) fn owner(context: &Context, user: &str) -> Owner {
    let system = rustix::system::uname();
    let machine = system.nodename().to_string_lossy();
    Owner::this_process(user, &format!("{machine}:{}", context.root))
}

/// Where a version's files lie on their way to a target, by their digest: what has come stays for the next attempt.
pub(super) fn folder(context: &Context, to: &str, digest: &str) -> Utf8PathBuf {
    let digest = digest.trim_start_matches("sha256:");
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    let name: String = format!("{to}-{digest}").chars().filter(plain).collect();
    journals(context).join("files").join(name)
}

/// Where the journals of this clone lie.
pub(super) fn journals(context: &Context) -> Utf8PathBuf {
    context.local().join("promotions")
}
