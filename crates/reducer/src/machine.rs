//! Decides which transition a trigger takes (semantics, section 11.3): exact candidates before
//! wildcards, higher priorities first, declaration as tie-break, the first whose guards hold.

use onex_contract::{StateMachine, Transition, Verdict, evaluate};
use serde_json::Value;

/// A contract's state machine, ready to run.
#[derive(Clone, Debug)]
pub struct Machine {
    table: StateMachine,
}

/// A transition taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state after it.
    pub to: String,
    /// The transition's name.
    pub transition: String,
}

/// Why no transition was taken; the state is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The state is not in the table (F-04).
    #[error("invalid current state: {state}")]
    UnknownState {
        /// The state.
        state: String,
    },
    /// Nothing leaves a terminal state (C-15).
    #[error("`{state}` is a terminal state")]
    Terminal {
        /// The state.
        state: String,
    },
    /// The table has no transition for the trigger (F-05).
    #[error("no transition for trigger '{trigger}' from state '{state}'")]
    NoTransition {
        /// The state.
        state: String,
        /// The trigger.
        trigger: String,
    },
    /// Every candidate's guards fail (F-07, F-10).
    #[error("transition conditions not met: {}", .failed.join(", "))]
    Rejected {
        /// Expressions of the first candidate that do not hold.
        failed: Vec<String>,
    },
}

impl Machine {
    /// The machine of a table.
    pub fn new(table: StateMachine) -> Self {
        Self { table }
    }

    /// The state of an entity never seen.
    pub fn initial_state(&self) -> &str {
        &self.table.initial_state
    }

    /// Takes the transition for a trigger, its guards evaluated over `context`.
    ///
    /// # Errors
    ///
    /// No transition applies.
    pub fn step(&self, state: &str, trigger: &str, context: &Value) -> Result<Step, StepError> {
        self.check_state(state)?;
        let candidates = self.candidates(state, trigger);
        if candidates.is_empty() {
            return Err(StepError::NoTransition { state: state.to_owned(), trigger: trigger.to_owned() });
        }
        let taken = candidates.iter().find(|transition| failed_guards(transition, context).is_empty());
        match taken {
            Some(transition) => Ok(Step { to: transition.to_state.clone(), transition: transition.name() }),
            None => Err(StepError::Rejected { failed: failed_guards(candidates[0], context) }),
        }
    }

    fn check_state(&self, state: &str) -> Result<(), StepError> {
        let declared = self.table.states.iter().find(|declared| declared.state_name == state);
        let declared = declared.ok_or_else(|| StepError::UnknownState { state: state.to_owned() })?;
        if declared.is_terminal || self.table.terminal_states.iter().any(|terminal| terminal == state) {
            return Err(StepError::Terminal { state: state.to_owned() });
        }
        Ok(())
    }

    /// Transitions in the order they are tried; wildcards only when nothing else answers the trigger (F-12).
    fn candidates(&self, state: &str, trigger: &str) -> Vec<&Transition> {
        let from = |from: &str| -> Vec<&Transition> {
            let answers = |transition: &&Transition| transition.from_state == from && transition.trigger == trigger;
            self.table.transitions.iter().filter(answers).collect()
        };
        let mut candidates = from(state);
        if candidates.is_empty() {
            candidates = from("*");
        }
        candidates.sort_by_key(|transition| std::cmp::Reverse(transition.priority.unwrap_or(0)));
        candidates
    }
}

/// Required guards that do not hold; advisory ones are not evaluated (F-32).
fn failed_guards(transition: &Transition, context: &Value) -> Vec<String> {
    let required = transition.conditions.iter().filter(|condition| condition.required);
    required
        .filter(|condition| evaluate(&condition.expression, context) != Verdict::Holds)
        .map(|condition| condition.condition_name.clone().unwrap_or_else(|| condition.expression.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Machine, StepError};
    use serde_json::{Value, json};

    fn machine() -> Machine {
        Machine::new(serde_json::from_value(json!({
            "initial_state": "idle", "states": ["idle", "running", "done", "slow"], "terminal_states": ["done"],
            "transitions": [
                {"from": "idle", "to": "running", "trigger": "go"},
                {"from": "running", "to": "slow", "trigger": "tick", "priority": 5, "conditions": [{"expression": "n > 1"}]},
                {"from": "running", "to": "done", "trigger": "tick", "priority": 10, "conditions": [{"expression": "n > 8"}]},
                {"from": "slow", "to": "idle", "trigger": "tick", "conditions": [{"expression": "n > 100", "required": false}]},
                {"from": "*", "to": "idle", "trigger": "reset"},
                {"from": "*", "to": "idle", "trigger": "tick"},
            ],
        })).expect("a table"))
    }

    fn check(state: &str, trigger: &str, context: Value, expected: Result<&str, &str>) {
        let step = machine().step(state, trigger, &context);
        let shown = step.map(|step| step.to).map_err(|error| error.to_string());
        assert_eq!(shown, expected.map(str::to_owned).map_err(str::to_owned), "{state} {trigger}");
    }

    #[test]
    fn f01_to_f15_transitions() {
        check("idle", "go", json!({}), Ok("running"));
        check("nope", "go", json!({}), Err("invalid current state: nope"));
        check("idle", "zzz", json!({}), Err("no transition for trigger 'zzz' from state 'idle'"));
        check("idle", "GO", json!({}), Err("no transition for trigger 'GO' from state 'idle'"));
        check("running", "tick", json!({"n": 9}), Ok("done"));
        check("running", "tick", json!({"n": 3}), Ok("slow"));
        check("running", "tick", json!({"n": 0}), Err("transition conditions not met: n > 8"));
        check("slow", "tick", json!({"n": 0}), Ok("idle"));
        check("running", "reset", json!({}), Ok("idle"));
        check("done", "reset", json!({}), Err("`done` is a terminal state"));
    }

    #[test]
    fn f42_the_same_sequence_gives_the_same_states() {
        let run = || {
            let mut state = machine().initial_state().to_owned();
            for (trigger, n) in [("go", 0), ("tick", 2), ("tick", 1), ("go", 0), ("tick", 9)] {
                state = machine().step(&state, trigger, &json!({"n": n})).map_or(state, |step| step.to);
            }
            state
        };
        assert_eq!(run(), run());
        assert_eq!(machine().step(&run(), "tick", &json!({})), Err(StepError::Terminal { state: "done".to_owned() }));
    }

    /// A table of one state `on` with these transitions, each to a state of its own.
    fn taken(transitions: Value, trigger: &str, context: &Value) -> Result<String, StepError> {
        let table = json!({
            "initial_state": "on", "states": ["on", "a", "b", "c"], "transitions": transitions,
        });
        let machine = Machine::new(serde_json::from_value(table).expect("a table"));
        machine.step("on", trigger, context).map(|step| format!("{} by {}", step.to, step.transition))
    }

    #[test]
    fn f09_priority_decides_then_declaration() {
        let edge =
            |to: &str, priority: Option<u32>| json!({"from": "on", "to": to, "trigger": "t", "priority": priority});
        for (transitions, expected) in [
            (json!([edge("a", None), edge("b", None)]), "a by on__t__a"),
            (json!([edge("a", Some(1)), edge("b", Some(2)), edge("c", Some(2))]), "b by on__t__b"),
            (json!([edge("a", None), edge("b", Some(1))]), "b by on__t__b"),
            (json!([edge("a", Some(0)), edge("b", None)]), "a by on__t__a"),
        ] {
            assert_eq!(taken(transitions.clone(), "t", &json!({})).as_deref(), Ok(expected), "{transitions}");
        }
    }

    #[test]
    fn f12_a_wildcard_answers_only_when_nothing_else_does() {
        let guarded = json!({"from": "on", "to": "a", "trigger": "t", "conditions": [{"expression": "n > 1"}]});
        let wildcard = json!({"from": "*", "to": "b", "trigger": "t", "transition_name": "any"});
        let rejected = Err(StepError::Rejected { failed: vec!["n > 1".to_owned()] });
        assert_eq!(taken(json!([wildcard, guarded]), "t", &json!({"n": 0})), rejected);
        assert_eq!(taken(json!([wildcard, guarded]), "t", &json!({})), rejected, "a missing field is no zero (C-16)");
        assert_eq!(taken(json!([wildcard]), "t", &json!({"n": 0})), Ok("b by any".to_owned()));
    }

    #[test]
    fn f10_a_rejection_names_what_failed_of_the_first_candidate() {
        let conditions = json!([
            {"expression": "n > 1", "condition_name": "enough"}, {"expression": "m is_present"}, {"expression": "n < 9"},
        ]);
        let first = json!({"from": "on", "to": "a", "trigger": "t", "priority": 2, "conditions": conditions});
        let second = json!({"from": "on", "to": "b", "trigger": "t", "conditions": [{"expression": "n > 5"}]});
        let rejected = StepError::Rejected { failed: vec!["enough".to_owned(), "m is_present".to_owned()] };
        assert_eq!(taken(json!([second, first]), "t", &json!({"n": 0})), Err(rejected));
    }

    #[test]
    fn c15_a_state_flagged_terminal_is_left_by_nothing() {
        let table = json!({
            "initial_state": "on", "states": ["on", {"state_name": "off", "is_terminal": true}],
            "transitions": [{"from": "*", "to": "on", "trigger": "t"}],
        });
        let machine = Machine::new(serde_json::from_value(table).expect("a table"));
        assert_eq!(machine.initial_state(), "on");
        assert_eq!(machine.step("off", "t", &json!({})), Err(StepError::Terminal { state: "off".to_owned() }));
        assert!(machine.step("on", "t", &json!({})).is_ok());
    }
}
