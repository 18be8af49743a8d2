//! The OpenAPI document: held against the routes, completed with the errors that every path can answer, served as
//! `/openapi.json`, and browsable at `/docs` from files in the binary.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Schema, Type,
    path::{Operation, PathItem},
    schema::SchemaType,
};

use super::{
    answer::Answer,
    error::ApiError,
    request::Request,
    route::{Gate, Reply, Route},
};

/// The errors that any path can answer, and when.
const ERRORS: [(&str, &str); 10] = [
    ("400", "A parameter is missing or cannot have this value"),
    ("401", "No session, or it has ended"),
    ("403", "Who asks may not"),
    ("404", "There is no such thing, or who asks may not know of it"),
    ("405", "The path takes other methods (`Allow`)"),
    ("409", "It stands against what is already so"),
    ("413", "The body is too large"),
    ("415", "The body's form is none that is read here"),
    ("429", "Too often (`Retry-After`)"),
    ("503", "Not now: overload, a full disk, a read model that is behind"),
];

/// What the page may load: its own files, and what the library draws itself. No other site, nothing inline but styles.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<title>dface API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

const START: &str = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, \
                     validatorUrl: null, defaultModelsExpandDepth: 0});\n";

/// How document and routes disagree; nothing where they agree. Aliases and undocumented routes need no entry.
#[must_use]
pub fn differences<S: Gate>(document: &OpenApi, routes: &[Route<S>]) -> Vec<String> {
    let served: BTreeSet<(String, &str)> = routes
        .iter()
        .filter(|route| route.documented)
        .flat_map(|route| route.methods.each().map(|method| (plain(route.path), method)))
        .collect();
    let described: BTreeSet<(String, &str)> = document
        .paths
        .paths
        .iter()
        .flat_map(|(path, item)| operations(item).map(move |(method, _)| (plain(path), method)))
        .collect();
    let missing = served.difference(&described).map(|(path, method)| format!("{method} {path} is not documented"));
    let stale =
        described.difference(&served).map(|(path, method)| format!("{method} {path} is documented, not served"));
    missing.chain(stale).collect()
}

/// A path as OpenAPI writes it: without the router's mark of a part that takes the whole rest.
fn plain(path: &str) -> String {
    path.replace("{*", "{")
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("PATCH", &item.patch), ("DELETE", &item.delete)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Gives every operation the errors it does not describe itself, in the one form that errors have.
pub fn complete(document: &mut OpenApi) {
    let text = |about: &str| ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).description(Some(about));
    let form = ObjectBuilder::new()
        .property("error", text("One sentence that names the parameter"))
        .required("error")
        .property("code", text("Stable, for programs; `docs/errors.md` lists all"))
        .required("code");
    let components = document.components.get_or_insert_default();
    components.schemas.insert("Error".to_owned(), RefOr::T(Schema::from(form.build())));
    for item in document.paths.paths.values_mut() {
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in all.into_iter().flatten() {
            for (status, about) in ERRORS {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
                    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
                    RefOr::T(ResponseBuilder::new().description(about).content("application/json", content).build())
                });
            }
        }
    }
}

/// The document's text, as `/openapi.json` has it and the repository keeps it.
///
/// # Errors
/// Where the document cannot be written as JSON, which a test of any listener would show.
pub fn text(document: &OpenApi) -> Result<String, serde_json::Error> {
    document.to_pretty_json().map(|text| text + "\n")
}

/// The routes `/openapi.json` and `/docs`, for callers that `access` lets in.
///
/// # Errors
/// Where the document cannot be written as JSON.
pub fn routes<S: Gate>(access: S::Access, document: &OpenApi) -> Result<Vec<Route<S>>, serde_json::Error> {
    let json = Bytes::from(text(document)?);
    let files = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
    Ok(vec![
        Route::get("/openapi.json", access, move |_, _| std::future::ready(Ok(Answer::ready_json(json.clone()))))
            .undocumented(),
        Route::get("/docs", access, |_, _| std::future::ready(Ok(page("text/html; charset=utf-8", PAGE))))
            .alias("/docs/")
            .undocumented(),
        Route::get("/docs/{file}", access, move |_, request| std::future::ready(file(&request, Arc::clone(&files))))
            .undocumented(),
    ])
}

fn page(content_type: &'static str, text: &'static str) -> Answer {
    secured(Answer::bytes(HeaderValue::from_static(content_type), text))
}

fn secured(answer: Answer) -> Answer {
    answer
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"))
}

/// A file of the page.
fn file<C>(request: &Request<C>, files: Arc<utoipa_swagger_ui::Config<'static>>) -> Reply {
    let name: String = request.head.segment("file")?;
    if name == "start.js" {
        return Ok(page("text/javascript; charset=utf-8", START));
    }
    // Its own page and start script load and run what the policy forbids.
    let known = !matches!(name.as_str(), "" | "index.html" | "swagger-initializer.js");
    let found = known.then(|| utoipa_swagger_ui::serve(&name, files)).transpose();
    let found = found.map_err(|e| ApiError::internal(e.to_string()))?.flatten().ok_or_else(ApiError::unknown_path)?;
    let content_type = HeaderValue::from_str(&found.content_type).map_err(|e| ApiError::internal(e.to_string()))?;
    let mut answer = Answer::bytes(content_type, found.bytes.into_owned());
    if found.gzpipped {
        answer = answer.header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(secured(answer).header(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400")))
}
