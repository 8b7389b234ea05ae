//! Inspections of blobs.

mod built;
mod by_hand;
mod hostile;
