//! The deciding half that every journal shares: what was asked for, and what is known of the runs it names, make
//! answers and rows.
//!
//! For crates that implement [`Journal`](crate::Journal) by being a [`Store`]. A journal gathers [`Request`]s, reads what their
//! [`Planned`] demands name into [`Known`], lets a [`Plan`] decide each in the order of arrival, writes the
//! [`Rows`] in one commit, and answers. Decided here once: what is refused, and what a refusal leaves behind,
//! which is nothing.
//!
//! **Absent on purpose:** demands that choose their runs themselves ([`Query`]); a store chooses by its indexes.

mod plan;
mod request;
mod row;
mod runs;
mod statistics;
mod store;

pub use plan::{EntityKey, Known, Plan, Queue, Rows};
pub use request::{
    Answer, AppendRows, Demand, EndRows, Planned, Prune, Query, Reply, Request, StartRun, TakeOver, batch_length,
};
pub use row::{
    ContractRow, MessageRow, Micros, OrderRow, RecordRow, RunChange, RunRow, RunUpdate, StateRow, StateWriteRow,
};
pub use runs::Head;
pub use statistics::{Counters, Statistics};
pub use store::Store;
