use std::{borrow::Cow, io::Write as _};

use dface_domain::{events::ShopDetails, time::Timestamp};
use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::import::{CheckinRow, Datum, FollowRow, ShopRow};

fn table(text: &[u8]) -> Table {
    Table::of(Cursor::new(text.to_vec()), None).unwrap()
}

fn all<R: Row>(text: &[u8]) -> Vec<(u64, Result<R, String>)> {
    let mut table = table(text);
    table.expect::<R>().unwrap();
    let rows = std::iter::from_fn(|| table.read_row::<R>().unwrap());
    rows.map(|(line, row)| (line, row.map_err(Cow::into_owned))).collect()
}

fn shops(text: &str) -> Vec<(u64, Result<ShopDetails, String>)> {
    let details = |row: ShopRow| row.details(Datum::Wgs84).map_err(Cow::into_owned);
    all::<ShopRow>(text.as_bytes()).into_iter().map(|(line, row)| (line, row.and_then(details))).collect()
}

fn bad<R: Row + std::fmt::Debug>(text: &str) -> (u64, String) {
    let (line, row) = all::<R>(text.as_bytes()).pop().unwrap();
    (line, row.unwrap_err())
}

#[test]
fn tabs_mean_that_quotes_are_letters() {
    let found = shops("id\tname\taddress\tcategory\tlat\tlng\n1\t\"外婆家\", 2\t湖滨\tbar;x\t30.25\t120.16\n");
    let details = found[0].1.as_ref().unwrap();
    assert_eq!((found[0].0, details.name.as_str(), details.address.as_str()), (2, "\"外婆家\", 2", "湖滨"));
    assert_eq!(u8::from(details.kind), 1);
}

#[test]
fn commas_mean_quoting() {
    let text = "\u{feff}LNG, lat ,name,id,phone,type,category\r\n120.16,30.25,\"a \"\"b\"\",\nc\",7,0571,2,bar\r\n\
                120,30,d,8,,,pub\r\n";
    let found = shops(text);
    let first = found[0].1.as_ref().unwrap();
    assert_eq!((first.name.as_str(), first.phone.as_str(), u8::from(first.kind)), ("a \"b\", c", "0571", 2));
    let (line, second) = &found[1];
    assert_eq!((*line, u8::from(second.as_ref().unwrap().kind)), (4, 1));
}

#[test]
fn packed_tables_are_known_by_their_first_bytes() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"user\tfollows\n1\t2\n").unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(all::<FollowRow>(&packed), [(2, Ok(FollowRow { line: 2, user: "1".into(), follows: "2".into() }))]);
    let mut cut = table(&packed[..packed.len() - 3]);
    let broken = std::iter::from_fn(|| cut.read_row::<FollowRow>().transpose()).find_map(Result::err);
    assert!(matches!(broken, Some(TableError::Broken(_))), "{broken:?}");
}

#[test]
fn lines_are_counted_past_empty_ones() {
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let text = ["user,follows", "1,2", "", "", "\"3", "\",4", "5,6"].join(end) + last;
            let found = all::<FollowRow>(text.as_bytes());
            let lines: Vec<_> = found.iter().map(|(line, row)| (*line, row.is_ok())).collect();
            assert_eq!(lines, [(2, true), (5, true), (7, true)], "{text:?}");
        }
    }
}

#[test]
fn times_without_an_offset_are_utc() {
    let at = |time: &str| {
        let text = format!("user_id,venue_id,category,lat,lng,utc_time\n1,2,,30,120,{time}\n");
        all::<CheckinRow>(text.as_bytes()).pop().unwrap().1.map(|row| row.utc_time)
    };
    let expected = Ok(Timestamp::from_seconds(1_240_526_220));
    assert_eq!(at("2009-04-23T22:37:00Z"), expected);
    assert_eq!(at("2009-04-24T06:37:00+08:00"), expected);
    assert_eq!(at("2009-04-23 22:37:00"), expected);
    for wrong in ["", "yesterday", "2009-02-30T00:00:00Z", "1969-12-31T23:59:59Z"] {
        assert!(at(wrong).unwrap_err().starts_with("utc_time is "), "{wrong}");
    }
}

#[test]
fn bad_rows_say_why_and_never_what() {
    for (row, reason) in [
        ("1,,30,120,", "name is empty"),
        ("1, ,30,120,", "name is empty"),
        (",a,30,120,", "id is empty"),
        ("1,a,north,120,", "lat is not a number"),
        ("1,a,,120,", "lat is not a number"),
        ("1,a,NaN,120,", "lat is not a finite number"),
        ("1,a,91,120,", "lat must be between -90 and 90 degrees"),
        ("1,a,30,1e308,", "lng must be between -180 and 180 degrees"),
        ("1,a,30,120,7", "type is not a whole number from 1 to 6"),
        ("1,a,30,120,bar", "type is not a whole number from 1 to 6"),
        ("1,a,30,120", "it has 4 columns, the header 5"),
        ("1,a,30,120,,", "it has 6 columns, the header 5"),
    ] {
        assert_eq!(bad::<ShopRow>(&format!("id,name,lat,lng,type\n{row}\n")), (2, reason.to_owned()), "{row}");
    }
    let long = format!("id,name,lat,lng\n1,{},0,0\n", "长".repeat(1_001));
    assert_eq!(bad::<ShopRow>(&long).1, "name has more than 1000 characters");
    let id = format!("id,name,lat,lng\n{},a,0,0\n", "1".repeat(201));
    assert!(bad::<ShopRow>(&id).1.starts_with("id has more than 200 characters"));
    assert_eq!(bad::<FollowRow>("user,follows\n1,1\n").1, "nobody can follow themselves");
    let (line, row) = all::<FollowRow>(b"user,follows\n1,\xff\n").pop().unwrap();
    assert_eq!((line, row.unwrap_err().as_str()), (2, "it is not UTF-8 text"));
}

#[test]
fn headers_must_have_the_columns() {
    let wrong = |text: &str| match Table::of(Cursor::new(text.to_owned()), None) {
        Ok(table) => table.expect::<ShopRow>().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(wrong("").contains("empty"));
    assert!(wrong("id;name;lat;lng\n").contains("no id, name, lat, lng"), "{}", wrong("id;name;lat;lng\n"));
    assert!(wrong("id,name,lat\n").contains("no lng;"));
    assert!(wrong("id,id,name,lat,lng\n").contains("id twice"));
}

#[test]
fn what_is_not_there_is_unusable() {
    assert!(matches!(Table::open(Path::new("/nowhere/at all")), Err(TableError::Unusable(_))));
    assert!(matches!(Table::open(&std::env::temp_dir()), Err(TableError::Unusable(_))));
}
