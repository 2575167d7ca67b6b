//! The addresses that `local` listens on: loopback, and those that it is given.

use anyhow::{Context, anyhow};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use tokio::net::TcpListener;

/// The listeners of the API, and of the services on the next port.
#[derive(Debug)]
pub struct Listeners {
    pub api: Addresses,
    pub services: Addresses,
}

/// Listeners on one port, at several addresses. Callers on this machine use the first.
#[derive(Debug)]
pub struct Addresses(pub Vec<TcpListener>);

impl Listeners {
    /// Listens on loopback and on these hosts. Port 0 is any free port.
    pub async fn bind(hosts: &[IpAddr], port: u16) -> anyhow::Result<Self> {
        let next = match port {
            0 => 0,
            port => port
                .checked_add(1)
                .context("there is no port after 65535")?,
        };
        Ok(Self {
            api: Addresses::bind(hosts, port).await?,
            services: Addresses::bind(hosts, next).await?,
        })
    }
}

impl Addresses {
    async fn bind(hosts: &[IpAddr], port: u16) -> anyhow::Result<Self> {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        // The unspecified address includes loopback.
        let is_any = |host: &&IpAddr| host.is_unspecified();
        let first = hosts.iter().find(is_any).unwrap_or(&loopback);
        let mut listeners = vec![listen(*first, port).await?];
        let port = listeners[0].local_addr()?.port();
        for host in hosts {
            if host != first && !first.is_unspecified() {
                listeners.push(listen(*host, port).await?);
            }
        }
        Ok(Self(listeners))
    }

    /// The URL under which this machine reaches it.
    pub fn url(&self) -> io::Result<String> {
        let mut address = self.0[0].local_addr()?;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        Ok(format!("http://{address}"))
    }
}

async fn listen(host: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((host, port));
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            anyhow!("port {port} is in use: choose another with --port")
        } else {
            anyhow!("cannot listen on {address}: {error}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_listens_on_loopback_and_on_the_given_hosts() -> anyhow::Result<()> {
        let check = async |hosts: &[&str], expected: &[&str]| {
            let hosts: Vec<IpAddr> = hosts
                .iter()
                .map(|host| host.parse())
                .collect::<Result<_, _>>()?;
            let listeners = Listeners::bind(&hosts, 0).await?;
            for addresses in [&listeners.api, &listeners.services] {
                let found = addresses.0.iter().map(TcpListener::local_addr);
                let found = found.collect::<Result<Vec<_>, _>>()?;
                let hosts: Vec<_> = found
                    .iter()
                    .map(|address| address.ip().to_string())
                    .collect();
                assert_eq!(hosts, expected);
                assert!(
                    found
                        .iter()
                        .all(|address| address.port() == found[0].port())
                );
                assert_eq!(
                    addresses.url()?,
                    format!("http://127.0.0.1:{}", found[0].port())
                );
            }
            anyhow::Ok(())
        };
        check(&[], &["127.0.0.1"]).await?;
        check(&["127.0.0.1"], &["127.0.0.1"]).await?;
        check(
            &["127.0.0.2", "127.0.0.3"],
            &["127.0.0.1", "127.0.0.2", "127.0.0.3"],
        )
        .await?;
        check(&["127.0.0.2", "0.0.0.0"], &["0.0.0.0"]).await
    }
}
