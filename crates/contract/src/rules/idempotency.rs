//! ONEX0044: an effect that must not be repeated is retried: an operation says `idempotent: false`, and the
//! contract's retry policy tries failed operations again. A lost answer would do it twice (E-05).

use serde_json::Value;

use super::{Finding, Rule};
use crate::model::Contract;
use crate::path::KeyPath;

pub(super) const RETRIED: Rule = Rule::of_contract(
    "ONEX0044",
    "an operation that must not be repeated is retried",
    "make the operation idempotent, or set `max_retries: 0`",
    retried_operations,
)
.warning();

fn retried_operations(contract: &Contract) -> Vec<Finding> {
    let policy = contract.error_handling.as_ref().and_then(|handling| handling.retry_policy.as_ref());
    let retries = policy.and_then(|policy| policy.max_retries).unwrap_or(0);
    let operations = contract.io_operations.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if retries == 0 {
        return Vec::new();
    }
    let unsafe_ones =
        operations.iter().enumerate().filter(|(_, operation)| operation["idempotent"] == Value::Bool(false));
    unsafe_ones
        .map(|(index, operation)| {
            let name = ["operation", "name", "operation_type"].iter().find_map(|key| operation[*key].as_str());
            let message =
                format!("`{}` is not idempotent and is retried {retries} times", name.unwrap_or("an operation"));
            let path = KeyPath::of(&["io_operations"]).index(index).key("idempotent");
            Finding::at_value(RETRIED.finding(path, message))
        })
        .collect()
}
