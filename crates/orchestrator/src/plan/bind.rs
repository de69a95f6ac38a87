//! Decides what each step is bound to. Names are looked up now, so that a run never meets an unknown one.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use globset::{Glob, GlobMatcher};
use onex_compute::AggregationStrategy;
use onex_contract::{Archetype, Contract, GraphNode, Policies, WorkflowCoordination, order};
use onex_event::Topic;
use onex_node::{NodeRegistry, StepId};
use serde_json::Value;

use super::{Binding, ComputeBinding, PlanError, PlannedStep};

/// The steps, as declared.
pub(super) fn steps(
    contract: &Contract,
    workflow: &WorkflowCoordination,
    policies: &Policies<'_>,
    nodes: &NodeRegistry,
) -> Result<Vec<PlannedStep>, PlanError> {
    let graph = &workflow.workflow_definition.execution_graph;
    let before = order::before(graph);
    let step = |(node, before): (&GraphNode, &Vec<usize>)| {
        let binder = Binder { contract, node, nodes };
        let binding = binder.binding()?;
        Ok(PlannedStep {
            id: StepId::from(node.node_id.as_str()),
            depends_on: each_once(before),
            after: Vec::new(),
            is_enabled: node.enabled.unwrap_or(true),
            skip_on_failure: node.skip_on_failure.unwrap_or(false),
            conditions: node.condition.clone(),
            on_failure: policies.on_failure(node),
            for_each: node.for_each.clone(),
            max_instances: node.max_parallel_instances.unwrap_or(1).max(1),
            max_failures: node.max_failures.unwrap_or(0),
            takes_failures: matches!(binding, Binding::Compute(ComputeBinding::Aggregate(_))),
            is_absorbed: false,
            binding,
            input: node.step_config.input.clone(),
            config: serde_json::to_value(&node.step_config).unwrap_or(Value::Null),
            attempt_timeout: policies.attempt_timeout(node),
            retry: policies.retry(node),
            matcher: binder.matcher()?,
        })
    };
    graph.nodes.iter().zip(&before).map(step).collect()
}

/// Where each id stands; of two that are equal, the first.
pub(super) fn index<K: Hash + Eq + Clone>(ids: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut index = HashMap::new();
    for (position, id) in ids.enumerate() {
        index.entry(id).or_insert(position);
    }
    index
}

/// A step's dependencies; one that is named twice counts once (O-04).
fn each_once(before: &[usize]) -> Vec<usize> {
    let mut seen = HashSet::new();
    before.iter().copied().filter(|dependency| seen.insert(*dependency)).collect()
}

/// A step's failure is absorbed when something depends on it, all that does takes failures as input, and the step
/// itself does not say that its failure stops the run.
pub(super) fn mark_absorbed(steps: &mut [PlannedStep]) {
    let mut is_needed = vec![false; steps.len()];
    let mut stops_others = vec![false; steps.len()];
    for step in steps.iter() {
        for dependency in &step.depends_on {
            is_needed[*dependency] = true;
            stops_others[*dependency] |= !step.takes_failures;
        }
    }
    for (index, step) in steps.iter_mut().enumerate() {
        step.is_absorbed = is_needed[index] && !stops_others[index] && !step.on_failure.is_own_stop();
    }
}

struct Binder<'c> {
    contract: &'c Contract,
    node: &'c GraphNode,
    nodes: &'c NodeRegistry,
}

impl Binder<'_> {
    fn binding(&self) -> Result<Binding, PlanError> {
        match self.node.node_type.archetype {
            Archetype::Effect => self.effect(),
            Archetype::Reducer => self.reducer(),
            Archetype::Compute => self.compute(),
            Archetype::Orchestrator => self.workflow(),
            Archetype::RuntimeHost => Err(self.unbound("a runtime host is no step")),
        }
    }

    fn effect(&self) -> Result<Binding, PlanError> {
        let config = &self.node.step_config;
        if let Some(event_type) = &config.event_type {
            return Ok(Binding::Publish { event_type: event_type.clone(), topic: self.topic_of(event_type)? });
        }
        if config.effect_node.is_some() || config.intent_filter.is_some() || config.intent.is_some() {
            return self.execute();
        }
        if config.event_pattern.is_empty() {
            return Err(self.unbound("it neither receives, carries out intents nor publishes"));
        }
        Ok(Binding::Receive { patterns: config.event_pattern.clone() })
    }

    fn execute(&self) -> Result<Binding, PlanError> {
        let config = &self.node.step_config;
        let routes = self.contract.intent_consumption.as_ref().map(|consumption| &consumption.intent_routing_table);
        let routes: Vec<_> =
            routes.into_iter().flatten().map(|(kind, effect)| (kind.clone(), effect.clone())).collect();
        for name in routes.iter().map(|(_, effect)| effect).chain(&config.effect_node) {
            self.nodes.effect(name).map_err(|source| self.unresolved(source))?;
        }
        let (filter, own) = (config.intent_filter.clone(), config.intent.clone());
        let effect = config.effect_node.clone();
        if let Some(kind) =
            own.as_ref().filter(|kind| effect.is_none() && !routes.iter().any(|(routed, _)| routed == *kind))
        {
            return Err(self.unbound(format!("no effect is named for its intent `{kind}`")));
        }
        Ok(Binding::Execute { filter, own, effect, routes })
    }

    fn workflow(&self) -> Result<Binding, PlanError> {
        let name = self.node.step_config.workflow.as_deref();
        let name = name.ok_or_else(|| self.unbound("it names no workflow"))?;
        self.nodes.workflow(name).map_err(|source| self.unresolved(source))?;
        Ok(Binding::Workflow { name: name.to_owned() })
    }

    fn matcher(&self) -> Result<Option<GlobMatcher>, PlanError> {
        let Some(filter) = &self.node.step_config.intent_filter else {
            return Ok(None);
        };
        let glob = Glob::new(filter).map_err(|error| self.unbound(format!("`{filter}` is no pattern: {error}")))?;
        Ok(Some(glob.compile_matcher()))
    }

    /// The reducer a step names: itself, or through a dependency whose module ends with the reducer's name, or
    /// the only reducer there is.
    fn reducer(&self) -> Result<Binding, PlanError> {
        let named = self.node.step_config.reducer_protocol.as_deref();
        let named = named.ok_or_else(|| self.unbound("it names no reducer"))?;
        let modules = self.contract.dependencies.iter().filter(|dependency| {
            dependency.name == named
                || dependency.name == "reducer_protocol"
                || dependency.kind.as_deref() == Some("protocol")
        });
        let from_modules = modules.filter_map(|dependency| dependency.module.as_deref()?.rsplit('.').next());
        let mut candidates = std::iter::once(named).chain(from_modules);
        if let Some(reducer) = candidates.find(|name| self.nodes.reducer(name).is_ok()) {
            return Ok(Binding::Reduce { reducer: reducer.to_owned() });
        }
        match self.nodes.reducer_names().collect::<Vec<_>>()[..] {
            [only] => Ok(Binding::Reduce { reducer: only.to_owned() }),
            _ => Err(self
                .nodes
                .reducer(named)
                .err()
                .map_or_else(|| self.unbound("no reducer"), |source| self.unresolved(source))),
        }
    }

    fn compute(&self) -> Result<Binding, PlanError> {
        let config = &self.node.step_config;
        let binding = match (&config.aggregation_strategy, &config.compute_node) {
            (Some(name), _) => {
                let strategy = AggregationStrategy::of_name(name);
                ComputeBinding::Aggregate(
                    strategy.ok_or_else(|| self.unbound(format!("unknown aggregation strategy `{name}`")))?,
                )
            }
            (None, Some(name)) => {
                self.nodes.compute(name).map_err(|source| self.unresolved(source))?;
                ComputeBinding::Node(name.clone())
            }
            (None, None) => ComputeBinding::PassThrough,
        };
        Ok(Binding::Compute(binding))
    }

    fn topic_of(&self, event_type: &str) -> Result<String, PlanError> {
        let declared =
            self.contract.published_events.iter().find(|event| event.event_type.as_deref() == Some(event_type));
        let topic = declared.and_then(|event| event.topic.as_deref());
        let topic =
            topic.ok_or_else(|| self.unbound(format!("`{event_type}` has no topic under `published_events`")))?;
        let parsed = Topic::parse(topic).map_err(|error| self.unbound(format!("`{topic}` is no topic: {error}")))?;
        Ok(parsed.topic.to_string())
    }

    fn unbound(&self, problem: impl Into<String>) -> PlanError {
        PlanError::Unbound { step: self.node.node_id.clone(), problem: problem.into() }
    }

    fn unresolved(&self, source: onex_node::ResolveError) -> PlanError {
        PlanError::Unresolved { step: self.node.node_id.clone(), source }
    }
}
