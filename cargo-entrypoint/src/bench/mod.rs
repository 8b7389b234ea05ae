//! Exact costs in gas and bytes: the same on every computer with the same compiler.
//!
//! | module | contents |
//! |---|---|
//! | [`programs`] | measures programs, called as their fixtures say |
//! | [`results`] | the results of a run, and their JSON |
//! | [`baseline`] | compares results with an earlier run |
//! | [`command`] | what a command does with its results: prints them, compares them, keeps them |
//! | [`table`] | a table for people |

pub mod baseline;
pub mod command;
pub mod programs;
pub mod results;
pub mod table;

/// A row of results, as it is compared with the same row of an earlier run.
pub trait Measured {
    /// The subject of the measurement, for people; unique in its results.
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
    /// The figure of a subject with this name.
    pub fn new(of: impl Into<String>, name: &'static str, value: impl Into<Option<u64>>) -> Self {
        Self {
            of: of.into(),
            name,
            value: value.into(),
        }
    }
}
