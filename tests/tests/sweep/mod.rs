//! Sweeps over every limit of gas and heap.

mod each_problem;
