//! Repositories, forks, collaborators and labels.

use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use super::shapes::{full_repo, label, merge, minimal_repo, permissions, user};
use crate::call::{Answer, Call, Reply, Routes, to};
use crate::git::Git;
use crate::refusal::{Found as _, Refusal};
use crate::view::View;
use crate::world::{Id, Label, Merging, Permission, Repo, World};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/user/repos", get(to(own)).post(to(create)))
        .route("/users/{login}/repos", get(to(of_user)))
        .route("/repos/{owner}/{repo}", get(to(one)).patch(to(update)))
}

/// Below a repository's address.
pub(super) fn routes_of_one() -> Routes {
    Routes::new()
        .route("/forks", get(to(forks)).post(to(fork)))
        .route("/collaborators", get(to(collaborators)))
        .route(
            "/collaborators/{login}",
            get(to(is_collaborator)).put(to(add_collaborator)),
        )
        .route("/collaborators/{login}/permission", get(to(permission_of)))
        .route("/labels", get(to(labels)).post(to(create_label)))
}

pub(crate) struct NewRepo {
    pub(crate) owner: Id,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) private: bool,
    pub(crate) default_branch: String,
    pub(crate) parent: Option<Id>,
}

/// Creates a repository; a fork starts with its parent's branches.
pub(crate) fn make(world: &mut World, git: &Git, new: NewRepo) -> Result<Id, Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let usable = !new.name.is_empty()
        && new.name.chars().all(allowed)
        && !new.name.starts_with('.')
        && !new.name.ends_with(".git");
    if !usable {
        return Err(Refusal::field("Repository", "name", "invalid"));
    }
    if world
        .repo_named(world.login(new.owner), &new.name)
        .is_some()
    {
        let message = "name already exists on this account";
        return Err(Refusal::told("Repository", Some("name"), message));
    }
    let id = world.next_id();
    match new.parent {
        Some(parent) => git.fork(parent, id, &new.default_branch)?,
        None => git.create(id, &new.default_branch)?,
    }
    let now = world.now();
    world.repos.put(
        id,
        Repo {
            id,
            owner: new.owner,
            name: new.name,
            former_names: Vec::new(),
            description: new.description,
            private: new.private,
            default_branch: new.default_branch,
            parent: new.parent,
            collaborators: Default::default(),
            merging: Merging::default(),
            refs: git.refs(id)?,
            rules: Default::default(),
            next_number: 1,
            created_at: now,
            pushed_at: now,
        },
    );
    Ok(id)
}

fn shown(call: &Call, view: &View, repo: &Repo) -> Result<Value, Refusal> {
    let given = view.world.permission(repo, call.user()?).found()?;
    Ok(full_repo(view, repo, permissions(given)))
}

fn one(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    Ok(Reply::json(shown(call, call, repo)?))
}

fn own(call: &Call) -> Answer {
    let user = call.user()?;
    list(call, |repo| {
        repo.owner == user || repo.collaborators.contains_key(&user)
    })
}

fn of_user(call: &Call) -> Answer {
    let owner = call.world.user_named(call.param("login")).found()?.id;
    list(call, |repo| repo.owner == owner)
}

fn list(call: &Call, wanted: impl Fn(&Repo) -> bool) -> Answer {
    let user = call.user()?;
    let visible = |repo: &&Repo| call.world.permission(repo, user).is_some() && wanted(repo);
    let repos: Vec<&Repo> = call.world.repos.iter().filter(visible).collect();
    Reply::page(call, None, repos, |repo| shown(call, call, repo))
}

fn create(call: &Call) -> Answer {
    let fields = call.fields();
    let new = NewRepo {
        owner: call.user()?,
        name: fields.required("name")?.to_owned(),
        description: fields.text("description")?.map(str::to_owned),
        private: fields.flag("private")?.unwrap_or(false),
        default_branch: "main".to_owned(),
        parent: None,
    };
    let id = call
        .forge
        .change(|world| make(world, &call.forge.git, new))?;
    let now = call.now();
    let repo = now.world.repos.get(id).found()?;
    Ok(Reply::created(shown(call, &now, repo)?))
}

fn update(call: &Call) -> Answer {
    let id = call.repo(Permission::Admin)?.id;
    let fields = call.fields();
    let flags = [
        fields.flag("allow_merge_commit")?,
        fields.flag("allow_squash_merge")?,
        fields.flag("allow_rebase_merge")?,
        fields.flag("allow_auto_merge")?,
        fields.flag("delete_branch_on_merge")?,
    ];
    let description = fields.text("description")?.map(str::to_owned);
    let branch = fields.text("default_branch")?.map(str::to_owned);
    let private = fields.flag("private")?;
    let name = fields.text("name")?.map(str::to_owned);
    call.forge.change(|world| {
        if let Some(name) = &name {
            rename(world, id, name)?;
        }
        let repo = world.repos.edit(id).found()?;
        if let Some(branch) = branch {
            if repo.branch(&branch).is_none() {
                let message = format!("The branch {branch} was not found. Please push that ref first or create it via the Git Data API.");
                return Err(Refusal::custom("Repository", message));
            }
            repo.default_branch = branch;
        }
        repo.description = description.or(repo.description.take());
        repo.private = private.unwrap_or(repo.private);
        let merging = &mut repo.merging;
        let places = [
            &mut merging.allow_merge_commit,
            &mut merging.allow_squash_merge,
            &mut merging.allow_rebase_merge,
            &mut merging.allow_auto_merge,
            &mut merging.delete_branch_on_merge,
        ];
        for (place, flag) in places.into_iter().zip(flags) {
            *place = flag.unwrap_or(*place);
        }
        Ok(())
    })?;
    let now = call.now();
    let repo = now.world.repos.get(id).found()?;
    Ok(Reply::json(shown(call, &now, repo)?))
}

fn rename(world: &mut World, id: Id, name: &str) -> Result<(), Refusal> {
    let repo = world.repos.get(id).found()?;
    let (owner, before) = (world.login(repo.owner), world.full_name(repo));
    let taken = world
        .repo_named(owner, name)
        .filter(|other| other.id != id && other.name.eq_ignore_ascii_case(name));
    if taken.is_some() {
        return Err(Refusal::field("Repository", "name", "already_exists"));
    }
    let repo = world.repos.edit(id).found()?;
    name.clone_into(&mut repo.name);
    repo.former_names.push(before);
    Ok(())
}

fn forks(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let forks: Vec<&Repo> = call.world.forks(repo.id).collect();
    Reply::page(call, None, forks, |fork| Ok(minimal_repo(call, fork)))
}

fn fork(call: &Call) -> Answer {
    let parent = call.repo(Permission::Read)?;
    let owner = call.user()?;
    let existing = call
        .world
        .forks(parent.id)
        .find(|fork| fork.owner == owner)
        .map(|fork| fork.id);
    let name = call
        .fields()
        .text("name")?
        .unwrap_or(&parent.name)
        .to_owned();
    let id = match existing {
        Some(id) => id,
        None if parent.owner == owner => {
            return Err(Refusal::forbidden(
                "A repository cannot be forked into its own account.",
            ));
        }
        None => {
            let (private, default_branch) = (parent.private, parent.default_branch.clone());
            let new = NewRepo {
                owner,
                name,
                description: parent.description.clone(),
                private,
                default_branch,
                parent: Some(parent.id),
            };
            call.forge
                .change(|world| make(world, &call.forge.git, new))?
        }
    };
    let now = call.now();
    let repo = now.world.repos.get(id).found()?;
    Ok(Reply::with(StatusCode::ACCEPTED, shown(call, &now, repo)?))
}

fn collaborators(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let people: Vec<(Id, Permission)> = std::iter::once((repo.owner, Permission::Admin))
        .chain(
            repo.collaborators
                .iter()
                .map(|(id, permission)| (*id, *permission)),
        )
        .collect();
    Reply::page(call, None, people, |(id, given)| {
        Ok(collaborator(call, id, given))
    })
}

fn collaborator(call: &Call, id: Id, given: Permission) -> Value {
    let mut shown = user(call, id);
    merge(
        &mut shown,
        json!({"permissions": permissions(given), "role_name": role(given)}),
    );
    shown
}

fn role(given: Permission) -> Value {
    serde_json::to_value(given).unwrap_or_default()
}

fn is_collaborator(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let user = call.world.user_named(call.param("login")).found()?;
    match user.id == repo.owner || repo.collaborators.contains_key(&user.id) {
        true => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        false => Err(Refusal::not_found()),
    }
}

fn add_collaborator(call: &Call) -> Answer {
    let id = call.repo(Permission::Admin)?.id;
    let user = call.world.user_named(call.param("login")).found()?.id;
    let permission = permission_named(call.fields().text("permission")?.unwrap_or("push"))
        .ok_or_else(|| Refusal::field("Repository", "permission", "invalid"))?;
    call.forge.change(|world| {
        let repo = world.repos.edit(id).found()?;
        repo.collaborators.insert(user, permission);
        Ok(())
    })?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// By either of its names.
pub(crate) fn permission_named(name: &str) -> Option<Permission> {
    Some(match name {
        "pull" | "read" => Permission::Read,
        "triage" => Permission::Triage,
        "push" | "write" => Permission::Write,
        "maintain" => Permission::Maintain,
        "admin" => Permission::Admin,
        _ => return None,
    })
}

fn permission_of(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let user = call.world.user_named(call.param("login")).found()?;
    let given = call.world.permission(repo, user.id);
    // The older field has no roles in between.
    let permission = match given {
        None => "none",
        Some(Permission::Read | Permission::Triage) => "read",
        Some(Permission::Write | Permission::Maintain) => "write",
        Some(Permission::Admin) => "admin",
    };
    let role = given.map_or(json!("none"), role);
    let shown = collaborator(call, user.id, given.unwrap_or(Permission::Read));
    Ok(Reply::json(
        json!({"permission": permission, "role_name": role, "user": shown}),
    ))
}

fn labels(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let all = call.world.labels.of(repo);
    Reply::page(call, None, all, |row| Ok(label(call, repo, row)))
}

fn create_label(call: &Call) -> Answer {
    let repo = call.repo(Permission::Triage)?;
    let fields = call.fields();
    let name = fields.required("name")?.to_owned();
    let known = call
        .world
        .labels
        .find(|label| label.repo == repo.id && label.name.eq_ignore_ascii_case(&name));
    if known.is_some() {
        return Err(Refusal::field("Label", "name", "already_exists"));
    }
    let color = fields
        .text("color")?
        .unwrap_or("ededed")
        .trim_start_matches('#')
        .to_owned();
    let description = fields.text("description")?.map(str::to_owned);
    let row = call.forge.change(|world| {
        let row = Label {
            id: world.next_id(),
            repo: repo.id,
            name,
            color,
            description,
        };
        world.labels.put(row.id, row.clone());
        Ok(row)
    })?;
    Ok(Reply::created(label(call, repo, &row)))
}
