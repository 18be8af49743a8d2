//! The page that a bench writes: tables in Markdown, and the same to the terminal as they come.

use std::{fmt, io::Write as _};

use crate::machine;

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
        let explained = format!("{} The load average was {} before.", explained.into(), machine::load());
        Self { title, explained, head: head.to_vec(), rows: Vec::new() }
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

impl Page {
    /// The page with these tables in the places of those of before; what was not measured stays.
    pub fn onto(&self, before: &str) -> String {
        let mut page = format!(
            "# Benchmarks\n\nWritten by `make bench`; `make bench ARGS=…` measures one part anew, and its tables alone. {}\n",
            self.machine
        );
        let mut left: Vec<&Table> = self.tables.iter().collect();
        for section in before.split("\n## ").skip(1) {
            let title = section.lines().next().unwrap_or_default();
            match left.iter().position(|table| table.title == title) {
                Some(at) => page.push_str(&left.remove(at).to_string()),
                None => page.push_str(&format!("\n## {}\n", section.trim_end())),
            }
        }
        left.iter().for_each(|table| page.push_str(&table.to_string()));
        page
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
        let text = table.to_string();
        assert!(text.starts_with("\n## Title\n\nHow. The load average was "), "{text}");
        assert!(text.ends_with("\n\n| what | much |\n|---|---:|\n| a | 1 |\n"), "{text}");
    }

    #[test]
    fn a_part_that_is_measured_anew_takes_its_own_place() {
        let page = |titles: &[&'static str], cell: &str| {
            let mut page = Page::new("A machine.".to_owned());
            for title in titles {
                let mut table = Table::new(title, "How.", &["what"]);
                table.row([cell.to_owned()]);
                page.add(table);
            }
            page
        };
        let before = page(&["One", "Two", "Three"], "old").onto("");
        let after = page(&["Two", "Four"], "new").onto(&before);
        let shown: Vec<&str> =
            after.lines().filter(|line| line.starts_with("## ") || ["| old |", "| new |"].contains(line)).collect();
        assert_eq!(shown, ["## One", "| old |", "## Two", "| new |", "## Three", "| old |", "## Four", "| new |"]);
    }
}
