//! The page that a bench writes: tables in Markdown, and the same to the terminal as they come.

use std::{fmt, io::Write as _};

/// One table.
pub struct Table {
    title: &'static str,
    /// What was measured and how, for a reader who was not there.
    explained: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &'static str, explained: impl Into<String>, head: &[&'static str]) -> Self {
        Self { title, explained: explained.into(), head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row and shows it.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        note(&format!("{}: {}", self.title, cells.join(" | ")));
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## {}\n\n{}\n", self.title, self.explained)?;
        writeln!(f, "| {} |", self.head.join(" | "))?;
        let numbers = "---:|".repeat(self.head.len().saturating_sub(1));
        writeln!(f, "|---|{numbers}")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

/// All tables, under what they were measured on.
pub struct Page {
    machine: String,
    tables: Vec<Table>,
}

impl Page {
    pub fn new(machine: String) -> Self {
        note(&machine);
        Self { machine, tables: Vec::new() }
    }

    pub fn add(&mut self, table: Table) {
        self.tables.push(table);
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Benchmarks\n\nWritten by `make bench`; a run overwrites it. {}", self.machine)?;
        self.tables.iter().try_for_each(|table| table.fmt(f))
    }
}

/// Shows a line at once.
pub fn note(line: &str) {
    // A bench whose reader went away measures on.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Three significant digits, with commas between thousands.
pub fn short(number: f64) -> String {
    if number.abs() < 100.0 {
        let decimals = if number.abs() < 1.0 {
            3
        } else if number.abs() < 10.0 {
            2
        } else {
            1
        };
        return format!("{number:.decimals$}");
    }
    let rounding = 10_f64.powf((number.abs().log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (number / rounding).round() * rounding);
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Milliseconds.
pub fn ms(time: std::time::Duration) -> String {
    format!("{} ms", short(time.as_secs_f64() * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.1234, 1.2345, 12.345, 123.45, 1_234.5, 1_090_123.0].map(short);
        assert_eq!(shown, ["0.123", "1.23", "12.3", "123", "1,230", "1,090,000"]);
    }

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new("Title", "How.", &["what", "much"]);
        table.row(["a".to_owned(), "1".to_owned()]);
        assert_eq!(table.to_string(), "\n## Title\n\nHow.\n\n| what | much |\n|---|---:|\n| a | 1 |\n");
    }
}
