//! The settings that count, as TOML: those that are not the default, without what is secret.

use std::fmt::Write as _;

use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde_json::{Map, Value};

use super::BackupError;
use crate::settings::{DEFAULTS, Settings};

/// Its name in a backup, and in a restored directory.
pub const NAME: &str = "dface.toml";

const HEAD: &str =
    "# The settings that counted when this backup was made, but for defaults, and without secrets and passwords.\n";

/// Where this directory is says nothing of another one.
const OF_THIS_PLACE: &str = "data";

/// The settings as a file that `--config` takes.
///
/// # Errors
/// The encoder's.
pub fn to_toml(settings: &Settings) -> Result<String, BackupError> {
    let failed = |error: String| BackupError::Failed(format!("the settings: {error}"));
    let now = serde_json::to_value(settings).map_err(|e| failed(e.to_string()))?;
    let usual = Figment::from(Toml::string(DEFAULTS)).extract::<Settings>().map_err(|e| failed(e.to_string()))?;
    let usual = serde_json::to_value(usual).map_err(|e| failed(e.to_string()))?;
    let (Value::Object(mut now), Value::Object(usual)) = (now, usual) else { return Ok(HEAD.to_owned()) };
    now.remove(OF_THIS_PLACE);
    let mut text = HEAD.to_owned();
    table(&mut text, "", &now, &usual);
    Ok(text)
}

/// What of a table is not as usual: values first, then the tables in it.
fn table(text: &mut String, path: &str, now: &Map<String, Value>, usual: &Map<String, Value>) {
    let differs = |key: &String, value: &Value| usual.get(key) != Some(value) && !value.is_null();
    let (tables, values): (Vec<_>, Vec<_>) =
        now.iter().filter(|(key, value)| differs(key, value)).partition(|(_, value)| value.is_object());
    let values: Vec<_> =
        values.into_iter().filter(|(key, _)| !key.contains("secret") || *key == "secret_file").collect();
    if !path.is_empty() && !values.is_empty() {
        let _ = writeln!(text, "[{path}]");
    }
    for (key, value) in values {
        let _ = writeln!(text, "{key} = {}", inline(value));
    }
    let nothing = Map::new();
    for (key, value) in tables {
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Value::Object(value) = value {
            table(text, &inner, value, usual.get(key).and_then(Value::as_object).unwrap_or(&nothing));
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        // What JSON escapes TOML reads the same.
        Value::String(text) => Value::String(without_password(text)).to_string(),
        Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// A URL without user and password.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A password that was not escaped may hold what ends an authority.
    let hosts = if path.contains('@') { "" } else { authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts) };
    if path.contains('@') { format!("{scheme}://") } else { format!("{scheme}://{hosts}{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(text)).extract().unwrap()
    }

    #[test]
    fn what_is_not_as_usual_is_told_without_secrets_and_reads_back_as_it_was() {
        let given = settings(
            "timezone = \"UTC\"\ndata = \"/d\"\nqueue = \"amqp://user:pass@host/vhost\"\n\
             trusted_proxies = [\"10.0.0.0/8\"]\n[weibo]\napp_key = \"k\"\napp_secret = \"hidden\"\n\
             [limits]\npicture_bytes = 77\n[[regions.near]]\nnetworks = [\"10.0.0.0/8\"]\nip = \"a\\\"b\"\nxmpp = \"x\"\n",
        );
        let text = to_toml(&given).unwrap();
        assert!(
            !["hidden", ":pass", "user", "\"/d\"", "body_bytes"].iter().any(|hidden| text.contains(hidden)),
            "{text}"
        );
        let back = settings(&text);
        assert_eq!((back.timezone.as_str(), back.limits.picture_bytes), ("UTC", 77), "{text}");
        assert_eq!((back.trusted_proxies.len(), back.weibo.app_key.as_str()), (1, "k"));
        assert_eq!(back.regions.near[0].ip, "a\"b");
        assert!(text.contains("queue = \"amqp://host/vhost\""), "{text}");
        assert_eq!(to_toml(&settings("")).unwrap(), HEAD);
    }

    #[test]
    fn no_password_stays_in_a_url() {
        assert_eq!(without_password("esdb://a:b@h1:2113,h2:2113?tls=false"), "esdb://h1:2113,h2:2113?tls=false");
        assert_eq!(without_password("mqtt://a:b/c@host"), "mqtt://");
        assert_eq!(without_password("https://api.example.org/x"), "https://api.example.org/x");
        assert_eq!(without_password("a text"), "a text");
    }
}
