//! The JSON Schema of `contract.yaml`, for editors and other tools: whatever is read without an error of shape is
//! valid by it, and nothing else.

mod spelling;

use schemars::{Schema, generate::SchemaSettings};

use crate::model::Contract;

/// The schema, draft 2020-12. Unknown keys are allowed, as the reader allows them.
pub fn schema() -> Schema {
    let mut schema = plain();
    spelling::allow_all(&mut schema);
    schema
}

/// The schema with one spelling of each key.
pub(crate) fn plain() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Contract>()
}
