//! Verdicts of the check before a program is deployed.
