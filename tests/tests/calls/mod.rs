//! Calls from one program to another.

mod accounts;
mod depth;
mod engines;
mod failures;
mod gas;
mod host;
mod lengths;
mod machine;
mod model;
mod rules;
mod success;
mod wild;
mod wild_load;
mod wild_siblings;
mod work;
