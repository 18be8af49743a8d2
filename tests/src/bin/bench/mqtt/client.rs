//! A client that costs little: MQTT 3.1.1 over plain TCP, packets by the codec of rumqttc.

use std::{io, net::SocketAddr, time::Duration};

use bytes::{Buf as _, BytesMut};
use rumqttc::mqttbytes::{
    Error, QoS,
    v4::{Connect, ConnectReturnCode, Packet, PubAck, Publish, Subscribe},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::Failed;

const LARGEST: usize = 1 << 16;
/// One that waits longer waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who connects, and what they subscribe to or publish on.
#[derive(Debug, Clone)]
pub struct Account {
    pub client: String,
    pub name: String,
    pub password: String,
    pub topic: String,
}

/// A connection that is let in.
pub struct Client {
    reading: OwnedReadHalf,
    pub writing: OwnedWriteHalf,
    read: BytesMut,
}

impl Client {
    /// Connects.
    pub async fn connected(at: SocketAddr, account: &Account) -> Result<Self, Failed> {
        let socket = TcpStream::connect(at).await?;
        socket.set_nodelay(true)?;
        let (reading, writing) = socket.into_split();
        let mut client = Self { reading, writing, read: BytesMut::new() };
        let mut connect = Connect::new(account.client.clone());
        connect.keep_alive = 600;
        connect.set_login(account.name.clone(), account.password.clone());
        match client.ask(Packet::Connect(connect)).await? {
            Packet::ConnAck(ack) if ack.code == ConnectReturnCode::Success => Ok(client),
            other => Err(format!("{} is not let in: {other:?}", account.client).into()),
        }
    }

    /// Connects and subscribes with QoS 1.
    pub async fn subscribed(at: SocketAddr, account: &Account) -> Result<Self, Failed> {
        let mut client = Self::connected(at, account).await?;
        let mut subscribe = Subscribe::new(account.topic.clone(), QoS::AtLeastOnce);
        subscribe.pkid = 1;
        match client.ask(Packet::Subscribe(subscribe)).await? {
            Packet::SubAck(_) => Ok(client),
            other => Err(format!("{} cannot subscribe: {other:?}", account.client).into()),
        }
    }

    async fn ask(&mut self, packet: Packet) -> Result<Packet, Failed> {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, LARGEST).map_err(|error| format!("{error:?}"))?;
        self.writing.write_all(&bytes).await?;
        timeout(PATIENCE, self.next()).await.map_err(|_| "no answer within a minute")?
    }

    async fn next(&mut self) -> Result<Packet, Failed> {
        loop {
            if let Some(packet) = self.parsed()? {
                return Ok(packet);
            }
            if self.reading.read_buf(&mut self.read).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    fn parsed(&mut self) -> Result<Option<Packet>, Failed> {
        match Packet::read(&mut self.read, LARGEST) {
            Ok(packet) => Ok(Some(packet)),
            Err(Error::InsufficientBytes(_)) => Ok(None),
            Err(error) => Err(format!("{error:?}").into()),
        }
    }

    /// The next message that comes; acknowledged. Acknowledgements of one's own messages are passed over.
    pub async fn message(&mut self) -> Result<Publish, Failed> {
        loop {
            let Packet::Publish(publish) = self.next().await? else { continue };
            if publish.qos == QoS::AtLeastOnce {
                let mut bytes = BytesMut::new();
                PubAck::new(publish.pkid).write(&mut bytes).map_err(|error| format!("{error:?}"))?;
                self.writing.write_all(&bytes).await?;
            }
            return Ok(publish);
        }
    }

    /// Reads what comes and forgets it, until the connection ends.
    pub async fn drained(mut reading: OwnedReadHalf) -> Result<(), Failed> {
        let mut bytes = BytesMut::with_capacity(LARGEST);
        while reading.read_buf(&mut bytes).await? > 0 {
            bytes.advance(bytes.len());
        }
        Ok(())
    }

    /// Its two halves; what was read and not looked at is forgotten.
    pub fn halves(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        (self.reading, self.writing)
    }
}

/// The bytes of a message.
pub fn publish(topic: &str, pkid: u16, payload: Vec<u8>) -> Result<BytesMut, Failed> {
    let (mut bytes, mut publish) = (BytesMut::new(), Publish::new(topic, QoS::AtLeastOnce, payload));
    publish.pkid = pkid;
    publish.write(&mut bytes).map_err(|error| format!("{error:?}"))?;
    Ok(bytes)
}
