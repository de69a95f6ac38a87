//! Pure steps bound from the contract: aggregation strategies and templates.
