//! Decides how decided rows reach the tables: as one statement, however many rows and tables there are. One statement
//! is one round trip, and outside a transaction one commit.
//!
//! The statement consists of a part for each table that has rows. Each part takes its rows as arrays, one for a
//! column. A part whose rows rest on an expectation tells which of them it wrote; the last line counts them, and
//! if one is missing, undoes it all.

use std::collections::BTreeMap;

use onex_journal::planning::{
    ContractRow, MessageRow, Micros, OrderRow, Queue, RecordRow, Rows, RunRow, RunUpdate, StateRow,
};
use onex_journal::{JournalLimits, RunStatus};
use onex_node::Timestamp;
use sqlx::postgres::Postgres;
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

/// Writes what a plan came to.
pub(crate) async fn write(
    connection: &mut PgConnection,
    rows: Rows<'_>,
    limits: JournalLimits,
) -> Result<(), sqlx::Error> {
    let mut statement = Statement::new();
    statement.contracts(&rows.contracts);
    statement.runs(&rows.runs);
    statement.updates(rows.updates, limits);
    statement.records(&rows.records);
    let (new, changed) = rows.states.into_iter().partition::<Vec<_>, _>(|state| state.expected_version == 0);
    statement.new_states(&new);
    statement.changed_states(&changed);
    statement.settled_orders(rows.settled_orders);
    statement.orders(&rows.orders);
    statement.queue(["sent", "outgoing"], "onex_outbox", "envelope, run_id", &rows.outbox);
    statement.queue(["taken", "incoming"], "onex_inbox", "body", &rows.inbox);
    statement.execute(connection).await
}

/// A statement in the making. Its text is made of constants; values are bound.
struct Statement {
    builder: QueryBuilder<Postgres>,
    is_empty: bool,
    /// The parts that tell what they wrote, and how many rows that has to be.
    expected: Vec<(&'static str, usize)>,
}

impl Statement {
    fn new() -> Self {
        Self { builder: QueryBuilder::new("WITH "), is_empty: true, expected: Vec::new() }
    }

    async fn execute(mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.is_empty {
            return Ok(());
        }
        self.builder.push(" SELECT onex_require(true");
        for (name, rows) in self.expected {
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            self.builder.push(" AND (SELECT count(*) FROM ").push(name).push(") = ").push_bind(rows);
        }
        self.builder.push(")").build().execute(connection).await?;
        Ok(())
    }

    /// Begins a part.
    fn part(&mut self, name: &'static str, text: &str) -> &mut QueryBuilder<Postgres> {
        if !self.is_empty {
            self.builder.push(", ");
        }
        self.is_empty = false;
        self.builder.push(name).push(" AS (").push(text)
    }

    /// A fingerprint that is given twice is written once; in the order of fingerprints, so that two programs that
    /// save the same contracts wait for each other in one direction only.
    fn contracts(&mut self, rows: &[&ContractRow]) {
        let rows: BTreeMap<&str, &str> = rows.iter().rev().map(|row| (row.0.as_str(), row.1.as_str())).collect();
        if rows.is_empty() {
            return;
        }
        let (fingerprints, texts): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let text = "INSERT INTO onex_contracts (fingerprint, canonical, saved_at) SELECT row.*, now() FROM unnest(";
        let mut columns = self.part("saved", text).separated(", ");
        columns.push_bind(fingerprints).push_bind(texts);
        self.builder.push(") AS row ON CONFLICT (fingerprint) DO UPDATE SET saved_at = excluded.saved_at)");
    }

    fn runs(&mut self, rows: &[RunRow<'_>]) {
        if rows.is_empty() {
            return;
        }
        let text = "INSERT INTO onex_runs (run_id, orchestrator, contract_fingerprint, entity, parent, status, owner, \
            epoch, lease_until, last_sequence, bytes, started_at, ended_at, reason) SELECT a, b, c, d, e, f, g, h, i, \
            j, k, l, m, n FROM unnest(";
        let mut columns = self.part("started", text).separated(", ");
        columns.push_bind(each(rows, |row| row.run_id.0));
        columns.push_bind(each(rows, |row| row.orchestrator));
        columns.push_bind(each(rows, |row| row.contract_fingerprint));
        columns.push_bind(each(rows, |row| row.entity));
        columns.push_bind(each(rows, |row| row.parent.map(|parent| parent.0)));
        columns.push_bind(each(rows, |row| row.status.as_str()));
        columns.push_bind(each(rows, |row| row.owner));
        columns.push_bind(each(rows, |row| number(row.epoch)));
        columns.push_bind(each(rows, |row| Timestamp::from(row.lease_until)));
        columns.push_bind(each(rows, |row| number(row.last_sequence)));
        columns.push_bind(each(rows, |row| number(row.bytes)));
        columns.push_bind(each(rows, |row| Timestamp::from(row.started_at)));
        columns.push_bind(each(rows, |row| row.ended_at.map(Timestamp::from)));
        columns.push_bind(each(rows, |row| row.reason));
        self.builder.push(
            ") WITH ORDINALITY AS row (a, b, c, d, e, f, g, h, i, j, k, l, m, n, place) ORDER BY place \
            ON CONFLICT (run_id) DO NOTHING RETURNING 1)",
        );
        self.expected.push(("started", rows.len()));
    }

    /// In the order of ids, as the locks of [`crate::load`] are.
    fn updates(&mut self, mut rows: Vec<RunUpdate<'_>>, limits: JournalLimits) {
        if rows.is_empty() {
            return;
        }
        rows.sort_unstable_by_key(|row| row.run_id);
        let text = "UPDATE onex_runs AS run SET last_sequence = coalesce(row.sequence, run.last_sequence), \
            bytes = run.bytes + row.bytes, status = coalesce(row.status, run.status), \
            ended_at = coalesce(row.ended_at, run.ended_at), reason = coalesce(row.reason, run.reason), \
            owner = coalesce(row.owner, run.owner), epoch = coalesce(row.epoch, run.epoch), \
            lease_until = coalesce(row.lease_until, run.lease_until) FROM unnest(";
        let mut columns = self.part("updated", text).separated(", ");
        columns.push_bind(each(&rows, |row| row.run_id.0));
        columns.push_bind(each(&rows, |row| number(row.expected_epoch)));
        columns.push_bind(each(&rows, |row| row.expected_sequence.map(number)));
        columns.push_bind(each(&rows, |row| bytes_limit(row, limits)));
        columns.push_bind(each(&rows, |row| row.change.last_sequence.map(number)));
        columns.push_bind(each(&rows, |row| number(row.change.added_bytes)));
        columns.push_bind(each(&rows, |row| row.change.status.map(RunStatus::as_str)));
        columns.push_bind(each(&rows, |row| time(row.change.ended_at)));
        columns.push_bind(each(&rows, |row| row.change.reason));
        columns.push_bind(each(&rows, |row| row.change.owner));
        columns.push_bind(each(&rows, |row| row.change.epoch.map(number)));
        columns.push_bind(each(&rows, |row| time(row.change.lease_until)));
        self.builder.push(
            ") AS row (run_id, expected_epoch, expected_sequence, bytes_limit, sequence, bytes, status, ended_at, \
            reason, owner, epoch, lease_until) \
            WHERE run.run_id = row.run_id AND run.status = 'running' AND run.epoch = row.expected_epoch \
            AND run.last_sequence = coalesce(row.expected_sequence, run.last_sequence) \
            AND run.bytes + row.bytes <= row.bytes_limit RETURNING 1)",
        );
        self.expected.push(("updated", rows.len()));
    }

    fn records(&mut self, rows: &[&RecordRow]) {
        if rows.is_empty() {
            return;
        }
        let text = "INSERT INTO onex_records (run_id, sequence, kind, body) SELECT * FROM unnest(";
        let mut columns = self.part("recorded", text).separated(", ");
        columns.push_bind(each(rows, |row| row.0.0));
        columns.push_bind(each(rows, |row| number(row.1)));
        columns.push_bind(each(rows, |row| row.2.as_str()));
        columns.push_bind(each(rows, |row| row.3.as_str()));
        self.builder.push("))");
    }

    fn new_states(&mut self, rows: &[StateRow<'_>]) {
        if rows.is_empty() {
            return;
        }
        let text = "INSERT INTO onex_entity_states (reducer, entity, version, state) SELECT * FROM unnest(";
        let mut columns = self.part("new_states", text).separated(", ");
        columns.push_bind(each(rows, |row| row.reducer)).push_bind(each(rows, |row| row.entity));
        columns.push_bind(each(rows, |row| number(row.version))).push_bind(each(rows, |row| row.state));
        self.builder.push(") ON CONFLICT (reducer, entity) DO NOTHING RETURNING 1)");
        self.expected.push(("new_states", rows.len()));
    }

    fn changed_states(&mut self, rows: &[StateRow<'_>]) {
        if rows.is_empty() {
            return;
        }
        let text = "UPDATE onex_entity_states AS kept SET version = row.version, state = row.state FROM unnest(";
        let mut columns = self.part("changed_states", text).separated(", ");
        columns.push_bind(each(rows, |row| row.reducer)).push_bind(each(rows, |row| row.entity));
        columns.push_bind(each(rows, |row| number(row.expected_version)));
        columns.push_bind(each(rows, |row| number(row.version))).push_bind(each(rows, |row| row.state));
        self.builder.push(
            ") AS row (reducer, entity, expected_version, version, state) WHERE kept.reducer = row.reducer \
            AND kept.entity = row.entity AND kept.version = row.expected_version RETURNING 1)",
        );
        self.expected.push(("changed_states", rows.len()));
    }

    fn settled_orders(&mut self, ids: Vec<Uuid>) {
        if !ids.is_empty() {
            let text = "UPDATE onex_orders SET settled = true WHERE id = ANY(";
            self.part("settled", text).push_bind(ids).push("))");
        }
    }

    fn orders(&mut self, rows: &[OrderRow]) {
        if rows.is_empty() {
            return;
        }
        let text = "INSERT INTO onex_orders (id, run_id, kind, at, settled) SELECT a, b, c, d, e FROM unnest(";
        let mut columns = self.part("ordered", text).separated(", ");
        columns.push_bind(each(rows, |row| row.id)).push_bind(each(rows, |row| row.run_id.0));
        columns.push_bind(each(rows, |row| row.kind.as_str()));
        columns.push_bind(each(rows, |row| Timestamp::from(row.at))).push_bind(each(rows, |row| row.settled));
        self.builder.push(
            ") WITH ORDINALITY AS row (a, b, c, d, e, place) ORDER BY place ON CONFLICT (id) DO NOTHING RETURNING 1)",
        );
        self.expected.push(("ordered", rows.len()));
    }

    /// The parts of one statement do not see each other. A message that leaves and enters at once would be gone, so
    /// it stays instead.
    fn queue(&mut self, names: [&'static str; 2], table: &str, columns: &str, queue: &Queue<'_>) {
        let mut left = queue.left.clone();
        left.retain(|id| !queue.entered.iter().any(|message| message.0 == *id));
        if !left.is_empty() {
            let text = format!("DELETE FROM {table} WHERE id = ANY(");
            self.part(names[0], &text).push_bind(left).push("))");
        }
        if !queue.entered.is_empty() {
            self.entering(names[1], table, columns, &queue.entered);
        }
    }

    fn entering(&mut self, name: &'static str, table: &str, columns: &str, rows: &[&MessageRow]) {
        let has_run = columns.ends_with("run_id");
        let (letters, places) = if has_run { ("a, b, c, d, e", "e, ") } else { ("a, b, c, d", "") };
        let text = format!("INSERT INTO {table} (id, topic, key, {columns}) SELECT {letters} FROM unnest(");
        let mut arrays = self.part(name, &text).separated(", ");
        arrays.push_bind(each(rows, |row| row.0)).push_bind(each(rows, |row| row.1.as_str()));
        arrays.push_bind(each(rows, |row| row.2.as_deref())).push_bind(each(rows, |row| row.3.as_str()));
        if has_run {
            arrays.push_bind(each(rows, |row| row.4.map(|run_id| run_id.0)));
        }
        let end =
            format!(") WITH ORDINALITY AS row (a, b, c, d, {places}place) ORDER BY place ON CONFLICT (id) DO NOTHING)");
        self.builder.push(end);
    }
}

/// One column of rows.
fn each<'r, R, T>(rows: &'r [R], column: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// An append that ends its run is not bound by the run's size.
fn bytes_limit(row: &RunUpdate<'_>, limits: JournalLimits) -> i64 {
    if row.change.ended_at.is_some() || row.change.added_bytes == 0 { i64::MAX } else { number(limits.bytes_per_run) }
}

fn time(time: Option<Micros>) -> Option<Timestamp> {
    time.map(Timestamp::from)
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
