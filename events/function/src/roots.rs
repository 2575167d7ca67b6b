//! Trusts the roots of Amazon's authorities first, and all of the system's once a server needs another.
//!
//! A system has more than a hundred roots. Reading them all would be two thirds of a cold start, and AWS's servers need five.
//! Nothing is pinned: both sets are the system's own, so a root that the system no longer has isn't trusted here.

use anyhow::Result;
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use memchr::memmem;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    env,
    error::Error,
    fs, io,
    iter::successors,
    sync::{Arc, OnceLock},
};

/// Where Amazon Linux and Debian keep the roots that they trust.
const FILES: [&str; 2] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
];
/// What the names of Amazon's authorities contain.
const AMAZON: [&[u8]; 2] = [b"Amazon", b"Starfield Services"];
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----\n";
/// Characters of a certificate's line in a file.
const LINE: usize = 64;

/// Builds a connector that trusts the system's roots.
pub fn of_system() -> Result<SharedHttpConnector> {
    by(&file().unwrap_or_default(), TrustStore::default())
}

/// Builds a connector that trusts these roots.
pub fn of(trusted: TrustStore) -> Result<SharedHttpConnector> {
    let tls = TlsContext::builder().with_trust_store(trusted).build()?;
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
    Ok(SharedHttpConnector::new(connector.tls_context(tls).build()))
}

/// Returns the certificates of a PEM file that has at least one, and none that can't be parsed: the SDK would panic at it.
pub fn certificates(pem: Vec<u8>) -> Result<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate?)?;
    }
    anyhow::ensure!(!roots.is_empty(), "it contains no certificate");
    Ok(pem)
}

/// Reads the file of the system's roots; None if they are elsewhere.
fn file() -> Option<Vec<u8>> {
    if env::var_os("SSL_CERT_DIR").is_some() {
        return None;
    }
    match env::var_os("SSL_CERT_FILE") {
        Some(file) => fs::read(file).ok(),
        None => FILES.iter().find_map(|file| fs::read(file).ok()),
    }
}

/// Builds a connector that trusts the roots of Amazon's among those in a `file`, and `all` once a server has another.
fn by(file: &[u8], all: TrustStore) -> Result<SharedHttpConnector> {
    let amazon = of_amazon(file);
    if amazon.is_empty() {
        return of(all);
    }
    Ok(SharedHttpConnector::new(AmazonFirst {
        amazon: of(TrustStore::empty().with_pem_certificate(amazon))?,
        all: Arc::new((all, OnceLock::new())),
    }))
}

/// Returns the certificates of Amazon's authorities in a PEM file. Looks at most at the beginning of the others: decoding them
/// all would cost what is to be saved.
fn of_amazon(file: &[u8]) -> Vec<u8> {
    let mut starts: Vec<_> = memmem::find_iter(file, BEGIN).collect();
    starts.push(file.len());
    let names = AMAZON.map(memmem::Finder::new);
    let certificates = starts.windows(2).map(|at| &file[at[0]..at[1]]);
    let of_amazon =
        certificates.filter(|certificate| is_of_amazon(certificate, &names) == Some(true));
    of_amazon.collect::<Vec<_>>().concat()
}

/// Returns whether a certificate is by one of Amazon's authorities, and can be parsed. A root is its own issuer, and the
/// issuer's name is near the beginning.
fn is_of_amazon(certificate: &[u8], names: &[memmem::Finder]) -> Option<bool> {
    let text = &certificate[BEGIN.len()..];
    let start = decoded(text.get(..4 * (LINE + 1))?)?;
    names.iter().find_map(|name| name.find(&start))?;
    let end = memmem::find(text, b"\n-----END CERTIFICATE-----")?;
    let certificate = CertificateDer::from(decoded(&text[..end])?);
    Some(RootCertStore::empty().add(certificate).is_ok())
}

/// Decodes lines of base64.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let lines = text
        .chunks(LINE + 1)
        .map(|line| &line[..line.len().min(LINE)]);
    STANDARD.decode(lines.collect::<Vec<_>>().concat()).ok()
}

/// Connects by the roots of Amazon's authorities, until a server's certificate has another.
#[derive(Debug)]
struct AmazonFirst {
    amazon: SharedHttpConnector,
    /// All roots, and the connector that trusts them, once it is needed.
    all: Arc<(TrustStore, OnceLock<SharedHttpConnector>)>,
}

impl HttpConnector for AmazonFirst {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(all) = self.all.1.get() {
            return all.call(request);
        }
        let again = request.try_clone();
        let answer = self.amazon.call(request);
        let all = self.all.clone();
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            let error = answer
                .as_ref()
                .err()
                .filter(|error| is_of_certificate(*error));
            if let (Some(_), Some(again)) = (error, again)
                && let Ok(connector) = of(all.0.clone())
            {
                tracing::info!(
                    "a server's certificate isn't by Amazon: from now on, all of the system's roots are trusted"
                );
                return all.1.get_or_init(|| connector).call(again).await;
            }
            answer
        })
    }
}

/// Returns whether a handshake failed at the server's certificate: nothing of the request was sent.
fn is_of_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut causes = successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>() {
            // Its `source` is that of the error within.
            Some(error) => error.get_ref().map(|error| error as &(dyn Error + 'static)),
            None => error.source(),
        }
    });
    causes.any(|error| {
        let error = error.downcast_ref::<rustls::Error>();
        matches!(error, Some(rustls::Error::InvalidCertificate(_)))
    })
}

#[cfg(test)]
mod tests;
