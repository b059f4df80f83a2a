//! The lock of a destination's model: a file in the deployment's folder that only one can create.
//!
//! It keeps two promotions of this tool apart. Whoever moves an alias by other means is not stopped by it; reading
//! back finds what they did.

mod breaking;

use serde::Deserialize;
use serde_json::{Value, json};
use xtask_remote::Timestamp;
use xtask_remote::databricks::workspace_files;
use xtask_remote::{Request, Response};

use crate::calls::{Known, OWNER};
use crate::error::{Error, Refusal};
use crate::open_end::OpenEnd;
use crate::owner::Owner;

use self::breaking::Blocking;

/// What the file holds, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The id of the promotion that it was taken for.
    pub id: String,
    /// What that does, for people.
    pub what: String,
    /// Who took it, as text.
    pub by: String,
    /// When, by the destination's clock, in milliseconds since 1970; 0 where that is not told.
    pub since: i64,
    /// How long ago, in seconds, by the destination's clock where it is told.
    pub age: i64,
}

impl Held {
    /// Whether it is the very same one, at another look.
    fn is_same(&self, other: &Held) -> bool {
        let what = |held: &Held| (held.id.clone(), held.by.clone(), held.since);
        what(self) == what(other)
    }
}

/// Where the lock of an end's model stands.
pub(crate) fn path(end: &OpenEnd<'_>) -> String {
    let state = end.state_path.trim_end_matches('/');
    format!("{state}/promotion-{}.lock", end.model)
}

/// The call that takes the lock.
pub(crate) fn taking(end: &OpenEnd<'_>, id: &str, what: &str) -> Request {
    let content = json!({"id": id, "what": what, "owner": OWNER});
    workspace_files::create(&path(end), &content)
}

/// The call that gives it back.
pub(crate) fn giving_back(end: &OpenEnd<'_>) -> Request {
    workspace_files::delete(&path(end))
}

/// Who holds the lock now.
pub fn holder(end: &OpenEnd<'_>) -> Result<Option<Held>, Error> {
    holder_of(end, &path(end))
}

fn holder_of(end: &OpenEnd<'_>, path: &str) -> Result<Option<Held>, Error> {
    let Some(reply) = read(end, path)? else {
        return Ok(None);
    };
    let since = workspace_files::modified_at(end.transport, path)?.unwrap_or_default();
    let now = server_time(&reply).unwrap_or_else(Timestamp::now);
    #[derive(Default, Deserialize)]
    struct Content {
        #[serde(default)]
        id: String,
        #[serde(default)]
        what: String,
        #[serde(default)]
        owner: String,
    }
    // A file that is not ours stands in the way all the same.
    let content: Content = xtask_remote::json::from_slice(&reply.body).unwrap_or_default();
    Ok(Some(Held {
        id: content.id,
        what: content.what,
        by: content.owner,
        since,
        age: (now.as_millisecond() - since) / 1000,
    }))
}

/// The file with the lock. A web page in its place is from something on the way, and says nothing about the lock.
fn read(end: &OpenEnd<'_>, path: &str) -> Result<Option<Response>, Error> {
    let reply = workspace_files::read(end.transport, path)?;
    match &reply {
        Some(page) if page.body.trim_ascii_start().starts_with(b"<") => {
            Err(xtask_remote::Error::Unexpected {
                call: format!("GET {path}"),
                reason: "a web page instead of the lock".to_owned(),
            }
            .into())
        }
        _ => Ok(reply),
    }
}

/// Whether a lock stands that was taken for this promotion, or for taking it back, or what was left of one that was broken:
/// a process killed while giving it back has nothing else left to do.
pub(crate) fn stands_for(end: &OpenEnd<'_>, id: &str) -> Result<bool, Error> {
    Ok(holder(end)?.is_some_and(|held| held.id == id) || breaking::has_left(end, id)?)
}

fn server_time(reply: &Response) -> Option<Timestamp> {
    Timestamp::of_header(reply.header("date")?)
}

/// Takes the lock, and answers the destination's time at which it did, RFC 3339. A lock that an ended process of this
/// clone left is taken over; any other only where `break_id` names it.
pub(crate) fn take(
    end: &OpenEnd<'_>,
    request: &Request,
    known: &Known,
    us: &Owner,
    break_id: Option<&str>,
) -> Result<String, Error> {
    // Once to find it taken by an ended process, once more to take it.
    for _ in 0..3 {
        let sent = end.transport.send(&known.fill(request));
        let undecided = match &sent {
            Ok(_) => true,
            Err(error) if error.is_not_found() => return not_deployed(end),
            Err(error) => error.leaves_open() || is_taken(error),
        };
        if !undecided {
            sent?;
        }
        let blocking = match holder(end)? {
            Some(held) if held.by == known.owner => {
                breaking::sweep(end, &held)?;
                return Ok(moment(held.since));
            }
            Some(held) => Blocking::behind(end, held)?,
            // Given back in this very moment, or the call never arrived.
            None => continue,
        };
        if !blocking.may_be_broken(us, break_id) {
            return refused(end, &blocking.last);
        }
        blocking.remove(end, known)?;
    }
    Refusal::new(format!(
        "the lock of {} could not be taken: it is taken and given back all the time",
        end.model
    ))
    .next("call it again in a minute")
    .err()
}

fn is_taken(error: &xtask_remote::Error) -> bool {
    matches!(error, xtask_remote::Error::Refused { code, message, .. }
        if code == "RESOURCE_ALREADY_EXISTS" || message.contains("RESOURCE_ALREADY_EXISTS") || message.contains("already exists"))
}

/// The id of a lock, for `--break-lock`: its promotion and its time, so that the id of one lock never breaks the next.
fn name(held: &Held) -> String {
    format!("{}-{}", held.id, held.since)
}

fn moment(milliseconds: i64) -> String {
    let second = Timestamp::from_millisecond(milliseconds / 1000 * 1000);
    second.map_or_else(String::new, |second| second.to_string())
}

fn not_deployed<T>(end: &OpenEnd<'_>) -> Result<T, Error> {
    Refusal::new(format!(
        "nothing is deployed to {}: the folder of its deployment is not there",
        end.target
    ))
    .next(format!("cargo xtask deploy --target {}", end.target))
    .err()
}

fn refused<T>(end: &OpenEnd<'_>, held: &Held) -> Result<T, Error> {
    let owner = match held.by.as_str() {
        "" => "an unknown user",
        by => by,
    };
    Refusal::new(format!(
        "another promotion holds the lock of {} in {}",
        end.model, end.target
    ))
    .details(format!(
        "{owner}\nsince {} ({} seconds ago){}",
        moment(held.since),
        held.age,
        match held.what.as_str() {
            "" => String::new(),
            what => format!("\n{what}"),
        }
    ))
    .next("wait until it has ended, and call this again")
    .next(format!(
        "if it has ended for certain: the same command with --break-lock {}",
        name(held)
    ))
    .err()
}

/// Checks that the lock is still ours, right before something that lives is changed.
pub(crate) fn still_ours(end: &OpenEnd<'_>, known: &Known) -> Result<(), Error> {
    let reply = read(end, &path(end))?;
    let content: Option<Value> =
        reply.and_then(|reply| xtask_remote::json::from_slice(&reply.body).ok());
    let owner = content
        .as_ref()
        .and_then(|content| content["owner"].as_str());
    if owner == Some(known.owner.as_str()) {
        return Ok(());
    }
    Refusal::new(format!(
        "the lock of {} in {} was broken in the meantime; nothing further was changed",
        end.model, end.target
    ))
    .details(owner.map_or_else(String::new, |owner| format!("it is held by {owner} now")))
    .next("call this again to see where it stands")
    .err()
}
