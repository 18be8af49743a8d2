//! PostGIS with the same points: nearest first by `<->`.

use std::time::Duration;

use dface_domain::{events::ShopDetails, geo::Position};

use super::{load::Measured, postgres::Postgres};
use crate::Failed;

const TABLES: &str = "
    CREATE EXTENSION postgis;
    CREATE TABLE shops (id bigint, place geography(Point, 4326));
    CREATE TABLE asked (id bigint PRIMARY KEY, place geography(Point, 4326));
    CREATE TEMP TABLE given (id bigint, lng float8, lat float8);
    CREATE TEMP TABLE questions (id bigint, lng float8, lat float8);
";

const INDEX: &str = "
    INSERT INTO shops SELECT id, ST_Point(lng, lat, 4326)::geography FROM given;
    INSERT INTO asked SELECT id, ST_Point(lng, lat, 4326)::geography FROM questions;
    CREATE INDEX ON shops USING gist (place);
    VACUUM ANALYZE shops;
    VACUUM ANALYZE asked;
";

/// A PostgreSQL with all points, and the places to ask from.
pub fn filled(shops: &[ShopDetails], asked: &[Position]) -> Result<Postgres, Failed> {
    let postgres = Postgres::start()?;
    postgres.script(|script| {
        writeln!(script, "{TABLES}COPY given FROM STDIN;")?;
        for (shop, id) in shops.iter().zip(1_u64..) {
            writeln!(script, "{id}\t{}\t{}", shop.position.lng(), shop.position.lat())?;
        }
        writeln!(script, "\\.\nCOPY questions FROM STDIN;")?;
        for (place, id) in asked.iter().zip(1_u64..) {
            writeln!(script, "{id}\t{}\t{}", place.lng(), place.lat())?;
        }
        writeln!(script, "\\.\n{INDEX}")
    })?;
    Ok(postgres)
}

/// Lets so many clients ask for the 50 nearest.
pub fn ask(postgres: &Postgres, clients: usize, asked: usize, time: Duration) -> Result<Measured, Failed> {
    let script = format!(
        "\\set n random(1, {asked})\n\
         SELECT s.id, s.place <-> a.place AS metres FROM asked a CROSS JOIN LATERAL (SELECT id, place FROM shops \
         ORDER BY place <-> a.place LIMIT 50) s WHERE a.id = :n;\n"
    );
    postgres.ask(clients, &script, time)
}
