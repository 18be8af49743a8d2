//! The rows of each table: how they are read from columns, and what must hold for them. No reason repeats a value:
//! positions and names are personal, and equal reasons are counted together.

use std::borrow::Cow;

use dface_domain::{
    events::ShopDetails,
    geo::{GeoError, MapPosition, Position},
    shops::kind::ShopKind,
    time::Timestamp,
};
use jiff::{civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{Datum, table::Values};

/// Why a row is bad.
pub type Reason = Cow<'static, str>;

/// Longest text, in characters.
const MAX_TEXT: usize = 1_000;
/// Longest foreign id, in characters.
const MAX_ID: usize = 200;

/// A row of some table.
pub trait Row: Serialize + DeserializeOwned + Send + Sync + Sized + 'static {
    /// What the table holds: the word of the command line and of the path.
    const KIND: &'static str;
    /// Columns that its header must have.
    const COLUMNS: &'static [&'static str];

    /// Reads and checks the row at `line`.
    ///
    /// # Errors
    /// Why it is bad.
    fn read(line: u64, values: &Values<'_>) -> Result<Self, Reason>;

    /// Where it was in its table.
    fn line(&self) -> u64;
}

/// A shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopRow {
    /// The row's line, for the answer.
    pub line: u64,
    /// Its id there.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address.
    #[serde(default)]
    pub address: String,
    /// Its phone number.
    #[serde(default)]
    pub phone: String,
    /// Its type, 1 to 6.
    pub t: u8,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
}

impl Row for ShopRow {
    const KIND: &'static str = "shops";
    const COLUMNS: &'static [&'static str] = &["id", "name", "lat", "lng"];

    fn read(line: u64, values: &Values<'_>) -> Result<Self, Reason> {
        let t = match values.get("type").unwrap_or_default() {
            "" => ShopKind::from_category(values.get("category").unwrap_or_default()).into(),
            number => number.parse().map_err(|_| "type is not a whole number from 1 to 6")?,
        };
        let row = Self {
            line,
            id: values.text("id"),
            name: values.text("name"),
            address: values.text("address"),
            phone: values.text("phone"),
            t,
            lat: degrees(values, "lat")?,
            lng: degrees(values, "lng")?,
        };
        row.details(Datum::Wgs84)?;
        Ok(row)
    }

    fn line(&self) -> u64 {
        self.line
    }
}

impl ShopRow {
    /// The shop, its place read as `datum`.
    ///
    /// # Errors
    /// Why the row is bad.
    pub fn details(&self, datum: Datum) -> Result<ShopDetails, Reason> {
        id("id", &self.id)?;
        if self.name.trim().is_empty() {
            return Err("name is empty".into());
        }
        for (column, text) in [("name", &self.name), ("address", &self.address), ("phone", &self.phone)] {
            if text.len() > MAX_TEXT && text.chars().count() > MAX_TEXT {
                return Err(format!("{column} has more than {MAX_TEXT} characters").into());
            }
        }
        let kind = ShopKind::try_from(self.t).map_err(|_| "type is not a whole number from 1 to 6")?;
        let (position, map) = match datum {
            Datum::Wgs84 => {
                let position = place(self.lat, self.lng)?;
                (position, position.to_map())
            }
            Datum::Gcj02 => {
                let map = MapPosition::new(self.lat, self.lng).map_err(geo)?;
                (map.to_wgs84(), map)
            }
        };
        let (address, phone) = (one_line(&self.address), one_line(&self.phone));
        Ok(ShopDetails { name: one_line(&self.name), address, phone, kind, position, map })
    }
}

/// A check-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckinRow {
    /// The row's line, for the answer.
    pub line: u64,
    /// Who, as the source names people.
    pub user_id: String,
    /// Where, as the source names shops.
    pub venue_id: String,
    /// Degrees north, WGS-84.
    pub lat: f64,
    /// Degrees east, WGS-84.
    pub lng: f64,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub utc_time: Timestamp,
}

impl Row for CheckinRow {
    const KIND: &'static str = "checkins";
    const COLUMNS: &'static [&'static str] = &["user_id", "venue_id", "lat", "lng", "utc_time"];

    fn read(line: u64, values: &Values<'_>) -> Result<Self, Reason> {
        let row = Self {
            line,
            user_id: values.text("user_id"),
            venue_id: values.text("venue_id"),
            lat: degrees(values, "lat")?,
            lng: degrees(values, "lng")?,
            utc_time: moment(values.get("utc_time").unwrap_or_default())?,
        };
        row.position()?;
        Ok(row)
    }

    fn line(&self) -> u64 {
        self.line
    }
}

impl CheckinRow {
    /// The row's place; checks all of the row but who and where.
    ///
    /// # Errors
    /// Why the row is bad.
    pub fn position(&self) -> Result<Position, Reason> {
        id("user_id", &self.user_id)?;
        id("venue_id", &self.venue_id)?;
        if self.utc_time < Timestamp(0) {
            return Err("utc_time is before 1970".into());
        }
        place(self.lat, self.lng)
    }
}

/// Somebody follows somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowRow {
    /// The row's line, for the answer.
    pub line: u64,
    /// Who, as the source names people.
    pub user: String,
    /// Whom.
    pub follows: String,
}

impl Row for FollowRow {
    const KIND: &'static str = "follows";
    const COLUMNS: &'static [&'static str] = &["user", "follows"];

    fn read(line: u64, values: &Values<'_>) -> Result<Self, Reason> {
        let row = Self { line, user: values.text("user"), follows: values.text("follows") };
        row.check()?;
        Ok(row)
    }

    fn line(&self) -> u64 {
        self.line
    }
}

impl FollowRow {
    /// Checks it.
    ///
    /// # Errors
    /// Why the row is bad.
    pub fn check(&self) -> Result<(), Reason> {
        id("user", &self.user)?;
        id("follows", &self.follows)?;
        if self.user == self.follows {
            return Err("nobody can follow themselves".into());
        }
        Ok(())
    }
}

fn id(column: &str, text: &str) -> Result<(), Reason> {
    if text.trim().is_empty() {
        return Err(format!("{column} is empty").into());
    }
    if text.chars().count() > MAX_ID || text.chars().any(char::is_control) {
        return Err(format!("{column} has more than {MAX_ID} characters, or control characters").into());
    }
    Ok(())
}

/// Names and addresses are shown on one line each.
fn one_line(text: &str) -> String {
    text.trim().replace(char::is_control, " ")
}

fn degrees(values: &Values<'_>, column: &str) -> Result<f64, Reason> {
    values.get(column).unwrap_or_default().parse().map_err(|_| format!("{column} is not a number").into())
}

fn place(lat: f64, lng: f64) -> Result<Position, Reason> {
    Position::new(lat, lng).map_err(geo)
}

fn geo(error: GeoError) -> Reason {
    error.to_string().into()
}

/// RFC 3339; without an offset it is UTC, as the column's name says.
fn moment(text: &str) -> Result<Timestamp, Reason> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let local: Option<DateTime> = text.parse().ok();
    let utc = local.and_then(|local| TimeZone::UTC.to_timestamp(local).ok());
    utc.map(|utc| Timestamp(utc.as_microsecond()))
        .ok_or_else(|| "utc_time is no time as in 2012-12-30T08:00:00Z".into())
}
