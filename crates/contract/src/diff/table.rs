//! The table: what it means that a fact is new, gone or different. `{}` is the fact's name.

use super::ChangeClass::{self, Breaking, NeedsDrain, Safe};

/// What happened to a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Added,
    Removed,
    Changed,
}

/// What a change of a fact asks for, and the sentence that says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    pub(super) class: ChangeClass,
    pub(super) what: &'static str,
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Name,
    Kind,
    ContractVersion,
    ForPeople,
    InputModel,
    OutputModel,
    ModelModule,
    ConsumedTopic,
    ConsumedType,
    Starts,
    PublishedTopic,
    PublishedType,
    PublishedByStep,
    TerminalEvent,
    Workflow,
    Step,
    StepOrder,
    Binding,
    NodeBinding,
    ReducerBinding,
    StepInput,
    Rule,
    Breaker,
    Route,
    SubscribedIntent,
    Dependency,
    DependencyModule,
    Machine,
    State,
    InitialState,
    TerminalState,
    ErrorState,
    Transition,
    Operation,
    SafeRepeat,
    Elsewhere,
    Unknown,
}

impl Subject {
    /// What follows.
    pub(super) fn meaning(self, verb: Verb) -> Meaning {
        let [added, removed, changed] = self.row();
        let (class, what) = match verb {
            Verb::Added => added,
            Verb::Removed => removed,
            Verb::Changed => changed,
        };
        Meaning { class, what }
    }

    /// Added, removed, changed. A fact without a value is never changed; its third cell stands for a value to come.
    fn row(self) -> [(ChangeClass, &'static str); 3] {
        match self {
            Self::Name => same(Breaking, "the node has another name: routes, steps and runs know it by the old one"),
            Self::Kind => same(Breaking, "the node is of another kind: whoever calls it calls it as what it was"),
            Self::ContractVersion => same(Safe, "the contract has another version"),
            Self::ForPeople => [
                (Safe, "`{}` is new; nothing acts on it"),
                (Safe, "`{}` is gone; nothing acted on it"),
                (Safe, "`{}` is different; nothing acts on it"),
            ],
            Self::InputModel => [
                (Safe, "the model of what comes in is declared now"),
                (Breaking, "callers no longer know what to send: the input model is gone"),
                (Breaking, "callers have to send another model"),
            ],
            Self::OutputModel => [
                (Safe, "the model of what goes out is declared now"),
                (Breaking, "callers no longer know what they get: the output model is gone"),
                (Breaking, "callers get another model"),
            ],
            Self::ModelModule => [
                (Safe, "the module of `{}` is declared now"),
                (Safe, "the module of `{}` is no longer declared"),
                (Breaking, "`{}` comes from another module: whoever imports it has to follow"),
            ],
            Self::ConsumedTopic => [
                (Safe, "topic `{}` is consumed too"),
                (Breaking, "topic `{}` is no longer consumed: what producers put there is not seen"),
                (Breaking, "an event is consumed from `{}` instead: producers have to follow"),
            ],
            Self::ConsumedType => [
                (Safe, "events of type `{}` are consumed from this topic too"),
                (
                    Breaking,
                    "events of type `{}` are no longer consumed from this topic: producers have to stop or follow",
                ),
                (Breaking, "events of another type are consumed from this topic"),
            ],
            Self::Starts => [
                (Safe, "events on `{}` start runs now"),
                (Breaking, "events on `{}` start no runs any more"),
                (Breaking, "events on `{}` start runs otherwise"),
            ],
            Self::PublishedTopic => [
                (Safe, "topic `{}` is published to as well"),
                (Breaking, "topic `{}` is no longer published to: consumers wait in vain"),
                (Breaking, "an event is published to `{}` instead: consumers have to follow"),
            ],
            Self::PublishedType => [
                (Safe, "events of type `{}` are declared on this topic"),
                (
                    Breaking,
                    "events of type `{}` are no longer declared on this topic: consumers may not know what comes",
                ),
                (Breaking, "events of another type are published to this topic"),
            ],
            Self::PublishedByStep => [
                (Safe, "a step publishes `{}` now"),
                (Breaking, "no step publishes `{}` any more: consumers wait in vain"),
                (Breaking, "a step publishes another event than `{}`"),
            ],
            Self::TerminalEvent => [
                (Safe, "the end of a conversation is told on a topic now"),
                (Breaking, "the end of a conversation is no longer told: whoever waits for it waits in vain"),
                (Breaking, "the end of a conversation is told on another topic"),
            ],
            Self::Workflow => [
                (Safe, "the node has a workflow now"),
                (Breaking, "the workflow is gone: nothing runs on the node's events any more"),
                (Safe, "the workflow is different"),
            ],
            Self::Step => [
                (Safe, "new runs have step `{}` too; runs in flight end without it"),
                (Safe, "new runs do without step `{}`; runs in flight still take it"),
                (Safe, "step `{}` is of another kind in new runs"),
            ],
            Self::StepOrder => [
                (Safe, "in new runs {}"),
                (Safe, "in new runs it is no longer so that {}"),
                (Safe, "new runs take their steps in another order"),
            ],
            Self::Binding => same(Safe, "new runs bind {} otherwise; runs in flight keep what they were bound to"),
            Self::NodeBinding => same(
                Safe,
                "new runs call another node in {}; runs in flight still call the former, so keep it until they end",
            ),
            Self::ReducerBinding => same(
                NeedsDrain,
                "{} goes to another reducer: what the former one keeps of an entity is not seen by the new one",
            ),
            Self::StepInput => same(Safe, "new runs give {} another input"),
            Self::Rule => [
                (Safe, "new runs go by `{}`; runs in flight keep their rules"),
                (Safe, "new runs go without `{}`; runs in flight keep their rules"),
                (Safe, "new runs go by another `{}`; runs in flight keep their rules"),
            ],
            Self::Breaker => [
                (Safe, "the circuit breaker goes by `{}` from the next start"),
                (Safe, "the circuit breaker goes without `{}` from the next start"),
                (Safe, "the circuit breaker goes by another `{}` from the next start"),
            ],
            Self::Route => [
                (Safe, "intents `{}` have a route now"),
                (Breaking, "intents `{}` have no route any more: nothing says which effect carries them out"),
                (
                    Safe,
                    "intents `{}` of new runs go to another effect; keep the former one until runs in flight have ended",
                ),
            ],
            Self::SubscribedIntent => [
                (Safe, "intents `{}` are dealt with too"),
                (Safe, "intents `{}` are no longer announced; a route decides what becomes of them"),
                (Safe, "intents `{}` are dealt with otherwise"),
            ],
            Self::Dependency => [
                (Safe, "`{}` is needed around the node now; it has to be there first"),
                (Safe, "`{}` is no longer needed around the node"),
                (Safe, "`{}` is needed as something else"),
            ],
            Self::DependencyModule => {
                same(NeedsDrain, "`{}` is found elsewhere: a step that is bound through it may go to another node")
            }
            Self::Machine => [
                (
                    NeedsDrain,
                    "the node has a state machine now: what runs in flight reduced without it is not recovered with it",
                ),
                (Breaking, "the state machine is gone: what is kept of entities has no meaning any more"),
                (NeedsDrain, "the state machine is different"),
            ],
            Self::State => [
                (Safe, "state `{}` is new; no entity is in it yet"),
                (Breaking, "state `{}` is gone: an entity that is in it can be reduced no more"),
                (NeedsDrain, "state `{}` is different"),
            ],
            Self::InitialState => {
                same(NeedsDrain, "an entity never seen begins in another state: runs in flight began in the former")
            }
            Self::TerminalState => [
                (NeedsDrain, "nothing leaves state `{}` any more: triggers that moved entities out of it are refused"),
                (NeedsDrain, "state `{}` can be left: triggers that were refused may be taken"),
                (NeedsDrain, "state `{}` ends otherwise"),
            ],
            Self::ErrorState => [
                (Safe, "state `{}` counts as failed now"),
                (Safe, "state `{}` no longer counts as failed"),
                (Safe, "state `{}` counts otherwise"),
            ],
            Self::Transition => [
                (NeedsDrain, "{} is taken now: a run recorded by the former table would not be recovered (ONEX3030)"),
                (
                    NeedsDrain,
                    "{} is no longer taken: a run recorded by the former table would not be recovered (ONEX3030)",
                ),
                (
                    NeedsDrain,
                    "{} leads elsewhere: a run recorded by the former table would not be recovered (ONEX3030)",
                ),
            ],
            Self::Operation => [
                (Safe, "operation `{}` is offered too"),
                (Breaking, "operation `{}` is no longer offered: whoever routes intents to it has to stop first"),
                (Safe, "operation `{}` is described otherwise"),
            ],
            Self::SafeRepeat => [
                (Safe, "a repeat of `{}` is safe now"),
                (Breaking, "a repeat of `{}` is no longer safe: whoever retries it may do it twice"),
                (Breaking, "a repeat of `{}` is safe otherwise"),
            ],
            Self::Elsewhere => {
                same(NeedsDrain, "`{}` is different; other runtimes act on it, so judge there what that means for them")
            }
            Self::Unknown => same(
                NeedsDrain,
                "`{}` is different, and what that means is not known here: look at it before you deploy",
            ),
        }
    }
}

/// One meaning whatever happened.
fn same(class: ChangeClass, what: &'static str) -> [(ChangeClass, &'static str); 3] {
    [(class, what); 3]
}
