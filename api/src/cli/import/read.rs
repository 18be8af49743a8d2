//! Reads the table in a thread of its own, some batches ahead of those that are being written.

use tokio::{sync::mpsc, task::JoinHandle};

use crate::import::{Done, Outcome, Row, Table, table::TableError};

/// Rows of a batch: enough that its first and last row, which wait for nothing, hardly count.
const ROWS: usize = 4_000;
/// Batches read ahead.
const AHEAD: usize = 2;

/// Some rows of the table.
pub struct Piece<R> {
    /// Those that are well made.
    pub rows: Vec<R>,
    /// The others, in order.
    pub bad: Vec<Done>,
    /// Bytes of the table up to here.
    pub taken: u64,
}

/// Reads `table` to its end, or to the first row that is one bad row too many.
pub fn pieces<R: Row>(
    mut table: Table,
    max_errors: u64,
) -> (mpsc::Receiver<Piece<R>>, JoinHandle<Result<(), TableError>>) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        let mut left = max_errors.saturating_add(1);
        loop {
            let mut piece = Piece { rows: Vec::with_capacity(ROWS), bad: Vec::new(), taken: 0 };
            let more = fill(&mut table, &mut piece, &mut left);
            piece.taken = table.taken();
            // Nobody listens any more where the import failed.
            if sender.blocking_send(piece).is_err() || !more? {
                return Ok(());
            }
        }
    });
    (receiver, reading)
}

/// Whether there is more to read.
fn fill<R: Row>(table: &mut Table, piece: &mut Piece<R>, left: &mut u64) -> Result<bool, TableError> {
    while piece.rows.len() + piece.bad.len() < ROWS {
        match table.read_row::<R>()? {
            None => return Ok(false),
            Some((_, Ok(row))) => piece.rows.push(row),
            Some((line, Err(reason))) => {
                piece.bad.push(Done::absent(line, Outcome::Bad, reason));
                *left -= 1;
                if *left == 0 {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}
