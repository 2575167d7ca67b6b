//! Generated secrets, kept in a file if there is one.

use anyhow::Context;
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Secrets by logical id.
pub(crate) struct Secrets {
    file: Option<PathBuf>,
    values: BTreeMap<String, String>,
}

impl Secrets {
    /// Opens the file; `None`: the secrets last only as long as this value.
    pub(crate) fn open(file: Option<PathBuf>) -> anyhow::Result<Self> {
        let values = match &file {
            None => BTreeMap::new(),
            Some(path) => read(path).with_context(|| format!("cannot read {}", path.display()))?,
        };
        Ok(Self { file, values })
    }

    /// The secret, generated on first use: 64 hexadecimal digits.
    pub(crate) fn get(&mut self, id: &str) -> String {
        let generate = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.values
            .entry(id.to_owned())
            .or_insert_with(generate)
            .clone()
    }

    /// Writes the secrets; only the owner may read them.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let new = path.with_extension("json.new");
        let write = || {
            // A file that a killed run left behind might have another mode.
            if let Err(error) = fs::remove_file(&new)
                && error.kind() != ErrorKind::NotFound
            {
                return Err(error);
            }
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?
                .write_all(&serde_json::to_vec_pretty(&self.values)?)?;
            fs::rename(&new, path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    match fs::read(path) {
        Ok(values) => Ok(serde_json::from_slice(&values)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_survives_a_restart_and_is_for_its_owner_only() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("secrets.json");
        let mut secrets = Secrets::open(Some(file.clone()))?;
        let secret = secrets.get("Secret");
        assert_eq!(secret.len(), 64);
        assert_ne!(secrets.get("Other"), secret);
        secrets.save()?;
        assert_eq!(Secrets::open(Some(file.clone()))?.get("Secret"), secret);
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }
}
