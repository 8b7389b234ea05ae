//! Profiles: gas and heap.

mod gas;
