//! A column for a field of an event's type, or of a table's: which one, and how values get into it.

use std::{str::FromStr, sync::Arc};

use arrow_array::{
    ArrayRef, ArrowPrimitiveType,
    builder::{
        BooleanBuilder, Float64Builder, ListBuilder, PrimitiveBuilder, StringBuilder, TimestampMicrosecondBuilder,
    },
    types::{UInt8Type, UInt16Type, UInt32Type, UInt64Type},
};
use arrow_schema::{DataType, Field as ArrowField, TimeUnit};
use dface_domain::{
    events::{Class, Field},
    time::Timestamp,
};
use serde_json::value::RawValue;

use super::{Profile, grid, profile::is_id, row::ENVELOPE};

/// The zone of all times.
pub(super) const UTC: &str = "UTC";

/// Microseconds of UTC.
pub(super) fn moment() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// An empty column of times.
pub(super) fn moments() -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_timezone(UTC)
}

enum Values {
    Text(StringBuilder),
    Texts(ListBuilder<StringBuilder>),
    Yes(BooleanBuilder),
    Number8(PrimitiveBuilder<UInt8Type>),
    Number16(PrimitiveBuilder<UInt16Type>),
    Number32(PrimitiveBuilder<UInt32Type>),
    Number64(PrimitiveBuilder<UInt64Type>),
    Real(Float64Builder),
    Moment(TimestampMicrosecondBuilder),
    /// Two columns of degrees; all of the value where more than a cell is shown.
    Place(Float64Builder, Float64Builder, Option<StringBuilder>),
}

/// A field's column, or those of a position.
pub struct Column {
    /// The field.
    pub name: &'static str,
    values: Values,
}

impl Column {
    /// For a field of an event's type.
    pub fn of(field: &Field, profile: Profile) -> Self {
        Self { name: field.name, values: values(field, profile) }
    }

    /// What it is called, with its type. A name of the envelope gets `data_` in front.
    pub fn fields(&self) -> Vec<ArrowField> {
        let name = if ENVELOPE.contains(&self.name) { format!("data_{}", self.name) } else { self.name.to_owned() };
        let one = |of| vec![ArrowField::new(&name, of, true)];
        match &self.values {
            Values::Text(_) => one(DataType::Utf8),
            Values::Texts(_) => one(DataType::new_list(DataType::Utf8, true)),
            Values::Yes(_) => one(DataType::Boolean),
            Values::Number8(_) => one(DataType::UInt8),
            Values::Number16(_) => one(DataType::UInt16),
            Values::Number32(_) => one(DataType::UInt32),
            Values::Number64(_) => one(DataType::UInt64),
            Values::Real(_) => one(DataType::Float64),
            Values::Moment(_) => one(moment()),
            Values::Place(_, _, whole) => {
                let degrees = |of: &str| ArrowField::new(format!("{name}_{of}"), DataType::Float64, true);
                let mut fields = vec![degrees("lat"), degrees("lng")];
                fields.extend(whole.as_ref().map(|_| ArrowField::new(&name, DataType::Utf8, true)));
                fields
            }
        }
    }

    /// Takes the next value; what has another form is null.
    pub fn push(&mut self, value: Option<&RawValue>) {
        let json = value.map(RawValue::get).filter(|json| *json != "null");
        match &mut self.values {
            Values::Text(column) => push_text(column, json),
            Values::Texts(column) => push_texts(column, json),
            Values::Yes(column) => column.append_option(json.and_then(|json| json.parse().ok())),
            Values::Number8(column) => push_number(column, json),
            Values::Number16(column) => push_number(column, json),
            Values::Number32(column) => push_number(column, json),
            Values::Number64(column) => push_number(column, json),
            Values::Real(column) => push_number(column, json),
            Values::Moment(column) => {
                let time = json.and_then(|json| serde_json::from_str::<Timestamp>(json).ok());
                column.append_option(time.map(|time| time.0));
            }
            Values::Place(lat, lng, whole) => {
                let place = json.and_then(|json| grid::degrees(json.as_bytes()));
                lat.append_option(place.map(|place| place.0));
                lng.append_option(place.map(|place| place.1));
                if let Some(whole) = whole {
                    whole.append_option(json);
                }
            }
        }
    }

    /// What it took since the last time.
    pub fn finish(&mut self, arrays: &mut Vec<ArrayRef>) {
        match &mut self.values {
            Values::Text(column) => arrays.push(Arc::new(column.finish())),
            Values::Texts(column) => arrays.push(Arc::new(column.finish())),
            Values::Yes(column) => arrays.push(Arc::new(column.finish())),
            Values::Number8(column) => arrays.push(Arc::new(column.finish())),
            Values::Number16(column) => arrays.push(Arc::new(column.finish())),
            Values::Number32(column) => arrays.push(Arc::new(column.finish())),
            Values::Number64(column) => arrays.push(Arc::new(column.finish())),
            Values::Real(column) => arrays.push(Arc::new(column.finish())),
            Values::Moment(column) => arrays.push(Arc::new(column.finish())),
            Values::Place(lat, lng, whole) => {
                arrays.push(Arc::new(lat.finish()));
                arrays.push(Arc::new(lng.finish()));
                if let Some(whole) = whole {
                    arrays.push(Arc::new(whole.finish()));
                }
            }
        }
    }
}

fn values(field: &Field, profile: Profile) -> Values {
    match field.class {
        Class::Position => {
            let whole = (profile == Profile::Full).then(StringBuilder::new);
            return Values::Place(Float64Builder::new(), Float64Builder::new(), whole);
        }
        Class::Personal | Class::Secret => return Values::Text(StringBuilder::new()),
        Class::Public | Class::Circle | Class::Person => {}
    }
    let of: String = field.of.chars().filter(|c| !c.is_whitespace()).collect();
    let inner =
        |text: &str, name: &str| text.strip_prefix(name).and_then(|rest| rest.strip_suffix('>')).map(str::to_owned);
    let of = inner(&of, "Option<").unwrap_or(of);
    if inner(&of, "Vec<").is_some_and(|of| is_id(&of) || of == "String" || of == "LogPosition") {
        return Values::Texts(ListBuilder::new(StringBuilder::new()));
    }
    match of.as_str() {
        "bool" => Values::Yes(BooleanBuilder::new()),
        "u8" => Values::Number8(PrimitiveBuilder::new()),
        "u16" => Values::Number16(PrimitiveBuilder::new()),
        "u32" => Values::Number32(PrimitiveBuilder::new()),
        "u64" | "LogPosition" => Values::Number64(PrimitiveBuilder::new()),
        "f64" => Values::Real(Float64Builder::new()),
        "Timestamp" => Values::Moment(moments()),
        _ => Values::Text(StringBuilder::new()),
    }
}

/// A string as it is, anything else as its JSON.
fn push_text(column: &mut StringBuilder, json: Option<&str>) {
    match json {
        Some(json) if json.starts_with('"') => match plain(json) {
            Some(text) => column.append_value(text),
            None => column.append_option(serde_json::from_str::<String>(json).ok()),
        },
        other => column.append_option(other),
    }
}

/// The text of a JSON string without escapes.
fn plain(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

fn push_texts(column: &mut ListBuilder<StringBuilder>, json: Option<&str>) {
    let list: Option<Vec<&RawValue>> = json.and_then(|json| serde_json::from_str(json).ok());
    for one in list.iter().flatten() {
        push_text(column.values(), Some(one.get()).filter(|json| *json != "null"));
    }
    column.append(list.is_some());
}

fn push_number<T: ArrowPrimitiveType<Native: FromStr>>(column: &mut PrimitiveBuilder<T>, json: Option<&str>) {
    column.append_option(json.and_then(|json| json.parse().ok()));
}
