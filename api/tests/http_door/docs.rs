//! The OpenAPI document and its page, and the metrics.

use std::sync::Arc;

use dface_api::{
    http::{Limits, Router, RouterSettings, openapi, serve},
    metrics::Exporter,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::{
    HttpMethod, Info, OpenApi, OpenApiBuilder,
    path::{OperationBuilder, PathItem, Paths},
};

use super::support::{Access, App, Server, routes};

/// Every documented route of the tiny product, as a lead's derives would describe it.
fn document() -> OpenApi {
    let mut paths = Paths::new();
    let both = ["/echo", "/typed", "/who", "/mine", "/changed", "/panics", "/waits", "/hurries", "/big"];
    for path in both {
        for method in [HttpMethod::Get, HttpMethod::Post] {
            paths.add_path_operation(path, vec![method], OperationBuilder::new().build());
        }
    }
    paths.add_path_operation("/things/{id}", vec![HttpMethod::Get], OperationBuilder::new().build());
    paths.add_path_operation("/things/{id}", vec![HttpMethod::Delete], OperationBuilder::new().build());
    paths.add_path_operation("/posted", vec![HttpMethod::Post], OperationBuilder::new().build());
    paths.add_path_operation("/raw", vec![HttpMethod::Post], OperationBuilder::new().build());
    paths.add_path_operation("/upload", vec![HttpMethod::Post], OperationBuilder::new().build());
    paths.paths.insert("/endless".to_owned(), PathItem::new(HttpMethod::Get, OperationBuilder::new()));
    OpenApiBuilder::new().info(Info::new("tiny", "1")).paths(paths).build()
}

async fn start() -> Server {
    let mut document = document();
    openapi::complete(&mut document);
    let mut all = routes();
    all.extend(openapi::routes(Access::Anyone, &document).expect("JSON"));
    assert_eq!(openapi::differences(&document, &all), Vec::<String>::new());
    let router = Arc::new(Router::new(Arc::new(App), RouterSettings::default(), all).expect("good routes"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, stop) = (listener.local_addr().expect("bound"), CancellationToken::new());
    let task = tokio::spawn(serve(listener, Limits::default(), None, stop.clone(), move |peer| router.filter(peer)));
    Server { address, stop, task }
}

#[tokio::test]
async fn the_page_and_its_files_come_from_the_binary_under_a_strict_policy() {
    let server = start().await;
    for (path, content_type, part) in [
        ("/docs", "text/html; charset=utf-8", "/docs/start.js"),
        ("/docs/", "text/html; charset=utf-8", "/docs/start.js"),
        ("/docs/start.js", "text/javascript; charset=utf-8", "/openapi.json"),
        ("/docs/swagger-ui.css", "text/css", ".swagger-ui"),
        ("/docs/swagger-ui-bundle.js", "text/javascript", "SwaggerUIBundle"),
    ] {
        let got = server.get(path).await;
        assert_eq!((got.status, got.header("content-type")), (200, Some(content_type)), "{path}");
        assert!(got.body.contains(part), "{path}");
        let policy = got.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    }
    for path in ["/docs/index.html", "/docs/swagger-initializer.js", "/docs/..%2fCargo.toml", "/docs/none"] {
        assert_eq!(server.get(path).await.code(), "unknown_path", "{path}");
    }
    let json = server.get("/openapi.json").await.json();
    assert_eq!(json["openapi"], "3.1.0");
    let refused = &json["paths"]["/echo"]["get"]["responses"]["400"]["content"]["application/json"]["schema"];
    assert_eq!(refused["$ref"], "#/components/schemas/Error");
}

#[tokio::test]
async fn differences_are_named() {
    let mut document = document();
    document.paths.paths.remove("/who");
    document.paths.add_path_operation("/gone", vec![HttpMethod::Get], OperationBuilder::new().build());
    assert_eq!(
        openapi::differences(&document, &routes()),
        ["GET /who is not documented", "POST /who is not documented", "GET /gone is documented, not served"]
    );
}

#[tokio::test]
async fn requests_and_connections_are_counted() {
    let exporter = Exporter::install().expect("the only one of this binary");
    let server = start().await;
    server.get("/echo.json?a=1").await;
    server.get("/things/1").await;
    server.get("/nothing").await;
    let text = exporter.render();
    for line in [
        r#"dface_http_requests_total{route="/echo",status="200"} 1"#,
        r#"dface_http_requests_total{route="/things/{id}",status="200"} 1"#,
        r#"dface_http_requests_total{route="unknown",status="404"} 1"#,
        r#"dface_http_request_duration_seconds_count{route="/echo"} 1"#,
        "dface_http_connections ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
