//! Which failures are crashes, and which two are the same.

use loader::{Failure, SourceLocation};

/// What makes two crashes the same: the kind, and the place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Crash {
    /// The failure's kind.
    pub kind: &'static str,
    /// The source line, or else the program counter.
    place: Option<String>,
}

impl Crash {
    /// The crash of a failure; `None` if the failure is expected of some inputs: an error that the
    /// program returns, a change that the loader rejects, a lack of gas.
    pub fn of(failure: &Failure) -> Option<Self> {
        let failure = failure.cause();
        let place = match failure {
            Failure::Panicked { location, .. } => location.as_ref().map(line),
            Failure::Trapped {
                program_counter, ..
            }
            | Failure::StackOverflow {
                program_counter, ..
            } => program_counter.map(|counter| format!("{counter:#x}")),
            Failure::InvalidPointer { import, .. } => Some(format!("{import:?}")),
            Failure::OutOfMemory { .. } | Failure::HeapNotAnnounced { .. } | Failure::Aborted => {
                None
            }
            _ => return None,
        };
        Some(Self {
            kind: failure.kind(),
            place,
        })
    }
}

fn line(location: &SourceLocation) -> String {
    format!("{}:{}", location.file, location.line)
}

#[cfg(test)]
mod tests {
    use loader::ProgramError;

    use super::*;

    #[test]
    fn expected_failures_are_not_crashes() {
        let error = ProgramError::InvalidArgument;
        assert_eq!(Crash::of(&Failure::ProgramError { error }), None);
        let panicked = |line| Failure::Panicked {
            message: None,
            location: Some(SourceLocation {
                file: "src/lib.rs".to_owned(),
                line,
                column: None,
            }),
        };
        let crash = Crash::of(&panicked(3));
        assert!(crash.is_some());
        assert_eq!(crash, Crash::of(&panicked(3)));
        assert_ne!(crash, Crash::of(&panicked(4)));
        assert!(Crash::of(&Failure::Aborted).is_some());
    }
}
