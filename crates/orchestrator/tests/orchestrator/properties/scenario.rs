//! A generated contract and what fate has in store for its runs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use onex_orchestrator::{CallId, Plan};
use proptest::prelude::*;

use crate::support::Case;

/// What becomes of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Succeeds,
    /// It may be tried again.
    Hiccups,
    Fails,
}

/// When, counted in events, somebody or something interferes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Troubles {
    pub(super) deadline: Option<usize>,
    pub(super) cancel: Option<usize>,
    pub(super) pause: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// What a step is and how it is ruled, and its dependencies as bits over earlier steps.
    steps: Vec<(&'static str, &'static str, u16)>,
    /// How many may run at once; one after another when absent.
    parallel: Option<u32>,
    strategy: &'static str,
    rollback: bool,
    /// Whether the items of a list come one after another.
    is_tame: bool,
    /// What becomes of each attempt, drawn by its name, so that it does not depend on when it is made.
    fates: Vec<u8>,
    /// Which answer comes next.
    pub(super) order: Vec<u8>,
    pub(super) troubles: Troubles,
}

/// Rules of a step, most of the time none.
const RULES: [&str; 13] = [
    "",
    "",
    "",
    "",
    "",
    "~",
    "s",
    "{c}",
    "{r}",
    "{k}",
    "{s}",
    "[condition: input.share > 40]",
    "[condition: input.share < 40]",
];

/// What a step is: one that the reducer asks for most of the time, else one that is carried out for each item of a
/// list, hands on or aggregates.
const KINDS: [&str; 8] = ["", "", "", "@", "@", "+", "+", "&"];
const EACH: [&str; 3] = [
    "for_each: [a, b, c]",
    "for_each: [a, b, c, d], max_parallel_instances: 2",
    "for_each: [a, b, c, d, e], max_parallel_instances: 3, max_failures: 2",
];

pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    let kinds = prop::sample::select(KINDS.to_vec());
    let step = (kinds, prop::sample::select(RULES.to_vec()), any::<u16>());
    let strategy = prop::sample::select(vec!["retry", "abort", "continue", "rollback"]);
    let at = || prop::option::weighted(0.3, 0..30_usize);
    let soon = prop::option::weighted(0.5, 1..15_usize);
    let troubles = (at(), at(), soon).prop_map(|(deadline, cancel, pause)| Troubles { deadline, cancel, pause });
    let dice = || prop::collection::vec(any::<u8>(), 1..80);
    (prop::collection::vec(step, 0..12), prop::option::of(1..5_u32), strategy, any::<bool>(), dice(), dice(), troubles)
        .prop_map(|(steps, parallel, strategy, rollback, fates, order, troubles)| Scenario {
            steps,
            parallel,
            strategy,
            rollback,
            is_tame: false,
            fates,
            order,
            troubles,
        })
}

impl Scenario {
    pub(super) fn case(&self) -> Case {
        let graph = self.steps.iter().enumerate().map(|(index, (kind, rules, bits))| {
            let dependencies = (0..index).filter(|earlier| bits & (1 << earlier) != 0 && bits % 3 != 0);
            let dependencies = dependencies.map(|earlier| format!("S{earlier}")).collect::<Vec<_>>().join(",");
            let (flags, keys) = rules.split_at(rules.find('[').unwrap_or(rules.len()));
            let keys = [keys.trim_matches(['[', ']']), self.each(index)].into_iter().filter(|keys| !keys.is_empty());
            format!("S{index}{kind}{flags}({dependencies})[{}]", keys.collect::<Vec<_>>().join(", "))
        });
        let mode =
            self.parallel.map_or("sequential".to_owned(), |limit| format!("parallel, max_parallel_branches: {limit}"));
        let rules = format!(
            "execution_mode: {mode}, failure_recovery_strategy: {}, rollback_enabled: {}, max_retries: 2, timeout_ms: 60000",
            self.strategy, self.rollback
        );
        let case = Case::of(&graph.collect::<Vec<_>>().join(",")).rules(&rules);
        (0..self.steps.len()).fold(case, |case, index| case.calls(&format!("S{index}"), 1 + index % 2))
    }

    /// The list a step is carried out for.
    fn each(&self, index: usize) -> &'static str {
        let (kind, _, bits) = self.steps[index];
        match kind {
            "@" if self.is_tame => EACH[0],
            "@" => EACH[usize::from(bits) % EACH.len()],
            _ => "",
        }
    }

    pub(super) fn plan(&self) -> Arc<Plan> {
        self.case().plan()
    }

    /// The same fate with answers in another order, and nobody who interferes.
    pub(super) fn reordered(&self, order: Vec<u8>) -> Self {
        Self { order, troubles: Troubles::default(), ..self.clone() }
    }

    /// The same without steps whose end may depend on what else has ended by then: everything goes on after a failure.
    pub(super) fn without_stops(mut self) -> Self {
        self.is_tame = true;
        self.strategy = "continue";
        self.rollback = false;
        self.steps
            .iter_mut()
            .filter(|(_, rules, _)| ["s", "{r}", "{k}", "{s}"].contains(rules))
            .for_each(|step| step.1 = "");
        self
    }

    fn drawn(&self, what: impl Hash) -> u8 {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let index = hasher.finish() % self.fates.len() as u64;
        self.fates[usize::try_from(index).expect("short")]
    }

    pub(super) fn fate_of_attempt(&self, call: &CallId, attempt: u32, is_undo: bool) -> Fate {
        match self.drawn((call, attempt, is_undo)) % 8 {
            0 => Fate::Fails,
            1 | 2 => Fate::Hiccups,
            _ => Fate::Succeeds,
        }
    }

    pub(super) fn is_computed(&self, step: &str) -> bool {
        !self.drawn(step).is_multiple_of(11)
    }
}
