//! Profiles account for every unit of gas.

mod gas;
