//! Every limit of the loader, at its edge.

mod each_limit;
mod stack;
