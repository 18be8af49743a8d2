//! A road between a client and the server that can be cut: connections end without a word of the protocol.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

#[derive(Default)]
struct Road {
    to: Option<SocketAddr>,
    /// Both ends of each connection.
    open: Vec<[TcpStream; 2]>,
    closed: bool,
}

/// Forwards connections of loopback until it is told otherwise.
pub struct Cuts {
    at: SocketAddr,
    road: Arc<Mutex<Road>>,
}

impl Cuts {
    /// A road to `to`.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn before(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let at = listener.local_addr().expect("it is bound");
        let road = Arc::new(Mutex::new(Road { to: Some(to), ..Road::default() }));
        let listening = Arc::clone(&road);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if locked(&listening).closed {
                    return;
                }
                // One that finds nobody at the other end is closed, as by a server that is away.
                let _ = forward(client, &listening);
            }
        });
        Self { at, road }
    }

    /// Where clients connect to.
    #[must_use]
    pub const fn at(&self) -> SocketAddr {
        self.at
    }

    /// The server is there now.
    pub fn leads_to(&self, to: SocketAddr) {
        locked(&self.road).to = Some(to);
    }

    /// Cuts all connections of now. How many there were.
    pub fn cut(&self) -> usize {
        self.cut_some(|_| true)
    }

    /// Cuts those that `chosen` says, by their order of opening.
    pub fn cut_some(&self, mut chosen: impl FnMut(usize) -> bool) -> usize {
        let mut road = locked(&self.road);
        let (open, mut cut) = (std::mem::take(&mut road.open), 0);
        for (number, ends) in open.into_iter().enumerate() {
            if !chosen(number) {
                road.open.push(ends);
                continue;
            }
            // One that is closed already is as good as cut, and does not count.
            let closed = ends.iter().filter(|end| end.shutdown(Shutdown::Both).is_ok()).count();
            cut += usize::from(closed > 0);
        }
        cut
    }

    /// Cuts all, and lets nobody in until `leads_to`.
    pub fn close(&self) {
        locked(&self.road).to = None;
        self.cut();
    }
}

impl Drop for Cuts {
    fn drop(&mut self) {
        locked(&self.road).closed = true;
        self.cut();
        // Wakes the thread, which then sees that it is over.
        let _ = TcpStream::connect(self.at);
    }
}

fn locked(road: &Mutex<Road>) -> MutexGuard<'_, Road> {
    road.lock().unwrap_or_else(PoisonError::into_inner)
}

fn forward(client: TcpStream, road: &Mutex<Road>) -> io::Result<()> {
    let to = locked(road).to.ok_or(io::ErrorKind::ConnectionRefused)?;
    let server = TcpStream::connect(to)?;
    for end in [&client, &server] {
        end.set_nodelay(true)?;
    }
    let ends = [client.try_clone()?, server.try_clone()?];
    let mut road = locked(road);
    // It was closed while this connected.
    if road.to.is_none() {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    road.open.push(ends);
    drop(road);
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pump(from_client, to_server));
    thread::spawn(move || pump(server, client));
    Ok(())
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
