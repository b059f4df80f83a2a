//! Which of the local workspaces of a clone a command means.

use crate::context::Context;
use crate::error::Failure;
use crate::local_workspace;

/// What the user said, and what there is.
pub(super) struct Which<'a> {
    context: &'a Context,
    named: Option<&'a str>,
}

impl<'a> Which<'a> {
    pub(super) fn new(context: &'a Context, named: Option<&'a str>) -> anyhow::Result<Which<'a>> {
        let mut profiles = context.config.workspace.profiles();
        match named {
            Some(name) if !profiles.any(|profile| profile == name) => {
                Failure::usage(format!("xtask.toml names no local workspace {name:?}"))
                    .next(format!("take one of: {}", known(context)))
                    .err()
            }
            _ => Ok(Which { context, named }),
        }
    }

    /// The one that was named, else the first.
    pub(super) fn one(&self) -> &'a str {
        self.named.unwrap_or(&self.context.config.workspace.profile)
    }

    /// The one that was named, or the only one: what is not undone takes no guess.
    pub(super) fn named(&self) -> anyhow::Result<&'a str> {
        if self.named.is_none() && self.context.config.workspace.several() {
            return Failure::usage("there are several local workspaces: say which")
                .next(format!("--profile with one of: {}", known(self.context)))
                .err();
        }
        Ok(self.one())
    }

    /// Whether the answer is about several.
    pub(super) fn means_several(&self) -> bool {
        self.named.is_none() && self.context.config.workspace.several()
    }

    /// The one that was named, else all.
    pub(super) fn all(&self) -> Vec<&'a str> {
        match self.named {
            Some(name) => vec![name],
            None => self.context.config.workspace.profiles().collect(),
        }
    }

    /// The one that was named, else all, those included that an earlier xtask.toml named and that run on.
    pub(super) fn all_and_left_over(&self) -> Vec<String> {
        let mut profiles: Vec<String> = self.all().into_iter().map(str::to_owned).collect();
        if self.named.is_none() {
            let runs = |profile: &String| {
                local_workspace::find(self.context, profile).is_ok_and(|found| found.is_some())
            };
            profiles.extend(
                local_workspace::left_over(self.context)
                    .into_iter()
                    .filter(runs),
            );
        }
        profiles
    }
}

fn known(context: &Context) -> String {
    let profiles: Vec<&str> = context.config.workspace.profiles().collect();
    profiles.join(", ")
}
