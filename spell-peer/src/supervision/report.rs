use std::{error::Error, fmt, sync::Arc};

use thiserror::Error;
use tokio::sync::broadcast;

use crate::CloseReason;

/// What happens in a [`Supervision`](super::Supervision).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A child runs, for the first time or anew.
    #[non_exhaustive]
    Started {
        /// Its name.
        name: Arc<str>,
        /// How often it was started, this time included.
        incarnation: u64,
    },
    /// A child ended, or could not be started anew.
    #[non_exhaustive]
    Ended {
        /// Its name.
        name: Arc<str>,
        /// How.
        end: ChildEnd,
        /// Whether it is started anew; otherwise it is not kept any more.
        restarts: bool,
    },
    /// The supervision is over, and so are all its children. The last report.
    Finished(SupervisionEnd),
    /// The reader was too slow: so many reports were lost.
    Lagged(u64),
}

/// How a child ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChildEnd {
    /// Its peer ended.
    Closed(CloseReason),
    /// Its closure gave no peer.
    NotStarted(Arc<dyn Error + Send + Sync>),
    /// Its closure panicked.
    Panicked,
}

impl ChildEnd {
    /// Whether it ended by its own wish: its peer left the realm or was stopped.
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Closed(CloseReason::Left | CloseReason::Stopped))
    }
}

impl fmt::Display for ChildEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(reason) => reason.fmt(f),
            Self::NotStarted(error) => write!(f, "it could not be started: {error}"),
            Self::Panicked => f.write_str("its closure panicked"),
        }
    }
}

impl Error for ChildEnd {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed(reason) => reason.source(),
            Self::NotStarted(error) => error.source(),
            Self::Panicked => None,
        }
    }
}

/// Why a [`Supervision`](super::Supervision) is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SupervisionEnd {
    /// It was stopped.
    Stopped,
    /// Children had to be started anew more often than the [`Intensity`](super::Intensity) allows.
    #[non_exhaustive]
    TooManyRestarts {
        /// The child that ended last.
        name: Arc<str>,
        /// How it ended.
        end: ChildEnd,
    },
}

/// A child was not started.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another child has this name.
    #[error("another child has this name")]
    NameTaken,
    /// Its closure gave no peer.
    #[error("the child could not be started")]
    Failed(#[source] ChildEnd),
    /// It was stopped before it ran.
    #[error("the child was stopped before it ran")]
    Stopped,
    /// The supervision is over.
    #[error("the supervision is over")]
    Ended,
}

/// What happens from here on; made by [`Supervision::reports`](super::Supervision::reports).
///
/// Who reads too slowly loses the oldest of more than 64 reports and is told how many; nobody waits
/// for a reader.
#[derive(Debug)]
pub struct Reports(broadcast::Receiver<Report>);

impl Reports {
    pub(super) fn new(reports: broadcast::Receiver<Report>) -> Self {
        Self(reports)
    }

    /// The next report; `None` after the last.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no report.
    pub async fn next(&mut self) -> Option<Report> {
        use broadcast::error::RecvError;
        match self.0.recv().await {
            Ok(report) => Some(report),
            Err(RecvError::Lagged(missed)) => Some(Report::Lagged(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
