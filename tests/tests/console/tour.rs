//! docs/operators.md, "A first round": the browser's part of it beside a server with the demo's data. With `DFACE_DOCS=write` the page's pictures are
//! kept.

use std::{fs, path::Path, thread::sleep, time::Duration};

use dface_tests::{Phone, Setup, dface};
use serde_json::json;

use crate::browsed;

const NAME: &str = "湖畔书店";
const HERE: (f64, f64) = (30.2571, 120.1402);

#[test]
fn the_first_round_of_the_operators_page_goes_as_its_pictures_show() {
    let server = Setup::default().arg("--demo").start();
    let place = tempfile::tempdir().expect("a directory");
    let csv = place.path().join("mine.csv");
    fs::write(&csv, format!("id,name,address,category,lat,lng\n1,{NAME},北山街1号,cafe,{},{}\n", HERE.0, HERE.1))
        .expect("written");
    dface(server.dir(), &[], &["import", "shops", &csv.display().to_string()]).ended(0);
    let mut server = server;
    let operator = server.operator();
    let shop = operator.get("/admin/foreign/shop/mine/1").ok()["id"].as_u64().expect("an id");
    let visitor: Phone = server.person("visitor", 1);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let writes = std::env::var("DFACE_DOCS").is_ok_and(|value| value == "write");
    let pictures = if writes { page.join("console") } else { place.path().to_owned() };
    fs::create_dir_all(&pictures).expect("a directory");
    let given = json!({
        "url": format!("http://{}", operator.door().address()), "part": "tour", "token": server.token("admin-token"),
        "name": NAME, "person": visitor.user, "pictures": pictures,
    });
    browsed(&given, &mut |what| match what {
        "drawn" => {
            while operator.get(&format!("/admin/campaigns?shop_id={shop}")).ok()[0]["drawn"] != true {
                sleep(Duration::from_millis(50));
            }
        }
        "check_in" => {
            visitor.check_in(shop, HERE);
        }
        other => panic!("nobody knows how to {other}"),
    });
    let text = fs::read_to_string(page.join("operators.md")).expect("the page is there");
    let shown: Vec<&str> =
        text.split("](console/").skip(1).map(|rest| rest.split(')').next().expect("a name")).collect();
    assert_eq!(shown.len(), 5, "{shown:?}");
    for picture in shown {
        assert!(pictures.join(picture).is_file(), "{picture} is shown and was not made");
        assert!(page.join("console").join(picture).is_file(), "{picture} is not in docs/console: DFACE_DOCS=write");
    }
    server.alive();
}
