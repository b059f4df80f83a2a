//! One call of the REST API. Handlers are plain functions on blocking threads, because they run git and wait for the
//! disk.

mod fields;
mod reply;

pub(crate) use fields::Fields;
pub(crate) use reply::{Answer, Reply, refused};

use std::collections::HashMap;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, OriginalUri, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::caller::Caller;
use crate::forge::Forge;
use crate::refusal::{Found as _, Refusal};
use crate::view::Links;
use crate::view::View;
use crate::world::{Access, Id, OfRepo, Permission, Pull, Repo, Row, Table};

pub(crate) type Routes = Router<Arc<Forge>>;

pub(crate) struct Call {
    /// At the start of the call.
    view: View,
    pub(crate) caller: Caller,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    /// Below the API's base address.
    path: String,
    params: HashMap<String, String>,
    query: HashMap<String, String>,
    body: Value,
}

impl Deref for Call {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

pub(crate) type Handler = fn(&Call) -> Answer;

/// Turns a [`Handler`] into an axum handler.
pub(crate) fn to(
    handler: Handler,
) -> impl Fn(State<Arc<Forge>>, Request) -> Pin<Box<dyn Future<Output = Response> + Send>>
+ Clone
+ Send
+ 'static {
    move |State(forge), request| {
        Box::pin(async move {
            let call = match Call::read(forge, request).await {
                Ok(call) => call,
                Err(refusal) => return refused(&refusal),
            };
            let work = move || match handler(&call) {
                Ok(reply) => reply.finish(&call),
                Err(refusal) => Reply::refusal(&refusal).finish(&call),
            };
            match tokio::task::spawn_blocking(work).await {
                Ok(response) => response,
                Err(error) => refused(&Refusal::internal(&error)),
            }
        })
    }
}

impl Call {
    async fn read(forge: Arc<Forge>, request: Request) -> Result<Call, Refusal> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, &()).await;
        let params = params.map_err(|_| Refusal::not_found())?;
        let params = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let bytes = axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|error| Refusal::internal(&error))?;
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).map_err(|_| {
                Refusal::new(axum::http::StatusCode::BAD_REQUEST, "Problems parsing JSON")
            })?,
        };
        let caller = parts
            .extensions
            .remove::<Caller>()
            .unwrap_or(Caller::Ticket);
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        // GraphQL always uses POST; there the document decides.
        if !reads && !may_write(&caller) && parts.uri.path() != "/api/graphql" {
            return Err(Refusal::not_accessible());
        }
        let links = parts
            .extensions
            .remove::<Links>()
            .unwrap_or_else(|| Links::of_host(""));
        let path = parts.extensions.get::<OriginalUri>();
        let path = path.map_or("", |OriginalUri(uri)| uri.path());
        Ok(Call {
            path: path.trim_start_matches("/api/v3").to_owned(),
            view: View {
                world: forge.world(),
                forge,
                links,
            },
            caller,
            method: parts.method,
            headers: parts.headers,
            params,
            query: query(parts.uri.query().unwrap_or_default()),
            body,
        })
    }

    /// Whether the caller's token allows changes.
    pub(crate) fn may_write(&self) -> bool {
        may_write(&self.caller)
    }

    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, Refusal> {
        self.param(name).parse().map_err(|_| Refusal::not_found())
    }

    /// A row id in the path.
    pub(crate) fn id(&self, name: &str) -> Result<Id, Refusal> {
        self.param(name).parse().map_err(|_| Refusal::not_found())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::new(&self.body)
    }

    pub(crate) fn json(&self) -> &Value {
        &self.body
    }

    pub(crate) fn user(&self) -> Result<Id, Refusal> {
        self.caller.user().found()
    }

    /// The repository in the path, if the caller has the permission.
    pub(crate) fn repo(&self, needed: Permission) -> Result<&Repo, Refusal> {
        let repo = self
            .world
            .repo_named(self.param("owner"), self.param("repo"));
        let repo = repo.found()?;
        let given = self.world.permission(repo, self.user()?).found()?;
        if given >= needed {
            return Ok(repo);
        }
        match needed {
            Permission::Admin => Err(Refusal::forbidden("Must have admin rights to Repository.")),
            _ => Err(Refusal::not_accessible()),
        }
    }

    /// A row of the repository, by the id in the path.
    pub(crate) fn row<'w, T: Row + OfRepo>(
        &self,
        table: &'w Table<T>,
        name: &str,
        repo: &Repo,
    ) -> Result<&'w T, Refusal> {
        let row = table.get(self.id(name)?);
        row.filter(|row| row.repo() == repo.id).found()
    }

    /// The pull request in the path, if the caller has the permission.
    pub(crate) fn pull(&self, needed: Permission) -> Result<(&Repo, &Pull), Refusal> {
        let repo = self.repo(needed)?;
        let pull = self.world.pull_numbered(repo.id, self.number("number")?);
        Ok((repo, pull.found()?))
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The address of another page of the same list.
    pub(super) fn page_address(&self, page: usize) -> String {
        let mut pairs: Vec<(&str, String)> = self
            .query
            .iter()
            .filter(|(name, _)| *name != "page")
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        pairs.sort();
        pairs.push(("page", page.to_string()));
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        format!("{}{}?{}", self.links.api, self.path, pairs.join("&"))
    }
}

fn may_write(caller: &Caller) -> bool {
    match caller {
        Caller::User(token) => token.access == Access::Write,
        Caller::Operator => true,
        Caller::Browser(_) | Caller::Ticket => false,
    }
}

fn query(text: &str) -> HashMap<String, String> {
    let decode = |part: &str| {
        let part = part.replace('+', " ");
        percent_decode_str(&part).decode_utf8_lossy().into_owned()
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(pair)
        .collect()
}
