//! The rules for keeping a program's changes.

mod each_rule;
mod random_edits;
