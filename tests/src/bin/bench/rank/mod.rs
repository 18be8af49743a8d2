//! How well the ranking of `/aroundme/shops` finds the shop that somebody is in, on real check-ins (docs/ranking.md).
//!
//! The first 80 % of the check-ins in time order are the history, which is then frozen. Each later one of a user in it
//! is asked for from the venue's place with 65 m of noise on each axis.

mod files;
mod in_process;
mod over_http;

use std::path::PathBuf;

use self::files::{Data, Visit};
use crate::{Failed, Setup, chance::Chance, report::note, stats::Ranks};
use dface_domain::geo::Position;

/// `bench rank`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tab-separated files with a header, .gz or not: venues, check-ins, follows, in any order
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Asks the real program over HTTP, at today's clock
    #[arg(long)]
    http: bool,
    /// Of the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Metres on each axis.
const NOISE_M: f64 = 65.0;

/// What phones claim, metres.
const ACCURACY_M: u32 = 100;

/// The zone of the check-ins.
const ZONE: &str = "America/New_York";

/// A check-in that is asked for.
struct Question {
    user: usize,
    venue: usize,
    at: i64,
    phone: Position,
}

pub fn run(setup: &Setup, args: &Args) -> Result<(), Failed> {
    let data = files::read(&args.files)?;
    let (history, later) = data.visits.split_at(data.visits.len() * 4 / 5);
    let questions = questions(&data, history, later, args.seed);
    note(&format!(
        "{} venues, {} check-ins of {} users, {} follows; history {}, asked {}",
        data.venues.len(),
        data.visits.len(),
        data.users,
        data.follows.len(),
        history.len(),
        questions.len()
    ));
    note("order | MRR | × nearest first | hit@1 | hit@5");
    let learned = in_process::Learned::of(&data, history)?;
    let nearest = show("nearest first", &learned.nearest_first(&questions), None);
    show("ours, clock at each check-in", &learned.ranked(&questions, |question| question.at), Some(nearest));
    let today = learned.now();
    show("ours, at today's clock", &learned.ranked(&questions, |_| today), Some(nearest));
    if args.http {
        let ranks = over_http::ask(setup, &data, history, &questions)?;
        show("ours over HTTP, at today's clock", &ranks, Some(nearest));
    }
    Ok(())
}

fn questions(data: &Data, history: &[Visit], later: &[Visit], seed: u64) -> Vec<Question> {
    let mut seen = vec![false; data.users];
    history.iter().for_each(|visit| seen[visit.user] = true);
    let mut chance = Chance::new(seed);
    let known = later.iter().filter(|visit| seen[visit.user]);
    known
        .map(|visit| {
            let phone = chance.near(data.venues[visit.venue].place, NOISE_M);
            Question { user: visit.user, venue: visit.venue, at: visit.at, phone }
        })
        .collect()
}

/// Shows a line; its MRR.
fn show(what: &str, ranks: &Ranks, nearest: Option<f64>) -> f64 {
    let mrr = ranks.mrr();
    let ratio = nearest.map_or(1.0, |nearest| mrr / nearest);
    note(&format!("{what} | {mrr:.4} | {ratio:.2} | {:.4} | {:.4}", ranks.hit_1(), ranks.hit_5()));
    mrr
}
