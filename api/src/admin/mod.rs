//! The admin listener: operators (`/admin`), analysts (`/events`), metrics. Bearer tokens; loopback by default.

mod audit;
mod backup;
mod campaigns;
mod event_limits;
mod events;
mod files;
mod gate;
mod import;
mod jobs;
mod messages;
mod mqtt;
mod nodes;
mod photos;
mod places;
mod projections;
mod reports;
mod shops;
mod stats;
mod status;
mod tokens;
mod users;
mod watches;

use utoipa::{OpenApi, openapi};

pub use self::{
    backup::{BackupLine, BackupTo},
    files::Tokens,
    gate::{Admin, AdminAccess, Operator},
};
pub(crate) use self::{
    files::same,
    users::{checked_name, checked_password},
};
use crate::http::{Route, openapi::complete};

#[derive(OpenApi)]
#[openapi(
    info(title = "dface operators and analysts", description = "Bearer tokens are in the data directory."),
    paths(
        users::create,
        users::list,
        users::one,
        users::reset_password,
        users::foreign,
        users::suspend,
        users::resume,
        users::sessions,
        users::end_sessions,
        backup::backup,
        backup::release,
        campaigns::create,
        campaigns::list,
        campaigns::picture,
        campaigns::send,
        reports::list,
        reports::close,
        shops::create,
        shops::correct,
        shops::add_staff,
        shops::remove_staff,
        shops::notice,
        shops::account,
        shops::foreign,
        import::shops,
        import::checkins,
        import::follows,
        import::watches,
        watches::create,
        photos::of_user,
        photos::picture,
        photos::delete,
        messages::of_room,
        messages::delete,
        places::list,
        places::one,
        places::map,
        tokens::me,
        tokens::create,
        tokens::list,
        tokens::delete,
        audit::list,
        projections::list,
        projections::rebuild,
        projections::compare,
        projections::skip,
        projections::retry,
        jobs::list,
        jobs::retry,
        jobs::drop_job,
        jobs::pause,
        jobs::resume,
        mqtt::user,
        mqtt::vhost,
        mqtt::resource,
        mqtt::topic,
        nodes::list,
        nodes::finalize,
        status::status,
        status::metrics,
        events::events,
        events::schema,
        stats::stats,
        stats::verify,
    )
)]
struct Documented;

/// The OpenAPI document of the admin listener.
#[must_use]
pub fn document() -> openapi::OpenApi {
    let mut document = Documented::openapi();
    complete(&mut document);
    document
}

/// All routes of the admin listener but for its documents.
#[must_use]
pub fn routes() -> Vec<Route<Admin>> {
    [
        users::routes(),
        backup::routes(),
        campaigns::routes(),
        reports::routes(),
        shops::routes(),
        import::routes(),
        watches::routes(),
        photos::routes(),
        messages::routes(),
        places::routes(),
        tokens::routes(),
        audit::routes(),
        projections::routes(),
        jobs::routes(),
        mqtt::routes(),
        nodes::routes(),
        status::routes(),
        events::routes(),
        stats::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_route_is_documented_and_nothing_else_is() {
        let differences = crate::http::openapi::differences(&super::document(), &super::routes());
        assert!(differences.is_empty(), "{differences:#?}");
    }
}
