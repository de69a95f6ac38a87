//! Decides what is promised of each kind of step, and why the promise holds. `docs/guarantees.md` is the long form.

use onex_orchestrator::{Binding, ComputeBinding};

/// What is promised, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) what: &'static str,
    pub(super) why: &'static str,
}

pub(super) fn of(binding: &Binding) -> Promise {
    match binding {
        Binding::Receive { .. } => Promise {
            what: "once",
            why: "the run's id comes from the event, and a run that was started is not started again (ONEX5002)",
        },
        Binding::Reduce { .. } | Binding::Compute(_) => Promise {
            what: "recomputed",
            why: "it is pure: a recovery computes it again and compares hashes (ONEX3030)",
        },
        Binding::Execute { .. } => Promise {
            what: "effectively once",
            why: "each attempt may happen again after a lost answer or a crash, with the same idempotency key \
                  run/step/intent, and backends answer a known key as before",
        },
        Binding::Workflow { .. } => Promise {
            what: "once",
            why: "the child run's id comes from run, step and attempt; a recovery carries the same run on",
        },
        Binding::Publish { .. } => Promise {
            what: "at least once, with one id",
            why: "the event leaves through the outbox of the commit that ends the run; its id comes from run and \
                  step, so consumers drop a repeat by `envelope_id`",
        },
    }
}

/// What a step is bound to, in words.
pub(super) fn binding(binding: &Binding) -> String {
    match binding {
        Binding::Receive { patterns } => format!("receives {}", patterns.join(", ")),
        Binding::Reduce { reducer } => format!("reduces by {reducer}"),
        Binding::Workflow { name } => format!("runs the workflow of {name}"),
        Binding::Execute { own: Some(kind), effect, .. } => {
            let effect = effect.as_ref().map(|effect| format!(" by {effect}"));
            format!("makes and carries out {kind}{}", effect.unwrap_or_default())
        }
        Binding::Execute { filter, effect, .. } => {
            let intents =
                filter.as_ref().map_or_else(|| "every intent".to_owned(), |filter| format!("intents {filter}"));
            let effect = effect.as_ref().map(|effect| format!(", {effect} where no route says otherwise"));
            format!("carries out {intents}{}", effect.unwrap_or_default())
        }
        Binding::Compute(ComputeBinding::Aggregate(strategy)) => format!("aggregates, {}", strategy_word(*strategy)),
        Binding::Compute(ComputeBinding::Node(name)) => format!("computes by {name}"),
        Binding::Compute(ComputeBinding::PassThrough) => "hands on what its dependencies gave".to_owned(),
        Binding::Publish { event_type, topic } => format!("publishes {event_type} to {topic}"),
    }
}

fn strategy_word(strategy: onex_compute::AggregationStrategy) -> &'static str {
    match strategy {
        onex_compute::AggregationStrategy::AllOrPartial => "all or partial",
        onex_compute::AggregationStrategy::AllOrNone => "all or none",
    }
}
