//! Watches for operators: the factory's list.

use std::sync::Arc;

use dface_domain::ids::Imei;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::{
    http::{Answer, ApiError, Request, Route, route::Reply},
    import::watches::checked_secret,
};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![Route::post("/admin/watches", AdminAccess::Operator, create)]
}

#[derive(Debug, Serialize, ToSchema)]
struct Known {
    #[schema(value_type = String)]
    imei: Imei,
}

/// Makes a watch known with what proves that somebody has it in hands, or corrects that.
#[utoipa::path(
    post, path = "/admin/watches", tag = "watches",
    params(
        ("imei" = String, Query, description = "The watch, 15 digits"),
        ("key" = String, Query, description = "What it signs in with, set in the factory"),
        ("code" = Option<String>, Query, description = "What is printed on it; without one, the key is the code"),
    ),
    responses((status = 200, body = Known))
)]
pub(super) async fn create(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let (params, imei): (_, Imei) = (&request.params, request.params.required("imei")?);
    let (key, code): (String, Option<String>) = (params.required("key")?, params.optional("code")?);
    let code = code.filter(|code| !code.is_empty());
    for (name, text) in [("key", Some(&key)), ("code", code.as_ref())] {
        if let Some(problem) = text.and_then(|text| checked_secret(text).err()) {
            return Err(ApiError::parameter(name, problem));
        }
    }
    // The act stands in the audit log before what it does.
    let acted = admin.audit(&request.caller, "watch_add", &imei.to_string()).await?;
    let done = admin.node.commands.import_watch(imei, &key, code.as_deref(), &admin.context()).await?;
    let position = done.unwrap_or(acted);
    admin.shown(position).await;
    Ok(Answer::json(&Known { imei }).position(position.0))
}
