//! Makes a certificate authority for this run, and makes the functions trust it.

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// Files with the certificates that a system trusts: Debian's, Amazon Linux's.
const SYSTEM_BUNDLES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// Certificate files that make a function trust the fakes.
#[derive(Debug)]
pub struct Trust {
    folder: TempDir,
}

impl Trust {
    /// The run's own authority plus all that the system trusts: loading it costs as much as in production.
    pub fn whole(&self) -> PathBuf {
        self.folder.path().join("bundle.pem")
    }

    /// The run's own authority alone, for a function that adds it to its own roots.
    pub fn own(&self) -> PathBuf {
        self.folder.path().join("own.pem")
    }
}

/// Makes a server for `localhost`, and the certificates that make functions trust it.
pub fn server() -> anyhow::Result<(Arc<ServerConfig>, Trust)> {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "Order intake benchmarks");
    // As the roots of AWS's servers, so that the functions find it as they find those.
    authority
        .distinguished_name
        .push(DnType::OrganizationName, "Amazon");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let mut certificate = CertificateParams::new(["localhost".to_owned()])?;
    certificate
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    certificate.use_authority_key_identifier_extension = true;
    let certificate = certificate.signed_by(&key, &authority)?;

    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;

    let trust = Trust {
        folder: tempfile::tempdir().context("cannot make a folder for certificates")?,
    };
    let system = SYSTEM_BUNDLES
        .map(Path::new)
        .into_iter()
        .find(|path| path.exists());
    let mut bundle = if let Some(path) = system {
        fs::read_to_string(path)
            .with_context(|| format!("cannot read the certificates of {}", path.display()))?
    } else {
        eprintln!("no {SYSTEM_BUNDLES:?}: start-up is measured with fewer certificates");
        String::new()
    };
    bundle.push_str(&authority.pem());
    fs::write(trust.whole(), bundle)?;
    fs::write(trust.own(), authority.pem())?;
    Ok((Arc::new(config), trust))
}
