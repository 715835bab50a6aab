//! What can go wrong, and what of it a visitor is told.

use types::error::{ErrorCode, PublicError};
use types::job::JobStatus;

use crate::engine::EngineError;

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors of the services. The details are for the log; [`Error::public`] is for the visitor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A request that is not allowed.
    #[error(transparent)]
    Refused(#[from] PublicError),
    /// There is nothing under that id, or it belongs to somebody else: which of the two is nobody's business.
    #[error("there is no {kind} with the id {id}")]
    NotFound {
        /// What was looked for: `job`, `picture` or `upload`.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// The job has come to its end already.
    #[error("the job is already {}", .0.as_str())]
    AlreadyFinal(JobStatus),
    /// The job has not come to its end yet.
    #[error("the job is {}; cancel it first", .0.as_str())]
    NotFinal(JobStatus),
    /// The disk is full.
    #[error("the disk is full; delete pictures or make room, then try again")]
    StorageFull,
    /// Another program holds the database for longer than a statement waits.
    #[error(
        "the database is locked by another program and takes nothing at the moment; try again in a moment"
    )]
    StorageBusy(#[source] sea_orm::DbErr),
    /// The data folder is there no longer, or may be read and not written to.
    #[error(
        "the data folder cannot be read or written to at the moment; whoever runs the site has to see to it"
    )]
    StorageUnusable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file that was written whole is gone, or holds something else by now.
    #[error("the file of {kind} {id} is lost or damaged; {remedy}")]
    Damaged {
        /// What it was: `picture` or `upload`.
        kind: &'static str,
        /// Its id.
        id: String,
        /// What its owner can do.
        remedy: &'static str,
    },
    /// The database is one of an older version of the program, and was only to be looked at.
    #[error("the database {} is of an older version; start the site once, or let it be mended", .0.display())]
    OldDatabase(std::path::PathBuf),
    /// The database was only to be looked at, in a folder in which nothing can be written, and a part of it lies in its log.
    #[error(
        "the database {} has a log beside it, which cannot be read where nothing can be written; copy the data folder to where \
         something can",
        .0.display()
    )]
    LogInReadOnlyFolder(std::path::PathBuf),
    /// The file of what the site signs with holds something else.
    #[error("the file {} holds no secret of 64 hexadecimal digits; delete it, and a new one is made", .0.display())]
    NoSecret(std::path::PathBuf),
    /// The program is stopping.
    #[error("the server is stopping; try again in a moment")]
    ShuttingDown,
    /// Another program works on the same data folder.
    #[error("the data folder {} is in use by another darkroom; stop that one or choose another folder", .0.display())]
    DataFolderInUse(std::path::PathBuf),
    /// Pictures are to be looked at, and there is nothing to look with.
    #[error(
        "safety mode `{0}` needs a safety checker, and none is installed; put the folder `safety_checker` of a Stable \
         Diffusion model into the models folder, or set the mode to `off`"
    )]
    NoSafetyChecker(crate::safety::SafetyMode),
    /// There is a list of words that are not painted, and nobody knows what is in it.
    #[error(
        "this site's list of words that it does not paint cannot be read, so it paints nothing for now; whoever runs the \
         site has to see to it"
    )]
    BlockedWordsUnread,
    /// Pictures are to be signed, and there is nothing to sign with.
    #[error(transparent)]
    Signing(#[from] crate::signing::SigningError),
    /// The engine could not make it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database refused.
    #[error("the database failed: {0}")]
    Database(sea_orm::DbErr),
    /// The file store refused.
    #[error("the file store failed: {0}")]
    Files(object_store::Error),
    /// A picture could not be read or written in some format.
    #[error("a picture could not be converted: {0}")]
    Picture(#[from] crate::pictures::PictureError),
    /// A picture that was read before could not be read again.
    #[error("a stored picture {0}")]
    Decode(#[from] crate::pictures::DecodeError),
    /// The operating system refused, where neither database nor file store were involved.
    #[error("{what} failed: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Something that should not be possible.
    #[error("{0}")]
    Broken(String),
}

impl Error {
    /// What a visitor or a client program is told: one sentence, no internals.
    pub fn public(&self) -> PublicError {
        let code = match self {
            Self::Refused(error)
            | Self::Engine(
                EngineError::Refused(error) | EngineError::OutOfMemory(error) | EngineError::NotFinite(error),
            ) => return error.clone(),
            Self::NotFound { .. } | Self::Engine(EngineError::UnknownModel { .. }) => ErrorCode::NotFound,
            Self::AlreadyFinal(_) | Self::NotFinal(_) | Self::Engine(EngineError::Cancelled) => {
                ErrorCode::Conflict
            }
            Self::StorageFull => ErrorCode::StorageFull,
            Self::StorageBusy(_) | Self::StorageUnusable(_) | Self::BlockedWordsUnread => {
                ErrorCode::StorageUnavailable
            }
            Self::Damaged { .. } => ErrorCode::Internal,
            Self::ShuttingDown => ErrorCode::ShuttingDown,
            Self::Engine(EngineError::Unusable { .. }) => ErrorCode::ModelUnusable,
            Self::Engine(EngineError::Fault { .. })
            | Self::DataFolderInUse(_)
            | Self::OldDatabase(_)
            | Self::LogInReadOnlyFolder(_)
            | Self::NoSecret(_)
            | Self::NoSafetyChecker(_)
            | Self::Signing(_)
            | Self::Database(_)
            | Self::Files(_)
            | Self::Picture(_)
            | Self::Decode(_)
            | Self::Io { .. }
            | Self::Broken(_) => {
                return PublicError::new(
                    ErrorCode::Internal,
                    "something went wrong on the server; its log has the details",
                );
            }
        };
        PublicError::new(code, self.to_string())
    }

    /// Nothing there, or not the asker's.
    pub(crate) fn not_found(kind: &'static str, id: &impl ToString) -> Self {
        Self::NotFound { kind, id: id.to_string() }
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        // The results of SQLite, <https://sqlite.org/rescode.html>, of which the lowest eight bits are the kind.
        const BUSY: u32 = 5;
        const LOCKED: u32 = 6;
        const READ_ONLY: u32 = 8;
        const INPUT_OUTPUT: u32 = 10;
        const FULL: u32 = 13;
        const CANNOT_OPEN: u32 = 14;
        match sqlite_code(&error).map(|code| code & 0xff) {
            Some(BUSY | LOCKED) => Self::StorageBusy(error),
            Some(FULL) => Self::StorageFull,
            Some(READ_ONLY | INPUT_OUTPUT | CANNOT_OPEN) => Self::StorageUnusable(Box::new(error)),
            // All connections wait for a lock, so none is free.
            None if matches!(error, sea_orm::DbErr::ConnectionAcquire(_)) => Self::StorageBusy(error),
            _ => Self::Database(error),
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        use std::io::ErrorKind::{
            NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
        };
        match root_kind(&error) {
            Some(StorageFull | QuotaExceeded) => Self::StorageFull,
            Some(PermissionDenied | ReadOnlyFilesystem | NotADirectory) => {
                Self::StorageUnusable(Box::new(error))
            }
            _ => Self::Files(error),
        }
    }
}

/// What SQLite says went wrong, which the driver passes on as text.
pub(crate) fn sqlite_code(error: &sea_orm::DbErr) -> Option<u32> {
    use sea_orm::{DbErr, RuntimeErr};
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    error.as_database_error()?.code()?.parse().ok()
}

/// The kind of the input or output error that lies at the root, if one does.
fn root_kind(error: &(dyn std::error::Error + 'static)) -> Option<std::io::ErrorKind> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind).last()
}
