//! Files that only their owner may read: they hold orders and secrets.

use anyhow::Context;
use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Makes a folder. An existing one stays as it is.
pub(crate) fn folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot create {}", folder.display()))
}

/// Makes an empty file; removes other users' permissions from an existing one. The files that `SQLite` puts beside a database
/// get the database's permissions.
pub(crate) fn private(file: &Path) -> anyhow::Result<()> {
    let make = || {
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600).open(file)?;
        fs::set_permissions(file, Permissions::from_mode(0o600))
    };
    make().with_context(|| format!("cannot create {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables;

    #[test]
    fn a_database_is_its_owners_alone() -> anyhow::Result<()> {
        let mode = |path: &Path| anyhow::Ok(fs::metadata(path)?.permissions().mode() & 0o777);
        let parent = tempfile::tempdir()?;
        let data = parent.path().join("data");
        folder(&data)?;
        assert_eq!(mode(&data)?, 0o700);
        // A new file, one that an earlier version left behind, and one with rows.
        for before in [None, Some(0o644), Some(0o666)] {
            let file = data.join("tables.db");
            if let Some(before) = before {
                fs::set_permissions(&file, Permissions::from_mode(before))?;
            }
            private(&file)?;
            let database = tables::open(Some(file))?;
            for entry in fs::read_dir(&data)? {
                let path = entry?.path();
                assert_eq!(mode(&path)?, 0o600, "{}", path.display());
            }
            drop(database);
        }
        Ok(())
    }
}
