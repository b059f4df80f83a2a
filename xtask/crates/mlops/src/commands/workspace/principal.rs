//! `cargo xtask workspace principal NAME`: an identity for a program, as CI has one on Databricks.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde_json::json;
use xtask_remote::databricks::identities::{self, ServicePrincipal, Trust};

use super::started;
use crate::context::Context;
use crate::error::Failure;
use crate::local_workspace::{self, LocalWorkspace, Mode};

/// Name of the policy that this command keeps.
const POLICY: &str = "xtask";

/// Options of `workspace principal`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the service principal; created if it does not exist
    name: String,
    /// Trust the tokens of this OIDC issuer instead of creating a secret
    #[arg(long, value_name = "URL", requires_all = ["subject", "keys"])]
    issuer: Option<String>,
    /// Subject of the trusted tokens, such as `repo:OWNER/NAME:environment:prod`
    #[arg(long, requires = "issuer")]
    subject: Option<String>,
    /// File with the issuer's public keys (JWKS)
    #[arg(long, value_name = "FILE", requires = "issuer")]
    keys: Option<Utf8PathBuf>,
    /// Delete the service principal, its tokens and its secrets
    #[arg(long, conflicts_with = "issuer")]
    remove: bool,
}

pub(super) fn run(context: &Context, profile: &str, args: &Args) -> anyhow::Result<()> {
    if args.remove {
        return remove(context, profile, &args.name);
    }
    let keys = args.keys.as_ref().map(fs_err::read_to_string).transpose()?;
    let workspace = started(context, profile, Mode::default())?;
    let principal = match find(context, &workspace, &args.name)? {
        Some(known) => known,
        None => {
            let made = identities::create(&workspace.http, &args.name)?;
            context
                .ui
                .status("Made", &format!("the service principal {}", args.name));
            made
        }
    };
    let trust = match (&args.issuer, &args.subject, &keys) {
        (Some(issuer), Some(subject), Some(keys)) => Some(Trust {
            issuer,
            subject,
            keys,
        }),
        _ => None,
    };
    let mut variables = vec![
        ("DATABRICKS_HOST", workspace.url.clone()),
        ("DATABRICKS_CLIENT_ID", principal.application_id.clone()),
    ];
    match trust {
        Some(trust) => {
            identities::trust(&workspace.http, &principal.id, POLICY, &trust)?;
            context.ui.status("Trusts", trust.subject);
            variables.push(("DATABRICKS_AUTH_TYPE", "github-oidc".to_owned()));
        }
        None => {
            let secret = identities::new_secret(&workspace.http, &principal.id)?;
            variables.push(("DATABRICKS_AUTH_TYPE", "oauth-m2m".to_owned()));
            variables.push(("DATABRICKS_CLIENT_SECRET", secret.expose().to_owned()));
            context
                .ui
                .status("Secret", "made; it is shown this once, and kept nowhere");
        }
    }
    answer(context, &variables)
}

/// What a CI system would be given: as lines for a shell, or as JSON.
fn answer(context: &Context, variables: &[(&str, String)]) -> anyhow::Result<()> {
    let object: BTreeMap<&str, &str> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    context.ui.json(&object)?;
    for (name, value) in variables {
        context
            .ui
            .answer(&format!("export {name}='{}'", value.replace('\'', r"'\''")));
    }
    // A token would win over the service principal; the profile is the user's.
    context
        .ui
        .answer("unset DATABRICKS_TOKEN DATABRICKS_CONFIG_PROFILE");
    Ok(())
}

/// The one service principal of this name; two of a name are told apart by hand.
fn find(
    context: &Context,
    workspace: &LocalWorkspace,
    name: &str,
) -> anyhow::Result<Option<ServicePrincipal>> {
    let mut known = identities::named(&workspace.http, name)?;
    if known.len() > 1 {
        let ids: Vec<&str> = known
            .iter()
            .map(|one| one.application_id.as_str())
            .collect();
        return Err(Failure::usage(format!(
            "{} service principals are called {name}",
            known.len()
        ))
        .details(ids.join("\n"))
        .next(format!(
            "eval \"$({})\" && databricks service-principals-v2 list",
            local_workspace::command(context, "env", &workspace.profile)
        ))
        .into());
    }
    Ok(known.pop())
}

fn remove(context: &Context, profile: &str, name: &str) -> anyhow::Result<()> {
    let known = match local_workspace::find(context, profile)? {
        Some(workspace) => find(context, &workspace, name)?.map(|known| (workspace, known)),
        None => {
            let called = local_workspace::called(context, profile);
            return Failure::usage(format!("{called} does not run"))
                .next(local_workspace::command(context, "up", profile))
                .err();
        }
    };
    let outcome = if known.is_some() {
        "removed"
    } else {
        "nothing"
    };
    match known {
        Some((workspace, known)) => {
            identities::delete(&workspace.http, &known.id)?;
            context
                .ui
                .status("Removed", &format!("the service principal {name}"));
        }
        None => context.ui.status(
            "Nothing",
            &format!("to remove: there is no service principal {name}"),
        ),
    }
    let answer = json!({"version": 1, "outcome": outcome, "name": name});
    context.ui.json(&answer)
}
