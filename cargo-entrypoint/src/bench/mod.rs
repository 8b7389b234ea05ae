//! Exact costs in gas and bytes: the same on every computer with the same compiler.
//!
//! | module | measures |
//! |---|---|
//! | [`entry`] | what it costs to come to a program's function and back, beside other projects' entries |
//! | [`allocators`] | what allocators cost, beside those of other projects |
//! | [`size`] | how long blobs are |
//! | [`programs`] | programs, called as their fixtures say |
//!
//! [`results`] has the results of a run, [`baseline`] compares them with an earlier run.

pub mod allocators;
pub mod baseline;
pub mod entry;
pub mod marked;
pub mod programs;
pub mod readme;
pub mod results;
pub mod size;

/// A row of a suite, as it is compared with the same row of an earlier run.
pub trait Measured {
    /// The subject of the measurement, for people; unique in its suite.
    fn subject(&self) -> String;

    /// Whether this project, or the author of the measured program, is responsible for the figures.
    fn is_ours(&self) -> bool;

    /// The figures, always the same ones in the same order.
    fn figures(&self) -> Vec<Figure>;

    /// The program's behaviour, if the figures mean nothing without it.
    fn behaviour(&self) -> Option<String> {
        None
    }
}

/// A figure, which is the better the smaller it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The subject. Several rows may have the same figure, such as the length of one blob.
    pub of: String,
    /// Its name.
    pub name: &'static str,
    /// `None` if it could not be had.
    pub value: Option<u64>,
}

impl Figure {
    pub(crate) fn new(
        of: impl Into<String>,
        name: &'static str,
        value: impl Into<Option<u64>>,
    ) -> Self {
        Self {
            of: of.into(),
            name,
            value: value.into(),
        }
    }
}
