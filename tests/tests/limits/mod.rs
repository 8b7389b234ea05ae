//! Every limit of the loader, at its edge.

mod contract;
mod each_limit;
mod stack;
