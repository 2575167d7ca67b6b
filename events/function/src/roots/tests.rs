use super::*;
use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, Stream, crypto::ring, pki_types::PrivateKeyDer};
use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(organisation: &str) -> Result<Authority> {
    let mut authority = CertificateParams::default();
    let name = &mut authority.distinguished_name;
    name.push(DnType::CountryName, "US");
    name.push(DnType::OrganizationName, organisation);
    name.push(
        DnType::CommonName,
        format!("{organisation} {}", fastrand::u64(..)),
    );
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(
        authority,
        KeyPair::generate()?,
    )?)
}

/// Starts a server that answers requests with an empty 200, and reports the body of each request, or why there was none.
fn server(authority: &Authority) -> Result<(String, Receiver<Result<String>>)> {
    let key = KeyPair::generate()?;
    let certificate =
        CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0")?);
    let url = format!("https://localhost:{}/", listener.local_addr()?.port());
    let (send, requests) = channel();
    thread::spawn(move || {
        let answer = |mut tcp| {
            let mut tls = ServerConnection::new(config.clone())?;
            let mut stream = Stream::new(&mut tls, &mut tcp);
            let mut request = String::new();
            while !request.contains("\r\n\r\norder") {
                let mut part = [0; 1024];
                let length = stream.read(&mut part)?;
                anyhow::ensure!(length > 0, "the client hung up");
                request.push_str(std::str::from_utf8(&part[..length])?);
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
            let body = request.split("\r\n\r\n").nth(1).context("no body")?;
            anyhow::Ok(body.to_owned())
        };
        for tcp in listener.incoming() {
            let Ok(tcp) = tcp else { return };
            if send.send(answer(tcp)).is_err() {
                return;
            }
        }
    });
    Ok((url, requests))
}

async fn post(connector: &SharedHttpConnector, url: &str) -> Result<u16> {
    let mut request = HttpRequest::new("order".into());
    request.set_method("POST")?;
    request.set_uri(url)?;
    request.headers_mut().insert("content-length", "5");
    Ok(connector.call(request).await?.status().as_u16())
}

fn trusting(roots: &[&Authority]) -> TrustStore {
    let add = |trusted: TrustStore, root: &&Authority| trusted.with_pem_certificate(root.pem());
    roots.iter().fold(TrustStore::empty(), add)
}

fn pem(roots: &[&Authority]) -> Vec<u8> {
    let roots = roots
        .iter()
        .map(|root| ["# a root\n".to_owned(), root.pem()]);
    roots.flatten().collect::<String>().into_bytes()
}

#[tokio::test]
async fn a_server_of_amazons_is_trusted_by_amazons_roots_alone() -> Result<()> {
    for name in ["Amazon", "Starfield Services"] {
        let (amazon, other) = (authority(name)?, authority("Other")?);
        let (url, requests) = server(&amazon)?;
        let connector = by(&pem(&[&other, &amazon]), trusting(&[&other]))?;
        for _ in 0..2 {
            assert_eq!(post(&connector, &url).await?, 200);
            assert_eq!(requests.recv()??, "order");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_server_with_another_root_costs_one_handshake_and_no_request() -> Result<()> {
    let (amazon, other) = (authority("Amazon")?, authority("Other")?);
    let (url, requests) = server(&other)?;
    let roots = [&other, &amazon];
    let connector = by(&pem(&roots), trusting(&roots))?;
    assert_eq!(post(&connector, &url).await?, 200);
    assert!(requests.recv()?.is_err(), "the first handshake fails");
    assert_eq!(requests.recv()??, "order");
    // Both are trusted from then on.
    let (amazons, of_amazon) = server(&amazon)?;
    for (url, requests) in [(&url, &requests), (&amazons, &of_amazon)] {
        assert_eq!(post(&connector, url).await?, 200);
        assert_eq!(requests.recv()??, "order");
    }
    Ok(())
}

#[tokio::test]
async fn a_root_that_the_system_does_not_have_is_not_trusted() -> Result<()> {
    let [amazon, withdrawn] = [authority("Amazon")?, authority("Amazon")?];
    let other = authority("Other")?;
    let (url, requests) = server(&withdrawn)?;
    for (file, all) in [
        (pem(&[&amazon, &other]), trusting(&[&amazon, &other])),
        (pem(&[&other]), trusting(&[&other])),
    ] {
        let connector = by(&file, all)?;
        for _ in 0..2 {
            let error = post(&connector, &url)
                .await
                .map_err(|error| format!("{error:?}"));
            assert!(
                error
                    .as_ref()
                    .is_err_and(|error| error.contains("UnknownIssuer")),
                "{error:?}"
            );
        }
    }
    drop(url);
    assert!(requests.try_iter().all(|request| request.is_err()));
    Ok(())
}

#[tokio::test]
async fn a_file_without_amazons_roots_leaves_all_of_the_systems() -> Result<()> {
    let other = authority("Other")?;
    let (url, requests) = server(&other)?;
    let amazon = pem(&[&authority("Amazon")?]);
    let cut = |length: usize| amazon[..length].to_owned();
    let mut spoilt = amazon.clone();
    spoilt[400] = b'!';
    for file in [
        vec![],
        cut(1),
        cut(300),
        cut(amazon.len() - 30),
        spoilt,
        pem(&[&other]),
    ] {
        let connector = by(&file, trusting(&[&other]))?;
        assert_eq!(post(&connector, &url).await?, 200);
        let text = String::from_utf8_lossy(&file);
        assert_eq!(requests.recv()??, "order", "{text}");
    }
    Ok(())
}

#[test]
fn amazons_roots_are_found_among_the_systems() {
    let Some(file) = file() else { return };
    let found = memmem::find_iter(&of_amazon(&file), BEGIN).count();
    assert!((4..=5).contains(&found), "{found}");
}
