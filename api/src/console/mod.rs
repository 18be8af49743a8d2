//! `/console`: a page for operators, on the admin listener. Its files are in the binary; it has no rights of its own, but asks `/admin` and
//! `/events` with the token that the operator gives it.
//!
//! Plain ES modules without a build step. Nothing is loaded from elsewhere, and the content security policy lets nothing in that is not a
//! file of its own.

use std::future::ready;

use http::{HeaderName, HeaderValue, header};

use crate::{
    admin::{Admin, AdminAccess},
    http::{Answer, ApiError, Request, Route, route::Reply},
};

/// Only its own files and calls, and pictures that it was given by a call; nobody else's page shows it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

const PAGE: File = File { name: "index.html", media_type: HTML, text: include_str!("files/index.html") };

/// What the page loads.
const FILES: &[File] = &[
    File { name: "style.css", media_type: CSS, text: include_str!("files/style.css") },
    File { name: "icon.svg", media_type: "image/svg+xml", text: include_str!("files/icon.svg") },
    script("main.js", include_str!("files/main.js")),
    script("api.js", include_str!("files/api.js")),
    script("dom.js", include_str!("files/dom.js")),
    script("words.js", include_str!("files/words.js")),
    script("chart.js", include_str!("files/chart.js")),
    script("health.js", include_str!("files/health.js")),
    script("projections.js", include_str!("files/projections.js")),
    script("events.js", include_str!("files/events.js")),
    script("jobs.js", include_str!("files/jobs.js")),
    script("map.js", include_str!("files/map.js")),
    script("shops.js", include_str!("files/shops.js")),
    script("shop.js", include_str!("files/shop.js")),
    script("people.js", include_str!("files/people.js")),
    script("person.js", include_str!("files/person.js")),
    script("reports.js", include_str!("files/reports.js")),
    script("tokens.js", include_str!("files/tokens.js")),
    script("audit.js", include_str!("files/audit.js")),
    script("nodes.js", include_str!("files/nodes.js")),
];

/// A file of the page.
struct File {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

const fn script(name: &'static str, text: &'static str) -> File {
    File { name, media_type: JS, text }
}

impl File {
    fn answer(&self) -> Answer {
        Answer::bytes(HeaderValue::from_static(self.media_type), self.text)
            .header(header::CONTENT_SECURITY_POLICY, POLICY)
            .header(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"))
            // A newer binary has newer files, which go together.
            .header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))
    }
}

/// The page and its files.
#[must_use]
pub fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/console", AdminAccess::Listener, |_, _| ready(Ok(PAGE.answer())))
            .alias("/console/")
            .undocumented(),
        Route::get("/console/{file}", AdminAccess::Listener, |_, request| ready(file(&request))).undocumented(),
    ]
}

fn file<C>(request: &Request<C>) -> Reply {
    let name: String = request.head.segment("file")?;
    let found = FILES.iter().find(|file| file.name == name).ok_or_else(ApiError::unknown_path)?;
    Ok(found.answer())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_one_names_is_there_and_none_names_another_host() {
        for file in FILES.iter().chain([&PAGE]) {
            for part in file.text.split(['"', '\'', '(', ')']) {
                let named = part.strip_prefix("/console/").or_else(|| part.strip_prefix("./"));
                let known = named.is_none_or(|named| FILES.iter().any(|file| file.name == named));
                assert!(known, "{} names {part}", file.name);
                let elsewhere = part.contains("://") && part != "http://www.w3.org/2000/svg";
                assert!(!elsewhere, "{} names {part}", file.name);
            }
        }
    }

    #[test]
    fn every_file_is_loaded_by_another() {
        for file in FILES {
            let loads = |other: &&File| other.name != file.name && other.text.contains(file.name);
            assert!(FILES.iter().chain([&PAGE]).any(|other| loads(&other)), "{} is loaded by nothing", file.name);
        }
    }
}
