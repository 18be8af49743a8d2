//! The factory's list of watches.

use dface_commands::{CommandError, Commands, Context, imports::in_flight};
use dface_domain::ids::Imei;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Batch, BatchDone, Done, Outcome, Row, batch::Import, rows::Reason, table::Values};

/// Characters of a key or code.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=128;

/// A watch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchRow {
    /// The row's line, for the answer.
    pub line: u64,
    /// 15 digits.
    pub imei: String,
    /// What it signs in with.
    pub key: String,
    /// What is printed on it; empty: the key is the code.
    #[serde(default)]
    pub code: String,
}

impl Row for WatchRow {
    const KIND: &'static str = "watches";
    const COLUMNS: &'static [&'static str] = &["imei", "key"];

    fn read(line: u64, values: &Values<'_>) -> Result<Self, Reason> {
        let row = Self { line, imei: values.text("imei"), key: values.text("key"), code: values.text("code") };
        row.checked()?;
        Ok(row)
    }

    fn line(&self) -> u64 {
        self.line
    }
}

impl WatchRow {
    fn checked(&self) -> Result<Imei, Reason> {
        let imei = self.imei.parse().map_err(|_| "imei is not 15 digits")?;
        let code = (!self.code.is_empty()).then_some(("code", &self.code));
        for (column, text) in [("key", &self.key)].into_iter().chain(code) {
            checked_secret(text).map_err(|problem| format!("{column} {problem}"))?;
        }
        Ok(imei)
    }
}

/// A key or code that a watch can sign in with and a person can type.
///
/// # Errors
/// What it must be.
pub fn checked_secret(text: &str) -> Result<(), String> {
    if LENGTHS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let (least, most) = (LENGTHS.start(), LENGTHS.end());
    Err(format!("must be {least} to {most} letters, digits and signs of ASCII, without spaces"))
}

impl Import for WatchRow {
    async fn import(commands: &Commands, batch: &Batch<Self>) -> Result<BatchDone, CommandError> {
        let context = Context::new(batch.run);
        let rows = batch.rows.iter().map(|row| known(commands, row, context));
        Ok(BatchDone { users: 0, rows: in_flight(rows.collect()).await? })
    }
}

async fn known(commands: &Commands, row: &WatchRow, context: Context) -> Result<Done, CommandError> {
    let imei = match row.checked() {
        Ok(imei) => imei,
        Err(reason) => return Ok(Done::absent(row.line, Outcome::Bad, reason)),
    };
    let code = Some(row.code.as_str()).filter(|code| !code.is_empty());
    Ok(Done::present(row.line, commands.import_watch(imei, &row.key, code, &context).await?.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_codes_can_be_typed() {
        for good in ["123456", "a-B_9:/", &"x".repeat(128)] {
            assert_eq!(checked_secret(good), Ok(()), "{good}");
        }
        for bad in ["", "12345", "1234 6", "密码密码密码", "123456\n", &"x".repeat(129)] {
            assert!(checked_secret(bad).is_err(), "{bad}");
        }
    }
}
