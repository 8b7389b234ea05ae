//! A native library in the process of the test. A binary of its own: the tests of `native` count
//! the processes that they start.

mod library;
