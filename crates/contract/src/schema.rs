//! The JSON Schema of `contract.yaml`, for editors and other tools.

use schemars::{Schema, generate::SchemaSettings};

use crate::model::Contract;

/// The schema, draft 2020-12. Unknown keys are allowed, as the reader allows them.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Contract>()
}
