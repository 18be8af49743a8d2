//! What `serve --demo` says to the person before the terminal.

use std::{fmt::Write as _, net::SocketAddr};

use super::{family, people::PEOPLE};
use crate::http::endpoints::sign_in_hash;

/// The phone's address in the example; any will do.
const MAC: &str = "02:00:00:00:00:01";

/// Prints the accounts and what to try, on standard error.
#[expect(clippy::print_stderr, reason = "for people, beside the log; standard output keeps the one ready line")]
pub fn tell(http: SocketAddr, admin: SocketAddr, scheme: &str, data: &std::path::Path) {
    let url = format!("{scheme}://{http}");
    eprint!("{}", text(&url, &format!("{scheme}://{admin}"), &data.display().to_string()));
}

fn text(url: &str, admin: &str, data: &str) -> String {
    let mut text = String::from("\nThe demo is ready. You can sign in as\n");
    let with_password = PEOPLE.iter().filter_map(|one| Some((one, one.password?)));
    for (person, password) in with_password.clone() {
        let _ = writeln!(text, "  {:<9} password {:<9} {}", person.sign_in, password, person.shown);
    }
    let Some((person, password)) = with_password.clone().next() else { return text };
    let (name, hash) = (person.sign_in, sign_in_hash(person.sign_in, password, MAC));
    let (imei, key) = (family::IMEI, family::KEY);
    let _ = write!(
        text,
        "
Try, in another terminal:
  curl -c cookies.txt -d name={name} -d pass={password} -d mac={MAC} -d hash={hash} {url}/oauth2/login
  curl -b cookies.txt '{url}/aroundme/shops?lat=30.26&lng=120.1652&accuracy=30'
  curl -b cookies.txt '{url}/shop/users?id=88'
  curl -b cookies.txt '{url}/user_info/trace'
  curl -b cookies.txt '{url}/groups/show?id=1'      her family's circle, with the watch {imei} (key {key})

All calls: {url}/docs, README.md. For operators: {admin}/docs, the token is in {data}/admin-token.
Shops © OpenStreetMap contributors, ODbL 1.0 (api/demo/ATTRIBUTION.md); the people are made up. Ctrl-C stops the server.

"
    );
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_names_an_account_and_the_attribution() {
        let text = super::text("http://127.0.0.1:1", "http://127.0.0.1:2", "./data");
        assert!(text.contains("linwei") && text.contains("© OpenStreetMap contributors, ODbL 1.0"), "{text}");
        assert!(text.contains("http://127.0.0.1:1/oauth2/login"), "{text}");
    }
}
