//! Native libraries, read in the process of the test. This is a binary of its own, because the
//! tests of `native` count the child processes of theirs.

mod library;
