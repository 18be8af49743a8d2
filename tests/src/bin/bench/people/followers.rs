//! The followers of the largest person of a graph, page by page, beside the same graph in PostgreSQL.

use std::{collections::BTreeSet, path::Path};

use dface_commands::system::SystemClock;
use dface_domain::{ids::UserId, ports::Clock as _};
use dface_tests::graph::Graph;
use tokio::runtime::Runtime;

use crate::{
    Failed, Setup,
    made::{Directory, people},
    report::Table,
    serving::{Asking, get, postgres::Postgres, server::Server},
};

/// Who page at once.
const CLIENTS: usize = 32;

/// People of a page: as many as the document's default.
const PAGE: usize = 20;

const TABLES: &str = "
    CREATE TABLE people (id bigint PRIMARY KEY, name text, gender int, wb_uid bigint, birthday text);
    CREATE TABLE follows (user_id bigint, follow_id bigint, record bigint, PRIMARY KEY (user_id, follow_id));
    CREATE TABLE blocks (user_id bigint, block_id bigint, PRIMARY KEY (user_id, block_id));
";

const INDEX: &str = "
    CREATE INDEX ON follows (follow_id, user_id);
    CREATE INDEX ON blocks (block_id, user_id);
    VACUUM ANALYZE people;
    VACUUM ANALYZE follows;
    VACUUM ANALYZE blocks;
";

/// The edges by our ids.
struct Numbered {
    people: u64,
    edges: Vec<(u64, u64)>,
    star: u64,
    followers: usize,
}

impl Numbered {
    fn made() -> Result<Self, Failed> {
        let graph = Graph::made();
        let number = |text: &str| Ok::<u64, Failed>(text.parse::<u64>()? + 1);
        let edges = graph.edges().map(|(user, follows)| Ok((number(user)?, number(follows)?)));
        let edges = edges.collect::<Result<Vec<_>, Failed>>()?;
        let (star, followers) = graph.largest();
        Ok(Self { people: graph.people().len() as u64, edges, star: number(star)?, followers: followers.len() })
    }
}

pub fn run(setup: &Setup, runtime: &Runtime, program: &Path) -> Result<Table, Failed> {
    let graph = Numbered::made()?;
    let data = setup.dir.path().join("followers");
    let cookies = runtime.block_on(fill(&data, &graph))?;
    let table = Table::new(
        "Followers",
        format!(
            "{} people and {} follows, as many as in a real graph. {CLIENTS} clients, each with a session of its own, page \
             through the {} followers of the largest one, {PAGE} at a time, from the first page to the last and again. An answer is \
             the JSON of §23: the count of all whom the caller may see, and a page of people with their ties. PostgreSQL counts \
             and reads the same page of the same graph in one prepared query, after an id as we do, without making JSON of it. \
             The last column is how many times as fast `/follow_info/followers` was as the reference.",
            graph.people,
            graph.edges.len(),
            graph.followers,
        ),
        &["what", "requests/s", "p50", "p99", "processor time", "ours / this"],
    );
    let mut asking = Asking { table, setup };
    let (server, _) = Server::start(program, &data)?;
    let ours = asking.server("`/follow_info/followers`", &server, &requests(&graph, &cookies))?;
    drop(server);
    if setup.others {
        let measured = postgres(&graph)?.ask(CLIENTS, &query(&graph), setup.time)?;
        asking.row("PostgreSQL", measured, None, Some(ours))?;
    }
    Ok(asking.table)
}

async fn fill(data: &Path, graph: &Numbered) -> Result<Vec<String>, Failed> {
    let (directory, now) = (Directory::open(data).await?, SystemClock.now());
    let keys = &directory.keys;
    people::make_keys(keys.as_ref(), graph.people)?;
    directory.append("people", (1..=graph.people).map(|user| people::registered(keys, user, now))).await?;
    let mut pairs = BTreeSet::new();
    let (first, second): (Vec<_>, Vec<_>) =
        graph.edges.iter().zip(1..).partition(|((user, other), _)| pairs.insert((user.min(other), user.max(other))));
    // A pair has one stream for both directions: the second one comes when the first is there.
    let fact = |((user, other), record): (&(u64, u64), u64)| people::followed(record, *user, *other, now);
    directory.append("follows", first.into_iter().map(|edge| Ok(fact(edge)))).await?;
    directory.append("follows", second.into_iter().map(|edge| Ok(fact(edge).second()))).await?;
    let users: Vec<UserId> = (1..=CLIENTS as u64).map(UserId::Number).collect();
    let cookies = directory.sessions(&users).await?;
    directory.close();
    Ok(cookies)
}

fn requests(graph: &Numbered, cookies: &[String]) -> Vec<Vec<Vec<u8>>> {
    let pages = graph.followers.div_ceil(PAGE);
    let path = |page| format!("/follow_info/followers?id={}&page={page}&pcount={PAGE}", graph.star);
    cookies.iter().map(|cookie| (1..=pages).map(|page| get(&path(page), cookie)).collect()).collect()
}

fn postgres(graph: &Numbered) -> Result<Postgres, Failed> {
    let postgres = Postgres::start()?;
    postgres.script(|script| {
        writeln!(script, "{TABLES}COPY people FROM STDIN;")?;
        (1..=graph.people).try_for_each(|user| writeln!(script, "{user}\t用户{user}\t{}\t\\N\t\\N", user % 3))?;
        writeln!(script, "\\.\nCOPY follows FROM STDIN;")?;
        for ((user, follows), record) in graph.edges.iter().zip(1..) {
            writeln!(script, "{user}\t{follows}\t{record}")?;
        }
        writeln!(script, "\\.\n{INDEX}")
    })?;
    Ok(postgres)
}

/// For a viewer among the first: the count, and the page after some follower.
fn query(graph: &Numbered) -> String {
    let (star, people) = (graph.star, graph.people);
    let seen = format!(
        "f.follow_id = {star} AND NOT EXISTS (SELECT 1 FROM blocks b WHERE (b.user_id = :viewer AND b.block_id = f.user_id) \
         OR (b.user_id = f.user_id AND b.block_id = :viewer))"
    );
    format!(
        "\\set viewer random(1, {CLIENTS})\n\\set after random(0, {people})\n\
         SELECT (SELECT count(*) FROM follows f WHERE {seen}) AS count, p.id, p.name, p.gender, p.wb_uid, p.birthday, \
         EXISTS (SELECT 1 FROM follows g WHERE g.user_id = {star} AND g.follow_id = p.id) AS friend \
         FROM follows f JOIN people p ON p.id = f.user_id WHERE {seen} AND f.user_id > :after \
         ORDER BY f.user_id LIMIT {PAGE};\n"
    )
}
