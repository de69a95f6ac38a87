//! A state machine engine driven by the contract, and the registration reducer.
