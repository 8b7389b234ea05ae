//! The rules by which the loader keeps a program's changes.

mod each_rule;
mod random_edits;
