//! Objects of the schema, and the dispatch to their fields.

use std::ops::Deref;
use std::sync::Arc;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Value, json};

use super::errors::text_of;
use super::{
    actions, checks, commits, conversation, mutations, people, pulls, query, queues, records, refs,
    repositories,
};
use crate::refusal::{Found as _, Refusal};
use crate::view::View;
use crate::world::{Id, Permission, Pull, Repo, UserKind};

#[derive(Clone)]
pub(super) struct Scope {
    pub(super) view: View,
    pub(super) viewer: Id,
    pub(super) may_write: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Thing {
    Query,
    Mutation,
    User(Id),
    Repo(Id),
    /// Repository and full name.
    Ref(Id, String),
    /// A branch's rule for the viewer's role.
    UpdateRule(Id, String),
    ProtectionRule(Id, String),
    Commit(Id, String),
    Comparison(Id, String, String),
    Rollup(Id, String),
    CombinedStatus(Id, String),
    Pull(Id),
    Comment(Id),
    Review(Id),
    ReviewThread(Id),
    Check(Id),
    Suite(Id),
    Status(Id),
    Run(Id),
    Workflow(Id),
    Label(Id),
    Deployment(Id),
    Environment(Id),
    Queue(Id, String),
    /// A pull request's entry in its queue.
    QueueEntry(Id),
    /// A small object with all of its fields, and its type if the field that has it does not say it.
    Record(Option<&'static str>, Arc<Vec<(&'static str, Out)>>),
    Connection(Arc<records::Connection>),
}

#[derive(Debug, Clone)]
pub(super) enum Out {
    Leaf(Value),
    One(Thing),
    Many(Vec<Out>),
}

pub(super) type Given = Result<Out, Refusal>;

/// Arguments of a field, with defaults, and the type that the schema gives the field.
pub(super) struct Args(Value, String);

pub(super) struct Object {
    scope: Arc<Scope>,
    thing: Thing,
    /// As the schema says; an interface or union is told apart by the thing.
    declared: String,
}

impl Out {
    pub(super) const NULL: Out = Out::Leaf(Value::Null);

    pub(super) fn maybe(thing: Option<Thing>) -> Out {
        thing.map_or(Out::NULL, Out::One)
    }

    pub(super) fn list(things: impl IntoIterator<Item = Thing>) -> Out {
        Out::Many(things.into_iter().map(Out::One).collect())
    }
}

/// A scalar, or a list of scalars.
pub(super) fn leaf(value: impl serde::Serialize) -> Out {
    match json!(value) {
        Value::Array(items) => Out::Many(items.into_iter().map(Out::Leaf).collect()),
        value => Out::Leaf(value),
    }
}

pub(super) fn record(fields: Vec<(&'static str, Out)>) -> Thing {
    Thing::Record(None, Arc::new(fields))
}

/// For a field whose type is an interface or union.
pub(super) fn record_of(name: &'static str, fields: Vec<(&'static str, Out)>) -> Thing {
    Thing::Record(Some(name), Arc::new(fields))
}

impl Args {
    pub(super) fn field_type(&self) -> &str {
        &self.1
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// False if missing.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A list of strings or a single one; `None` if missing.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<&str>> {
        match self.0.get(name)? {
            Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect()),
            Value::String(one) => Some(vec![one.as_str()]),
            _ => None,
        }
    }

    pub(super) fn object(&self, name: &str) -> Args {
        Args(self.0.get(name).cloned().unwrap_or_default(), String::new())
    }

    pub(super) fn objects(&self, name: &str) -> Vec<Args> {
        let items = self.0.get(name).and_then(Value::as_array);
        let items = items.into_iter().flatten().cloned();
        items.map(|item| Args(item, String::new())).collect()
    }
}

impl Deref for Scope {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl Scope {
    /// If the viewer may see it.
    pub(super) fn repo(&self, id: Id) -> Result<&Repo, Refusal> {
        self.world.repos.get(id).found()
    }

    pub(super) fn pull(&self, id: Id) -> Result<&Pull, Refusal> {
        self.world.pulls.get(id).found()
    }

    pub(super) fn permission(&self, repo: &Repo) -> Option<Permission> {
        self.world.permission(repo, self.viewer)
    }

    /// With the current world.
    pub(super) fn renewed(&self) -> Scope {
        Scope {
            view: self.view.now(),
            ..self.clone()
        }
    }
}

impl Object {
    pub(super) fn new(scope: Arc<Scope>, thing: Thing, declared: &str) -> Object {
        Object {
            scope,
            thing,
            declared: declared.to_owned(),
        }
    }

    fn field(&self, name: &str, args: &Args) -> Given {
        let scope = &*self.scope;
        match &self.thing {
            Thing::Query => query::field(scope, name, args),
            Thing::Mutation => mutations::field(scope, name, args),
            Thing::User(id) => people::user(scope, *id, name, args),
            Thing::Repo(id) => repositories::repository(scope, *id, name, args),
            Thing::Ref(repo, full) => refs::git_ref(scope, *repo, full, name, args),
            Thing::UpdateRule(repo, branch) => refs::update_rule(scope, *repo, branch, name),
            Thing::ProtectionRule(repo, branch) => {
                refs::protection_rule(scope, *repo, branch, name)
            }
            Thing::Commit(repo, sha) => commits::commit(scope, *repo, sha, name, args),
            Thing::Comparison(repo, base, head) => {
                commits::comparison(scope, *repo, (base, head), name, args)
            }
            Thing::Rollup(repo, sha) => checks::rollup(scope, *repo, sha, name, args),
            Thing::CombinedStatus(repo, sha) => checks::combined(scope, *repo, sha, name, args),
            Thing::Pull(id) => pulls::pull(scope, *id, name, args),
            Thing::Comment(id) => conversation::comment(scope, *id, name),
            Thing::Review(id) => conversation::review(scope, *id, name),
            Thing::ReviewThread(id) => conversation::thread(scope, *id, name, args),
            Thing::Check(id) => checks::check(scope, *id, name, args),
            Thing::Suite(id) => checks::suite(scope, *id, name, args),
            Thing::Status(id) => checks::status(scope, *id, name, args),
            Thing::Run(id) => actions::run(scope, *id, name),
            Thing::Workflow(id) => actions::workflow(scope, *id, name),
            Thing::Label(id) => repositories::label(scope, *id, name),
            Thing::Deployment(id) => actions::deployment(scope, *id, name, args),
            Thing::Environment(id) => actions::environment(scope, *id, name),
            Thing::Queue(repo, branch) => queues::queue(scope, *repo, branch, name, args),
            Thing::QueueEntry(pull) => queues::queue_entry(scope, *pull, name),
            Thing::Record(_, fields) => records::field(fields, name),
            Thing::Connection(connection) => records::connection(connection, name),
        }
    }

    fn resolved<'a>(&self, out: Out, declared: &str) -> ResolvedValue<'a> {
        match out {
            Out::Leaf(value) => ResolvedValue::Leaf(value.into()),
            Out::One(thing) => {
                let scope = match self.thing {
                    // Fields of a mutation's payload see its changes.
                    Thing::Mutation => Arc::new(self.scope.renewed()),
                    _ => self.scope.clone(),
                };
                ResolvedValue::object(Object::new(scope, thing, declared))
            }
            Out::Many(items) => {
                let items = items.into_iter().map(|item| self.resolved(item, declared));
                ResolvedValue::list(items.collect::<Vec<ResolvedValue<'a>>>())
            }
        }
    }
}

impl ObjectValue for Object {
    fn type_name(&self) -> &str {
        match &self.thing {
            Thing::Query => "Query",
            Thing::Mutation => "Mutation",
            Thing::User(id) => match self.scope.world.users.get(*id).map(|user| user.kind) {
                Some(UserKind::Bot) => "Bot",
                Some(UserKind::Organization) => "Organization",
                Some(UserKind::User) | None => "User",
            },
            Thing::Repo(_) => "Repository",
            Thing::Ref(..) => "Ref",
            Thing::UpdateRule(..) => "RefUpdateRule",
            Thing::ProtectionRule(..) => "BranchProtectionRule",
            Thing::Commit(..) => "Commit",
            Thing::Comparison(..) => "Comparison",
            Thing::Rollup(..) => "StatusCheckRollup",
            Thing::CombinedStatus(..) => "Status",
            Thing::Pull(_) => "PullRequest",
            Thing::Comment(_) => "IssueComment",
            Thing::Review(_) => "PullRequestReview",
            Thing::ReviewThread(_) => "PullRequestReviewThread",
            Thing::Check(_) => "CheckRun",
            Thing::Suite(_) => "CheckSuite",
            Thing::Status(_) => "StatusContext",
            Thing::Run(_) => "WorkflowRun",
            Thing::Workflow(_) => "Workflow",
            Thing::Label(_) => "Label",
            Thing::Deployment(_) => "Deployment",
            Thing::Environment(_) => "Environment",
            Thing::Queue(..) => "MergeQueue",
            Thing::QueueEntry(_) => "MergeQueueEntry",
            Thing::Record(Some(name), _) => name,
            Thing::Record(None, _) | Thing::Connection(_) => &self.declared,
        }
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let declared = info.field_definition().ty.inner_named_type().to_string();
        let args = serde_json::to_value(info.arguments()).unwrap_or_default();
        let given = self.field(info.field_name(), &Args(args, declared.clone()));
        given
            .map(|out| self.resolved(out, &declared))
            .map_err(|refusal| FieldError {
                message: text_of(&refusal),
            })
    }
}

/// A field of the schema that is not implemented; a test looks for these.
pub(super) fn unanswered(kind: &str, name: &str) -> Given {
    Err(Refusal::internal(&format!(
        "{kind}.{name} is not implemented"
    )))
}
