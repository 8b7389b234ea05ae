//! Profiles: gas, heap and coverage.

mod coverage;
mod gas;
