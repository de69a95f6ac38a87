//! Decides what can be set about the connections, and what a URL may look like.

use std::str::FromStr;
use std::time::Duration;

use onex_journal::{JournalError, JournalLimits};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::error::Problem;

/// How to reach the database. `Debug` does not show the URL.
#[derive(Clone, Debug)]
pub struct PostgresJournalConfig {
    /// `postgres://user:password@host:port/database?sslmode=verify-full`. Give all parts: sqlx fills those that
    /// are missing from `PGHOST` and its kin.
    pub url: SecretString,
    /// Connections that commit; at least 1. Calls about one run share one.
    pub committers: usize,
    /// Most connections that read; at least 1.
    pub readers: u32,
    /// How long a first answer of the server may take.
    pub connect_timeout: Duration,
    /// How long one statement may run before the server gives it up; whole milliseconds, 0 for ever.
    pub statement_timeout: Duration,
    /// What a run may write down.
    pub limits: JournalLimits,
}

impl PostgresJournalConfig {
    /// Two connections that commit and four that read; 2 s to connect, 5 s for a statement.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            committers: 2,
            readers: 4,
            connect_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            limits: JournalLimits::default(),
        }
    }

    /// The options for statements of one call.
    pub(crate) fn options(&self) -> Result<PgConnectOptions, JournalError> {
        let timeout = self.statement_timeout.as_millis().to_string();
        // A client that stops in the middle of a transaction must not keep its locks from those who take its runs over.
        let idle = ("idle_in_transaction_session_timeout", timeout.as_str());
        Ok(self.parsed()?.options([("statement_timeout", timeout.as_str()), idle]))
    }

    /// The options for statements that commit. Planning one costs more than executing it, so it is planned once. That
    /// plan is made while the tables may be empty and has to be right when they are large: rows are found by index.
    pub(crate) fn commit_options(&self) -> Result<PgConnectOptions, JournalError> {
        let plans = [
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
        ];
        Ok(self.options()?.options(plans))
    }

    /// The options for migrations: a statement may take its time, waiting for a lock may not.
    pub(crate) fn migration_options(&self) -> Result<PgConnectOptions, JournalError> {
        let timeout = self.statement_timeout.as_millis().to_string();
        Ok(self.parsed()?.options([("lock_timeout", timeout.as_str()), ("statement_timeout", "0")]))
    }

    /// How long a commit may take before the server counts as lost.
    pub(crate) fn patience(&self) -> Duration {
        match self.statement_timeout.is_zero() {
            true => Duration::from_secs(3_600),
            false => self.statement_timeout * 2 + self.connect_timeout,
        }
    }

    /// The parser's own words may quote the URL, so they are not told.
    fn parsed(&self) -> Result<PgConnectOptions, JournalError> {
        let parsed = PgConnectOptions::from_str(self.url.expose_secret());
        let options = parsed.map_err(|_| JournalError::unavailable(Problem::Url))?;
        match options.get_application_name() {
            Some(_) => Ok(options),
            None => Ok(options.application_name("onex-journal")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::PostgresJournalConfig;

    #[test]
    fn the_url_is_shown_nowhere() {
        let config = PostgresJournalConfig::new("postgres://u:hunter2@h:no-port/db".into());
        assert!(!format!("{config:?}").contains("hunter2"));
        let error = config.options().expect_err("it has no port");
        assert!(!format!("{error:?} {:?}", error.source()).contains("hunter2"), "{error:?}");
    }
}
