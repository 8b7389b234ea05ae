//! The sysvars: what a program can ask about the chain that it runs on.

/// The sysvars of a [`Host`](crate::Host).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sysvars {}
