use std::collections::HashMap;

use arrow_array::{Array, Float64Array, StringArray, cast::AsArray, types::TimestampMicrosecondType};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use dface_domain::{events::TypeInfo, time::Timestamp};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    file::{metadata::ParquetMetaData, statistics::Statistics},
};
use uuid::Uuid;

use super::*;
use crate::replay::{
    Profile, Row, grid,
    table::Table,
    testing::{HIDDEN, each_row, keys},
};

fn written(tables: &mut Table, mut more: impl FnMut(&mut Table) -> bool) -> Bytes {
    let mut file = ParquetFile::begin(Vec::new(), tables.schema()).unwrap();
    while more(tables) {
        file.write(&tables.take().unwrap()).unwrap();
        assert!(file.held() < 2 * GROUP_BYTES, "{} bytes are held", file.held());
    }
    Bytes::from(file.finish().unwrap())
}

fn read(file: Bytes) -> (ParquetMetaData, Vec<RecordBatch>) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let metadata = builder.metadata().as_ref().clone();
    (metadata, builder.build().unwrap().map(Result::unwrap).collect())
}

/// The only row of a type, in a file of its columns.
fn typed(name: &str, profile: Profile) -> RecordBatch {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let mut table = Table::new(profile, TypeInfo::named(name));
    each_row(profile, &keys, |row| {
        if row.type_name == name {
            table.push(row).unwrap();
        }
    });
    let mut once = true;
    let (_, mut batches) = read(written(&mut table, |_| std::mem::take(&mut once)));
    batches.remove(0)
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> &'a StringArray {
    batch.column_by_name(name).unwrap().as_string()
}

fn degrees<'a>(batch: &'a RecordBatch, name: &str) -> &'a Float64Array {
    batch.column_by_name(name).unwrap().as_primitive::<arrow_array::types::Float64Type>()
}

#[test]
fn one_type_has_a_typed_column_for_each_field() {
    let batch = typed("CheckedIn", Profile::Pseudonymous);
    let types: HashMap<String, DataType> =
        batch.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
    let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    for (name, expected) in [
        ("position", DataType::UInt64),
        ("id", DataType::Utf8),
        ("time", moment.clone()),
        ("occurred_at", moment),
        ("schema", DataType::UInt16),
        ("checkin", DataType::Utf8),
        ("user", DataType::Utf8),
        ("shop", DataType::Utf8),
        ("od", DataType::UInt32),
        ("far", DataType::Boolean),
        ("fix_lat", DataType::Float64),
        ("fix_lng", DataType::Float64),
        ("bssid", DataType::Utf8),
    ] {
        assert_eq!(types[name], expected, "{name}");
    }
    assert!(!types.contains_key("data") && !types.contains_key("fix"), "{types:?}");
    assert_eq!(text(&batch, "shop").value(0), "20325453");
    assert_eq!(text(&batch, "user").value(0).len(), 32);
    assert!(text(&batch, "bssid").is_null(0));
    let cell = grid::cell(30.282_817, 120.117_289);
    assert!((degrees(&batch, "fix_lat").value(0) - cell.lat).abs() < 1e-9);
    assert!((degrees(&batch, "fix_lng").value(0) - cell.lng).abs() < 1e-9);
    let time = batch.column_by_name("time").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert!(Timestamp(time.value(0)).to_string().ends_with('Z'));

    let full = typed("CheckedIn", Profile::Full);
    assert_eq!(text(&full, "user").value(0), "7");
    assert_eq!(text(&full, "bssid").value(0), "d8:5d:4c:7e:91:02");
    assert!((degrees(&full, "fix_lat").value(0) - 30.282_817).abs() < 1e-9);
    assert!(text(&full, "fix").value(0).contains("\"accuracy\":65"));
}

#[test]
fn times_lists_and_names_of_the_envelope_are_columns_too() {
    let made = typed("CampaignMade", Profile::Pseudonymous);
    let from = made.column_by_name("from").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(Timestamp(from.value(0)).to_string(), "2012-12-06T13:20:00.000000Z");
    assert_eq!(text(&made, "trigger").value(0), "checkin");
    let album = typed("AlbumOrdered", Profile::Pseudonymous);
    let photos = album.column_by_name("photos").unwrap().as_list::<i32>().value(0);
    assert_eq!(photos.as_string::<i32>().value(0), "509a1ffcbe4b1982a4000002");
    let kept = typed("CheckpointKept", Profile::Pseudonymous);
    assert_eq!(kept.column_by_name("data_position").unwrap().data_type(), &DataType::UInt64);
}

#[test]
fn every_type_has_distinct_columns_and_nothing_personal_is_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    let mut all = Table::new(Profile::Pseudonymous, None);
    let mut shown = String::new();
    each_row(Profile::Pseudonymous, &keys, |row| {
        let mut one = Table::new(Profile::Pseudonymous, TypeInfo::named(row.type_name));
        one.push(row).unwrap();
        all.push(row).unwrap();
        let schema = one.schema();
        let mut names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{}", row.type_name);
        // One row each, since the debug form of many is cut short.
        for table in [&mut one, &mut all] {
            let mut once = true;
            let (_, batches) = read(written(table, |_| std::mem::take(&mut once)));
            shown += &format!("{batches:?}");
        }
    });
    assert!(shown.contains("CheckedIn") && shown.contains("fix_lat"));
    for hidden in HIDDEN {
        assert!(!shown.contains(hidden), "{hidden}");
    }
}

fn bounds(metadata: &ParquetMetaData, name: &str) -> Vec<(i64, i64)> {
    let groups = metadata.row_groups().iter();
    let bounds = groups.map(|group| {
        let column = group.columns().iter().find(|column| column.column_path().string() == name).unwrap();
        match column.statistics().unwrap() {
            Statistics::Int64(of) => (*of.min_opt().unwrap(), *of.max_opt().unwrap()),
            other => panic!("{other:?}"),
        }
    });
    bounds.collect()
}

#[test]
fn row_groups_can_be_passed_over_by_their_times() {
    let mut table = Table::new(Profile::Pseudonymous, None);
    let mut at = 0_u32;
    let file = written(&mut table, |table| {
        for _ in 0..10_000 {
            at += 1;
            let time = Timestamp(1_354_854_259_000_000 + i64::from(at) * 1_000);
            let row = Row {
                position: u64::from(at),
                id: Uuid::from_u128(u128::from(at)),
                stream: "shop-7",
                version: 0,
                type_name: "ShopAdded",
                schema: 1,
                time,
                occurred_at: time,
                correlation: Uuid::nil(),
                causation: None,
                data: "{}",
            };
            table.push(&row).unwrap();
        }
        at <= 300_000
    });
    let (metadata, batches) = read(file);
    // The last of them was not written.
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 300_000);
    assert_eq!(metadata.num_row_groups(), 3);
    for name in ["time", "occurred_at", "position"] {
        let bounds = bounds(&metadata, name);
        assert!(bounds.windows(2).all(|pair| pair[0].1 < pair[1].0), "{name}: {bounds:?}");
    }
    let compression = metadata.row_group(0).column(1).compression();
    assert!(matches!(compression, Compression::ZSTD(_)), "{compression}");
}

#[test]
fn long_texts_end_a_row_group_early() {
    const LONG: usize = 1 << 17;
    // Digits that repeat only where no compressor looks any more.
    let (mut noise, mut seed) = (String::new(), 1_u64);
    while noise.len() < 16 * LONG {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise += &format!("{seed:016x}");
    }
    let mut table = Table::new(Profile::Full, None);
    let mut number = 0;
    let file = written(&mut table, |table| {
        for _ in 0..40 {
            let from = (number % 16) * LONG;
            number += 1;
            let row = Row {
                position: 1,
                id: Uuid::nil(),
                stream: "message-1",
                version: 0,
                type_name: "MessageSent",
                schema: 1,
                time: Timestamp(0),
                occurred_at: Timestamp(0),
                correlation: Uuid::nil(),
                causation: None,
                data: noise.get(from..from + LONG).unwrap(),
            };
            table.push(&row).unwrap();
        }
        number <= 800
    });
    let groups = read(file).0.num_row_groups();
    assert!(groups > 1, "{groups}");
}
