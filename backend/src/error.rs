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
            Self::ShuttingDown => ErrorCode::ShuttingDown,
            Self::Engine(EngineError::Unusable { .. }) => ErrorCode::ModelUnusable,
            Self::Engine(EngineError::Fault { .. })
            | Self::DataFolderInUse(_)
            | Self::NoSafetyChecker(_)
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
        if is_database_full(&error) { Self::StorageFull } else { Self::Database(error) }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        if is_storage_full(&error) { Self::StorageFull } else { Self::Files(error) }
    }
}

/// SQLite says it with code 13 (`SQLITE_FULL`), which the driver passes on as text.
fn is_database_full(error: &sea_orm::DbErr) -> bool {
    use sea_orm::{DbErr, RuntimeErr};
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    error
        .as_database_error()
        .and_then(sea_orm::sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "13")
}

/// Whether an input or output error lies at the root, and it is a full disk or a used-up quota.
fn is_storage_full(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::{Error as IoError, ErrorKind};
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<IoError>().map(IoError::kind);
        if matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    false
}
