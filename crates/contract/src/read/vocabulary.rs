//! Keys that ONEX contracts are known to carry and that this runtime leaves to other tools: the fields of the
//! public models and what real contracts write. Sorted; names only, what they mean is in the models.

/// Whether a key is part of the known language.
pub(super) fn is_known(key: &str) -> bool {
    KEYS.binary_search(&key).is_ok()
}

/// Keys near which a misspelt one may stand.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().copied()
}

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "acks", "acks_zero_acknowledged", "action_config", "action_emission", "action_name", "action_type", "actions",
    "adapter", "adapters", "adjudicator_node", "aggregation_strategy", "algorithm_type", "allow_partial_completion",
    "applicable_node_types", "async_processing", "atomic", "audit_trail_enabled", "author", "auto_offset_reset",
    "auto_provisioning_enabled", "auto_retry", "auto_retry_enabled", "available_compute_nodes", "backend", "backends",
    "backoff_multiplier", "backoff_strategy", "backup_config", "backup_enabled", "base_delay_ms",
    "base_delay_seconds", "batch_operation_max_s", "batch_processing", "batch_size", "batch_timeout_ms",
    "behavior_spec", "body_template", "branch_merge_strategy", "buffer_size", "build_routing_table", "cache_enabled",
    "cache_ttl_s", "calculation_method", "can_run_parallel", "capabilities", "capability_inputs",
    "capability_outputs", "changelog", "check_interval_ms", "checkpoint_enabled", "checkpoint_interval_ms", "checks",
    "checksum", "circuit_breaker", "circuit_breaker_enabled", "circuit_breaker_recovery_timeout_s",
    "circuit_breaker_threshold", "circuit_breaker_timeout_s", "class", "class_name", "cleanup_timeout_s",
    "compression", "compute_node", "concurrency_policy", "concurrent_transitions_allowed",
    "condition_evaluation_strategy", "condition_name", "condition_timeout_ms", "condition_type",
    "conditional_branching", "conditions", "config", "configuration", "conflict_resolution",
    "conflict_resolution_strategy", "connection_config", "connection_name", "consistency_check_enabled",
    "consistency_validation_enabled", "constraint_definitions", "consumed_events", "consumer_group",
    "consumer_purpose", "container_status", "content_type", "continue_on_error", "contract_name", "contract_ref",
    "contract_version", "coordination_rules", "coordination_strategy", "copyright", "correlation_enabled",
    "correlation_id", "correlation_timeout_ms", "cpu_limit_percent", "create_dirs", "created",
    "database_query_timeout_ms", "db_io", "dead_letter", "dead_letter_enabled", "deadlock_retry_count",
    "decision_points", "deduplication_enabled", "deduplication_window_ms", "default_backend",
    "default_branch_enabled", "default_circuit_breaker", "default_handler", "default_retry_policy", "default_value",
    "default_workflow_timeout_ms", "delivery_guarantee", "dependencies", "dependency_aware_emission",
    "dependency_ownership", "dependency_resolution_enabled", "dependency_type", "depends_on", "description",
    "descriptor", "destination_path_template", "detect_cycles", "deterministic", "deterministic_execution",
    "deterministic_seed", "direct_handler", "discovery_enabled", "discovery_phase", "discriminator_value",
    "dispatch_strategy", "dlq_topics", "documentation_url", "dod_evidence", "duplicate_detection_enabled",
    "edge_type", "effect", "effect_node", "effect_nodes", "effect_operations", "emission_strategy",
    "emit_dependency_graph", "emit_metrics", "emit_step_metrics", "emit_workflow_events", "enabled", "encoding",
    "endpoint", "entry_actions", "entry_point", "env_dependencies", "env_var", "environment", "error_action",
    "error_code", "error_codes", "error_handling", "error_message", "error_recovery_enabled", "error_sanitization",
    "error_states", "error_types", "event_bus", "event_bus_enabled", "event_bus_type", "event_categories",
    "event_coordination", "event_definitions", "event_filters", "event_id", "event_logging", "event_logging_enabled",
    "event_metrics_enabled", "event_model", "event_name", "event_pattern", "event_registry", "event_routing",
    "event_schema_version", "event_system", "event_tracing_enabled", "event_type", "event_version", "events",
    "execution", "execution_constraints", "execution_delay_ms", "execution_graph", "execution_id", "execution_mode",
    "execution_order", "execution_timeout_ms", "exit_actions", "exponential_backoff", "exponential_base",
    "expression", "external_publisher", "external_service", "external_service_timeout_ms", "external_services",
    "externally_consumed_topics", "extract_fields", "extraction_engine", "fail_fast", "fail_on_cycle",
    "fail_on_empty", "failure_isolation_enabled", "failure_rate_threshold", "failure_recovery_strategy",
    "failure_threshold", "failure_topic", "feature_flags", "fetch_size", "file_path_template", "file_system",
    "filter_conditions", "follow_redirects", "from_node", "from_state", "fsm", "full_topic_pattern", "function",
    "future", "gateway_forwarder", "golden_path", "guard_conditions", "half_open_max_calls", "half_open_max_requests",
    "half_open_requests", "handler", "handler_class", "handler_dependencies", "handler_function", "handler_id",
    "handler_key", "handler_method", "handler_module", "handler_routing", "handler_type", "handlers", "hash_fields",
    "headers", "health_check", "health_check_enabled", "health_check_interval_s", "idempotency", "idempotent",
    "idempotent_operations", "incremental_processing", "infrastructure", "infrastructure_services",
    "initial_delay_ms", "initial_state", "initialization_timeout_s", "input", "input_fields", "input_model",
    "input_schema", "input_state", "input_subscriptions", "input_validation", "input_validation_enabled", "inputs",
    "intent_consumption", "intent_emission", "intent_filter", "intent_routing_table", "intent_type",
    "intermediate_result_caching", "internal_handler", "interval_seconds", "invariants", "io_config", "io_operations",
    "is_atomic", "is_critical", "is_recoverable", "is_terminal", "isolation_level", "isolation_policy",
    "jitter_enabled", "jitter_factor", "key", "key_field", "kind", "library", "license", "lifecycle",
    "linter_contract", "load_balancing_enabled", "load_intent_routing_table", "lock_timeout_seconds", "log_request",
    "log_response", "max_attempts", "max_branch_depth", "max_checkpoints", "max_concurrency", "max_concurrent_events",
    "max_concurrent_workflows", "max_cpu_cores", "max_deferred_thunks", "max_delay_ms", "max_delay_seconds",
    "max_memory_mb", "max_parallel", "max_parallel_branches", "max_parallel_instances", "max_parallel_steps",
    "max_queue_size", "max_response_time_ms", "max_retries", "max_timeout_seconds", "mcp", "memory_limit_mb",
    "memory_management", "memory_optimization_enabled", "message_category", "metadata", "metadata_model", "method",
    "metrics_collection_enabled", "min_required_steps_completion_percent", "minimum_request_threshold", "mode",
    "model_attributes_type", "model_concurrency_aware", "model_post_init", "model_purpose", "model_routing", "module",
    "monitoring_enabled", "name", "nested_branching_enabled", "node", "node_archetype", "node_capabilities",
    "node_coordination_timeout_ms", "node_id", "node_name", "node_requirements", "node_type", "node_version", "nodes",
    "nondeterministic_allowed_phases", "normalization_method", "observability", "observability_level", "on_demand",
    "operation", "operation_name", "operation_timeout_ms", "operation_type", "operations", "optional",
    "optional_data", "order_index", "order_preserving", "ordering_guaranteed", "ordering_policy", "ordering_required",
    "output", "output_events", "output_fields", "output_model", "output_models", "output_state",
    "output_transformation", "output_type", "output_validation_enabled", "outputs", "parallel_checks",
    "parallel_execution_allowed", "parallel_execution_enabled", "parallel_group", "parallel_processing",
    "partial_failure_handling", "partial_results_enabled", "partition_key_template", "payload_fields",
    "payload_model", "payload_module", "payload_template", "payload_type", "payload_type_match", "per_backend",
    "performance", "performance_validation_enabled", "permissions", "persistence_config", "persistence_enabled",
    "pluggable", "plugin_managed", "precision_digits", "primary_events", "priority", "priority_based_emission",
    "profile_tags", "projection_api", "projection_name", "projection_reader_timeout_ms", "protocol",
    "protocol_dependencies", "protocol_interfaces", "protocol_method", "publish_events", "publish_topics",
    "published_events", "purity", "query_params", "query_template", "queue_overflow_strategy", "read_only",
    "recovery_enabled", "recovery_threshold", "recursive", "reducer_protocol", "reduction_operations",
    "registry_endpoint", "request_response", "required", "required_data", "requires_atomic_execution",
    "reset_timeout_ms", "reset_timeout_seconds", "resource_constraints", "response_handling",
    "result_caching_enabled", "retry_attempts", "retry_backoff_ms", "retry_backoff_multiplier", "retry_count",
    "retry_delay_ms", "retry_enabled", "retry_failed_thunks", "retry_on", "retry_policies", "retry_policy",
    "retry_strategy", "retryable_errors", "retryable_status_codes", "rollback_action", "rollback_enabled",
    "rollback_on_error", "rollback_transitions", "routes", "routing_config", "routing_field", "routing_key",
    "routing_strategy", "runtime_profiles", "schema_ref", "security", "security_enabled", "selection_policy",
    "semantic_intent", "service", "service_configuration", "service_id", "service_name", "service_version",
    "side_effect", "side_effect_logging_enabled", "signed_ingress_topics", "single_operation_max_ms", "skill_surface",
    "skip_condition", "skip_on_failure", "slow_call_duration", "slow_call_rate", "state_decision_matrix",
    "state_machine", "state_machine_name", "state_machine_version", "state_management", "state_model",
    "state_monitoring", "state_monitoring_enabled", "state_name", "state_persistence_enabled", "state_transitions",
    "state_type", "states", "status", "step_config", "step_id", "step_name", "step_timeout_ms", "step_type",
    "strategy", "strict_mode", "strict_typing_enabled", "strict_validation", "strict_validation_enabled",
    "sub_handler_dependencies", "subcontract_name", "subcontract_version", "subscribe_events", "subscribe_topics",
    "subscribed_intents", "success_codes", "success_threshold", "success_topic", "supported_operations",
    "supports_rollback", "synchronization_points", "tags", "target_node_type", "target_pattern", "target_topic",
    "terminal_event", "terminal_states", "testing", "throughput_min_ops_per_second", "tie_breakers", "time_injection",
    "timeout_evaluation", "timeout_ms", "timeout_per_attempt", "timeout_seconds", "title", "to_node", "to_state",
    "tool_name", "tool_specification", "topic", "topic_base", "topic_config", "topic_pattern", "topic_suffix",
    "topics", "trace_propagation", "transaction", "transaction_management", "transformations", "transition_name",
    "transition_timeout_ms", "transitions", "trigger", "trigger_mappings", "type", "updated", "url_template", "uuid",
    "validation", "validation_enabled", "validation_rules", "verify_ssl", "version", "window_size",
    "window_size_seconds", "workflow_coordination", "workflow_definition", "workflow_hash", "workflow_metadata",
    "workflow_name", "workflow_persistence_enabled", "workflow_version", "yaml_consumed_events",
    "yaml_published_events",
];

#[cfg(test)]
mod tests {
    use super::KEYS;

    #[test]
    fn keys_are_sorted_and_once() {
        assert!(KEYS.is_sorted_by(|left, right| left < right));
    }
}
