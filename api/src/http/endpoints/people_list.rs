//! Lists of people as §23 to §25 give them: counted, filtered by name, paged, in one object or in two.

use std::{collections::HashSet, sync::Arc};

use dface_domain::{
    ids::UserId,
    privacy::{self, Sight, Ties},
};
use dface_projections::people::{Person, name_holds};
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::UserItem;
use crate::{
    app::{App, Caller},
    http::{Answer, ApiError, Page, Params},
    pages::{Begin, ListKey, Turned},
};

/// A list as one object (`hash=1`).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeopleList {
    /// All that match, on all pages.
    pub(super) count: usize,
    pub(super) data: Vec<UserItem>,
}

#[derive(Serialize)]
struct Count {
    count: usize,
}

#[derive(Serialize)]
struct Data {
    data: Vec<UserItem>,
}

/// How a list was asked for.
pub(super) struct Asked {
    page: Page,
    after: Option<UserId>,
    name: String,
    hash: bool,
}

impl Asked {
    pub(super) fn of(params: &Params) -> Result<Self, ApiError> {
        let name = params.get("name").map(str::trim).unwrap_or_default().to_owned();
        let after = params.optional("after")?;
        if after.is_some() && params.get("page").is_some() {
            return Err(ApiError::parameter("page", "cannot stand beside after"));
        }
        Ok(Self { page: params.page()?, after, name, hash: params.or("hash", false)? })
    }
}

/// Which list.
pub(super) struct List {
    /// Its name.
    pub(super) of: &'static str,
    /// Whose it is.
    pub(super) whose: UserId,
    /// Everybody on it, by rising ids.
    pub(super) people: Vec<UserId>,
}

/// The list as the caller may see it. `friend` and `follower` are meant from its owner's point of view (§23).
pub(super) fn list(app: &App, caller: &Caller, asked: &Asked, list: List) -> Result<Answer, ApiError> {
    let Caller::User { user: viewer, session } = *caller else { return Err(ApiError::internal("no session")) };
    let List { of, whose, people } = list;
    let seen = seen(app, asked, viewer, whose, people)?;
    let (name, pcount) = (asked.name.as_str(), asked.page.pcount);
    let key = ListKey { session, list: of, whose, name, pcount };
    let begin = match asked.after {
        Some(after) => Begin::After(Some(after)),
        None => app.pages.begin(key, asked.page.page),
    };
    let skipped = match begin {
        Begin::After(after) => seen.partition_point(|person| Some(person.user) <= after),
        Begin::Counted => asked.page.offset().min(seen.len()),
    };
    let page: Vec<_> = seen.iter().skip(skipped).take(asked.page.limit()).collect();
    if asked.after.is_none() {
        let after = skipped.checked_sub(1).map(|before| seen[before].user);
        let last = page.last().map_or(after, |person| Some(person.user));
        app.pages.turned(key, Turned { page: asked.page.page, after, last });
    }
    let follows = app.views().follows.view();
    let mut data = Vec::with_capacity(page.len());
    for person in page {
        let (friend, follower) = (follows.follows(whose, person.user)?, follows.follows(person.user, whose)?);
        data.push(UserItem::new(app, person, friend, follower)?);
    }
    let count = seen.len();
    Ok(if asked.hash {
        Answer::json(&PeopleList { count, data })
    } else {
        Answer::json(&(Count { count }, Data { data }))
    })
}

/// Those of `people` whom the viewer may see, and whose name holds what was asked for.
fn seen(
    app: &App,
    asked: &Asked,
    viewer: UserId,
    whose: UserId,
    people: Vec<UserId>,
) -> Result<Vec<Arc<Person>>, ApiError> {
    let (known, blocks) = (app.views().people.view(), app.views().blocks.view());
    let blocked: HashSet<UserId> = blocks.of(viewer)?.into_iter().collect();
    let blocked_by: HashSet<UserId> = blocks.by(viewer)?.into_iter().collect();
    let mut seen = Vec::with_capacity(people.len());
    for user in people {
        // What somebody blocks is on the own list all the same (§25).
        let own_block = viewer == whose && blocked.contains(&user);
        let ties = Ties::on_a_list(viewer, user, blocked.contains(&user) || blocked_by.contains(&user));
        if !own_block && !privacy::may_see(&ties, Sight::Profile) {
            continue;
        }
        let Some(person) = known.get(user)? else { continue };
        if name_holds(person.profile.name.as_deref(), &asked.name) {
            seen.push(person);
        }
    }
    Ok(seen)
}
