//! Ctrl-C, and how a command ends.

use std::process::ExitCode;
use tokio::sync::watch;

/// Knows whether the operator wants to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for the operator's wish to stop.
    pub fn new(wanted: watch::Receiver<bool>) -> Self {
        Self(wanted)
    }

    /// Returns whether the operator wants to stop: true from the first Ctrl-C on.
    pub fn is_wanted(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the operator wants to stop.
    pub async fn wanted(&self) {
        // An error means that the sender is gone: no Ctrl-C can arrive any more.
        if self.0.clone().wait_for(|wanted| *wanted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// How a command ended that didn't fail as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything was done.
    Done,
    /// Something was refused or not found.
    Incomplete,
    /// The operator stopped the command.
    Interrupted,
}

impl End {
    /// Returns [`End::Incomplete`] in place of [`End::Done`] if the work is incomplete.
    #[must_use]
    pub fn unless(self, incomplete: bool) -> Self {
        match self {
            Self::Done if incomplete => Self::Incomplete,
            end => end,
        }
    }
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        match end {
            End::Done => Self::SUCCESS,
            End::Incomplete => Self::FAILURE,
            // Shells report this code for a command that SIGINT ended.
            End::Interrupted => Self::from(130),
        }
    }
}
