//! Decides where secrets and ports come from: from the kernel, fresh at each start.

use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::{Context, Result};

/// 128 random bits as 32 hexadecimal digits.
pub(super) fn hexadecimal() -> Result<String> {
    let mut bytes = [0; 16];
    let mut source = File::open("/dev/urandom").context("opening `/dev/urandom`")?;
    source.read_exact(&mut bytes).context("reading `/dev/urandom`")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// 128 random bits in the shape of a UUID, which is the shape Consul asks of a token.
pub(super) fn uuid_shaped() -> Result<String> {
    let digits = hexadecimal()?;
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Ok(parts.join("-"))
}

/// Loopback ports that are free for TCP and UDP, all different: each stays bound until all are found.
pub(super) fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT]> {
    let mut bound = Vec::new();
    let mut ports = [0; COUNT];
    while bound.len() < COUNT {
        let stream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
        let port = stream.local_addr().context("reading a port")?.port();
        let Ok(datagram) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else {
            continue;
        };
        ports[bound.len()] = port;
        bound.push((stream, datagram));
    }
    Ok(ports)
}
