//! Lists of people as §23 to §25 give them: counted, filtered by name, paged, in one object or in two.

use dface_domain::{
    ids::UserId,
    privacy::{self, Sight},
};
use dface_projections::people::name_holds;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::UserItem;
use crate::{
    app::App,
    http::{Answer, ApiError, Page, Params},
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
    name: String,
    hash: bool,
}

impl Asked {
    pub(super) fn of(params: &Params) -> Result<Self, ApiError> {
        let name = params.get("name").map(str::trim).unwrap_or_default().to_owned();
        Ok(Self { page: params.page()?, name, hash: params.or("hash", false)? })
    }
}

/// The list of `people` as `viewer` may see it. `friend` and `follower` are meant from `whose` point of view (§23).
pub(super) fn list(
    app: &App,
    asked: &Asked,
    viewer: UserId,
    whose: UserId,
    people: Vec<UserId>,
) -> Result<Answer, ApiError> {
    let known = app.views().people.view();
    let mut seen = Vec::new();
    for user in people {
        // What somebody blocks is on the own list all the same (§25).
        let own_block = viewer == whose && app.views().blocks.view().blocks(whose, user)?;
        if !own_block && !privacy::may_see(&app.ties(viewer, user)?, Sight::Profile) {
            continue;
        }
        let Some(person) = known.get(user)? else { continue };
        if name_holds(person.profile.name.as_deref(), &asked.name) {
            seen.push(person);
        }
    }
    let follows = app.views().follows.view();
    let mut data = Vec::new();
    for person in seen.iter().skip(asked.page.offset()).take(asked.page.limit()) {
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
