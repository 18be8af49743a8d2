//! Who follows whom: a made graph of the shape of Gowalla's (New York, 30,042 edges both ways, one person with 441
//! followers), or a table of a real one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use flate2::read::GzDecoder;

/// People of the made graph.
const PEOPLE: u32 = 4_625;

/// Its edges: each pair of friends is two.
const EDGES: usize = 30_042;

/// Followers of the largest one, who stands somewhere in the middle.
const LARGEST: usize = 441;
const STAR: u32 = 2_000;

/// Nobody else comes near.
const MOST: usize = 300;

/// Who follows whom, by the ids of the table.
#[derive(Debug, Clone)]
pub struct Graph {
    edges: BTreeSet<(String, String)>,
}

impl Graph {
    /// The same at each call.
    #[must_use]
    pub fn made() -> Self {
        let mut made = Made { state: 441, friends: BTreeMap::new(), ends: Vec::new() };
        while made.friends.get(&STAR).map_or(0, BTreeSet::len) < LARGEST {
            let other = made.below(PEOPLE);
            made.befriend(STAR, other);
        }
        // Everybody has a friend; then those who have many get more.
        for person in 0..PEOPLE {
            while !made.friends.contains_key(&person) {
                let other = made.somebody();
                made.befriend_others(person, other);
            }
        }
        while made.ends.len() < EDGES {
            let (one, other) = (made.below(PEOPLE), made.somebody());
            made.befriend_others(one, other);
        }
        let edges = made
            .friends
            .iter()
            .flat_map(|(one, others)| others.iter().map(|other| (one.to_string(), other.to_string())));
        Self { edges: edges.collect() }
    }

    /// Reads a table of `user` and `follows`, gzipped or not.
    ///
    /// # Errors
    /// It cannot be read, or has other columns.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let text: Box<dyn Read> = if path.extension().is_some_and(|end| end == "gz") {
            Box::new(GzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let mut lines = BufReader::new(text).lines();
        if lines.next().transpose()?.as_deref() != Some("user\tfollows") {
            return Err(io::Error::other("the columns are not `user` and `follows`"));
        }
        let edge = |line: io::Result<String>| {
            let line = line?;
            let (user, follows) = line.split_once('\t').ok_or_else(|| io::Error::other(format!("no edge: {line}")))?;
            Ok((user.to_owned(), follows.to_owned()))
        };
        Ok(Self { edges: lines.map(edge).collect::<io::Result<_>>()? })
    }

    /// Writes it as `dface import follows` reads it.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, to: impl Write) -> io::Result<()> {
        let mut to = io::BufWriter::new(to);
        writeln!(to, "user\tfollows")?;
        self.edges.iter().try_for_each(|(user, follows)| writeln!(to, "{user}\t{follows}"))?;
        to.flush()
    }

    /// Who follows whom.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.edges.iter().map(|(user, follows)| (user.as_str(), follows.as_str()))
    }

    /// Everybody.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&str> {
        self.edges().flat_map(|(user, follows)| [user, follows]).collect()
    }

    /// The one with the most followers, and those.
    ///
    /// # Panics
    /// It has no edges.
    #[must_use]
    pub fn largest(&self) -> (&str, BTreeSet<&str>) {
        let mut followers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (user, follows) in self.edges() {
            followers.entry(follows).or_default().insert(user);
        }
        followers.into_iter().max_by_key(|(_, followers)| followers.len()).expect("it has edges")
    }
}

struct Made {
    state: u64,
    friends: BTreeMap<u32, BTreeSet<u32>>,
    /// Each end of each pair, so that whoever has many friends is drawn more often.
    ends: Vec<u32>,
}

impl Made {
    /// A number from 0 below `end` (splitmix64).
    fn below(&mut self, end: u32) -> u32 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let drawn = (mixed ^ (mixed >> 31)) % u64::from(end);
        u32::try_from(drawn).expect("below a u32")
    }

    fn somebody(&mut self) -> u32 {
        let ends = u32::try_from(self.ends.len()).expect("so few");
        let drawn = self.below(ends);
        self.ends[drawn as usize]
    }

    fn befriend(&mut self, one: u32, other: u32) {
        if one != other && self.friends.entry(one).or_default().insert(other) {
            self.friends.entry(other).or_default().insert(one);
            self.ends.extend([one, other]);
        }
    }

    fn befriend_others(&mut self, one: u32, other: u32) {
        let full =
            |person: u32| person == STAR || self.friends.get(&person).is_some_and(|friends| friends.len() >= MOST);
        if !full(one) && !full(other) {
            self.befriend(one, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_graph_has_the_shape_and_reads_back() {
        let made = Graph::made();
        assert_eq!((made.edges.len(), made.people().len()), (EDGES, PEOPLE as usize));
        let (star, followers) = made.largest();
        assert_eq!((star, followers.len()), ("2000", LARGEST));
        let file = tempfile::NamedTempFile::new().expect("a file");
        made.write(file.as_file()).expect("written");
        assert_eq!(Graph::read(file.path()).expect("read").edges, made.edges);
    }
}
