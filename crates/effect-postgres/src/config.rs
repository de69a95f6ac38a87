//! Decides what can be set about the connection, and what a URL may look like.

use std::str::FromStr;
use std::time::Duration;

use onex_effect::{codes, safe_message};
use onex_node::{ErrorClass, Failure};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

/// How to reach the database. `Debug` does not show the URL.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database?sslmode=verify-full`. Give all parts: sqlx fills
    /// those that are missing from `PGHOST` and its kin.
    pub url: SecretString,
    /// Most connections at once; at least 1.
    pub pool_size: u32,
    /// How long a first answer of the server may take.
    pub connect_timeout: Duration,
    /// How long a call waits for a free connection.
    pub acquire_timeout: Duration,
    /// How long one statement may run before the server gives it up; whole milliseconds, 0 for ever.
    pub statement_timeout: Duration,
}

impl PostgresConfig {
    /// Ten connections; 2 s to connect, 3 s to wait for a connection, 5 s for a statement.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            pool_size: 10,
            connect_timeout: Duration::from_secs(2),
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
        }
    }

    /// The options for statements of one call.
    pub(crate) fn options(&self) -> Result<PgConnectOptions, Failure> {
        let timeout = self.statement_timeout.as_millis().to_string();
        Ok(self.parsed()?.options([("statement_timeout", timeout.as_str())]))
    }

    /// The options for migrations: a statement may take its time, waiting for a lock may not.
    pub(crate) fn migration_options(&self) -> Result<PgConnectOptions, Failure> {
        let timeout = self.statement_timeout.as_millis().to_string();
        Ok(self.parsed()?.options([("lock_timeout", timeout.as_str()), ("statement_timeout", "0")]))
    }

    fn parsed(&self) -> Result<PgConnectOptions, Failure> {
        let parsed = PgConnectOptions::from_str(self.url.expose_secret());
        let options = parsed.map_err(|error| {
            let message = safe_message(&format!("the PostgreSQL URL cannot be read: {error}"));
            Failure::new(ErrorClass::Validation, codes::REFUSED, message)
        })?;
        match options.get_application_name() {
            Some(_) => Ok(options),
            None => Ok(options.application_name("onex")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PostgresConfig;

    #[test]
    fn the_url_is_shown_nowhere() {
        let config = PostgresConfig::new("postgres://u:hunter2@h:no-port/db".into());
        assert!(!format!("{config:?}").contains("hunter2"));
        let failure = config.options().unwrap_err();
        assert!(!failure.message.contains("hunter2"), "{failure:?}");
    }

    #[test]
    fn a_name_in_the_url_is_kept() {
        let name = |url: &str| {
            let options = PostgresConfig::new(url.into()).options().unwrap();
            options.get_application_name().map(str::to_owned)
        };
        assert_eq!(name("postgres://u:p@h:1/d").as_deref(), Some("onex"));
        assert_eq!(name("postgres://u:p@h:1/d?application_name=mine").as_deref(), Some("mine"));
    }
}
