//! What can go wrong when speaking to the database.

/// The result of a database operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a database operation failed. An absent row is no error but `None`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique or exclusion constraint refused the write; names the constraint.
    #[error("the write conflicts with what is stored ({constraint})")]
    Conflict {
        /// The constraint's name in the schema.
        constraint: String,
    },
    /// A foreign key or check constraint refused the write; names the constraint.
    #[error("the write breaks a rule of the schema ({constraint})")]
    Rejected {
        /// The constraint's name in the schema.
        constraint: String,
    },
    /// The database cannot be reached or has no connection free.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// A row holds what this version of Amebo cannot read.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// Migrations could not be applied.
    #[error("the database schema could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database's roles are not as the invariants demand.
    #[error("{0}")]
    Roles(String),
    /// Anything else.
    #[error("a database operation failed")]
    Database(#[source] sqlx::Error),
}

impl Error {
    /// Whether this is a conflict on the named constraint.
    pub fn is_conflict_on(&self, name: &str) -> bool {
        matches!(self, Error::Conflict { constraint } if constraint == name)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_) => Error::Unavailable(error),
            sqlx::Error::ColumnDecode { index, source } => {
                Error::Corrupt(format!("column {index}: {source}"))
            }
            sqlx::Error::Database(database) => {
                let constraint = database.constraint().unwrap_or_default().to_owned();
                match database.kind() {
                    ErrorKind::UniqueViolation | ErrorKind::ExclusionViolation => {
                        Error::Conflict { constraint }
                    }
                    ErrorKind::ForeignKeyViolation
                    | ErrorKind::CheckViolation
                    | ErrorKind::NotNullViolation => Error::Rejected { constraint },
                    // Administrator shutdown, crash shutdown, cannot connect now: the server is going away or coming back.
                    _ if matches!(database.code().as_deref(), Some("57P01" | "57P02" | "57P03")) => {
                        Error::Unavailable(error)
                    }
                    _ => Error::Database(error),
                }
            }
            _ => Error::Database(error),
        }
    }
}

/// Reads a stored name of an enumeration, or of anything else with a text form.
pub(crate) fn parse<T>(text: &str) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| Error::Corrupt(error.to_string()))
}
