//! The endpoints of the public listener: one module for each group, each with its list of routes.

mod account;
mod blacklists;
mod checkins;
mod circles;
mod coupons;
mod export;
mod follows;
mod health;
mod idempotency;
mod init;
mod objects;
mod people_list;
mod people_nearby;
mod pictures;
mod profiles;
mod push_tokens;
mod shops;
mod sign_in;
mod talks;
mod trace;
mod watches;
mod weibo;
mod wire;

pub(crate) use self::{idempotency::once_by, objects::whole as whole_object};
pub use self::{init::InitLimits, sign_in::sign_in_hash};
use utoipa::{OpenApi, openapi};

use super::{Route, openapi::complete};
use crate::app::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "dface",
        description = "脸脸: venues, check-ins and people. The contract is the interface document of January 2013; \
                       every path answers with and without `.json`, and takes its parameters from the query, a form, \
                       multipart or a JSON object."
    ),
    paths(
        sign_in::login,
        sign_in::logout,
        init::init,
        weibo::callback,
        weibo::share,
        account::password,
        account::delete,
        export::export,
        shops::around,
        shops::nearby,
        shops::info,
        shops::users,
        checkins::list,
        checkins::create,
        checkins::delete,
        trace::trace,
        objects::object,
        pictures::album::create,
        pictures::album::show,
        pictures::album::order,
        pictures::album::delete,
        pictures::room::create,
        pictures::room::show,
        pictures::direct::create,
        pictures::direct::show,
        pictures::portrait::logo,
        pictures::portrait::photos,
        pictures::tmp::tmp,
        profiles::get,
        profiles::get_self,
        profiles::set,
        people_nearby::around,
        follows::create,
        follows::delete,
        follows::followers,
        follows::friends,
        blacklists::list,
        blacklists::create,
        blacklists::delete,
        coupons::list,
        coupons::image,
        coupons::use_one,
        circles::change::create,
        circles::change::invite,
        circles::change::join,
        circles::members::leave,
        circles::members::remove,
        circles::members::guardian,
        circles::members::share_locate,
        circles::show::list,
        circles::show::show,
        watches::bind::bind,
        watches::set::set,
        watches::set::unbind,
        watches::show::image,
        push_tokens::bind,
        talks::create::create,
        talks::list::list,
        talks::events::events,
        talks::file::show,
        talks::file::upload,
        talks::reports::events,
        talks::track::track,
        talks::locates::create,
        talks::locates::request,
        talks::locates::watch,
        talks::stories::send,
        health::healthz,
        health::readyz,
    )
)]
struct Documented;

/// The OpenAPI document of the public listener.
#[must_use]
pub fn document() -> openapi::OpenApi {
    let mut document = Documented::openapi();
    complete(&mut document);
    document
}

/// All routes of the public listener but for its documents.
#[must_use]
pub fn routes() -> Vec<Route<App>> {
    [
        sign_in::routes(),
        init::routes(),
        weibo::routes(),
        account::routes(),
        export::routes(),
        shops::routes(),
        checkins::routes(),
        trace::routes(),
        objects::routes(),
        pictures::routes(),
        profiles::routes(),
        people_nearby::routes(),
        follows::routes(),
        blacklists::routes(),
        coupons::routes(),
        circles::routes(),
        watches::routes(),
        push_tokens::routes(),
        talks::routes(),
        health::routes(),
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
