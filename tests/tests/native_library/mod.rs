//! Native libraries, read without running them.

mod library;
