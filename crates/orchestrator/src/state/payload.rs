//! Decides how much a run may carry: one step's output and all of them together are bounded, since every output is
//! kept as long as the run lives (O-57, O-58).

use std::io::{self, Write};

use onex_node::{ErrorClass, Failure, StepResult};
use serde_json::Value;

use super::RunState;
use crate::plan::Binding;

/// Bytes of a value as JSON.
pub(super) fn size(value: &Value) -> u64 {
    let mut count = Count(0);
    let written = serde_json::to_writer(&mut count, value);
    written.map_or(u64::MAX, |()| count.0)
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl RunState {
    /// The result of a step, failed when its output is too large. What a step receives is bounded where it comes
    /// in.
    pub(super) fn bounded(&mut self, index: usize, result: StepResult) -> StepResult {
        let StepResult::Done(output) = &result else { return result };
        if matches!(self.plan.steps[index].binding, Binding::Receive { .. }) {
            return result;
        }
        let bytes = size(output);
        match self.too_large(index, bytes) {
            Some(failure) => StepResult::Failed { failure, output: Value::Null },
            None => {
                self.payload_bytes += bytes;
                result
            }
        }
    }

    fn too_large(&self, index: usize, bytes: u64) -> Option<Failure> {
        let (limits, step) = (self.limits(), &self.plan.steps[index].id);
        let refused = |code, message: String| {
            Some(Failure::new(ErrorClass::Validation, code, message).named("PayloadTooLargeError"))
        };
        if bytes > limits.step_payload_bytes {
            let most = limits.step_payload_bytes;
            return refused(
                "ONEX3015",
                format!("the output of step `{step}` has {bytes} bytes, at most {most} may be"),
            );
        }
        let (total, most) = (self.payload_bytes + bytes, limits.run_payload_bytes);
        if total > most {
            let message =
                format!("with the output of step `{step}` the run would carry {total} bytes, at most {most} may be");
            return refused("ONEX3016", message);
        }
        None
    }
}
