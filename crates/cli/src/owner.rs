//! Decides the name that this process holds its runs in. Who alone may open a journal keeps one name, so that its runs
//! are its own again after a restart, at once. Workers that share one have a name for each process: a worker must
//! never take a run from another that is still at work.

use uuid::Uuid;

use crate::config::Config;
use crate::settings::JournalSettings;

/// The name.
pub(crate) fn owner(config: &Config) -> String {
    match (&config.settings.owner, &config.settings.journal) {
        (Some(owner), _) => owner.clone(),
        (None, JournalSettings::Sqlite | JournalSettings::Memory) => "onex".to_owned(),
        (None, JournalSettings::Postgres(_)) => of_this_process(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a process that starts takes a name nobody had before")]
fn of_this_process() -> String {
    let host = rustix::system::uname();
    let random = Uuid::new_v4().simple().to_string();
    format!("{}-{}-{}", host.nodename().to_string_lossy(), std::process::id(), &random[..8])
}
