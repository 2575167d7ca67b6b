//! Ctrl-C, and how a command ends.

use std::process::ExitCode;
use tokio::sync::watch;

/// Tells if the operator wants to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens to what is sent when the operator wants to stop.
    pub fn new(wanted: watch::Receiver<bool>) -> Self {
        Self(wanted)
    }

    /// True from the first Ctrl-C on.
    pub fn is_wanted(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for that.
    pub async fn wanted(&self) {
        // An error: nobody is left who could tell.
        if self.0.clone().wait_for(|wanted| *wanted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The end of a command that didn't fail as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All is done.
    Done,
    /// Something was refused, or isn't there.
    Incomplete,
    /// The operator stopped it.
    Interrupted,
}

impl End {
    /// The same, or [`End::Incomplete`] for something that was done but for a part.
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
            // As shells say of what SIGINT ended.
            End::Interrupted => Self::from(130),
        }
    }
}
