//! TCP, and TLS over it.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

pub(super) enum Connection {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Changing,
}

impl Connection {
    pub(super) fn open(to: SocketAddr, patience: Duration) -> Self {
        let stream = TcpStream::connect(to).expect("the server takes connections");
        stream.set_read_timeout(Some(patience)).expect("a time limit can be set");
        stream.set_write_timeout(Some(patience)).expect("a time limit can be set");
        stream.set_nodelay(true).expect("it can be set");
        Self::Plain(stream)
    }

    pub(super) fn start_tls(&mut self, certificate: &str) {
        let Self::Plain(stream) = std::mem::replace(self, Self::Changing) else { panic!("TLS is spoken already") };
        let mut trusted = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
        trusted.add(certificate).expect("it can be trusted");
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(config), name).expect("a usual configuration");
        *self = Self::Tls(Box::new(StreamOwned::new(client, stream)));
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Self::Changing => Err(ErrorKind::NotConnected.into()),
        }
    }

    /// Some bytes; none where the server closed the connection.
    pub(super) fn read(&mut self) -> Option<Vec<u8>> {
        let mut space = vec![0; 16 * 1024];
        let read = match self {
            Self::Plain(stream) => stream.read(&mut space),
            Self::Tls(stream) => stream.read(&mut space),
            Self::Changing => Err(ErrorKind::NotConnected.into()),
        };
        match read {
            Ok(0) => None,
            Ok(read) => {
                space.truncate(read);
                Some(space)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
                ) =>
            {
                None
            }
            Err(error) => panic!("the server neither says anything nor closes: {error}"),
        }
    }

    pub(super) fn cut(self) {
        match self {
            Self::Plain(stream) => stream.shutdown(Shutdown::Both),
            Self::Tls(stream) => stream.sock.shutdown(Shutdown::Both),
            Self::Changing => Ok(()),
        }
        .expect("a connection can be cut");
    }
}
