//! Where a program ended.
//!
//! A [`Failure`] names the function in which the program ended, which may be one of the standard
//! library that the author's code called. A profile of the same invocation knows every call, and
//! the ELF file the paths of what is inlined.

use std::fmt;

use loader::display::{escape_control, is_foreign, short_path};
use loader::profile::Profiled;
use loader::{Failure, SourceLocation};

use super::costs::Frame;
use super::inlining::Inlining;
use super::sources::Sources;

/// The most frames that are shown. Of more, those in the middle are left out.
const SHOWN: usize = 8;

/// The frames at the end of what is shown, if there are more.
const SHOWN_AT_END: usize = 2;

/// The place where a program ended: the innermost line of the author's own source, and the path
/// from there inwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The author's own first.
    path: Vec<Frame>,
}

impl End {
    /// The end of a profiled invocation; `None` if no line is the author's own, or if the place is
    /// known already.
    #[must_use]
    pub fn of(profiled: &Profiled, inlining: &Inlining, sources: &mut Sources) -> Option<Self> {
        if !needs_place(profiled.outcome.failure.as_ref()?, sources) {
            return None;
        }
        let stack: Vec<_> = profiled.end.iter().collect();
        let stack = inlining.complete(&stack);
        let own = |is_own: &mut dyn FnMut(&str) -> bool| {
            stack.iter().rposition(|frame| {
                let location = frame.location.as_ref();
                location.is_some_and(|location| is_own(&location.file))
            })
        };
        // The sources of a blob are not known.
        let position = own(&mut |file| sources.is_own(file));
        let position = position.or_else(|| own(&mut |file| !is_foreign(file)))?;
        let end = match profiled.outcome.failure {
            // The frames inside are those of the call itself.
            Some(Failure::InvalidCall(_) | Failure::SyscallFailed { .. }) => position + 1,
            _ => stack.len(),
        };
        Some(Self {
            path: stack[position..end].to_vec(),
        })
    }

    /// The function and the line of the author's own source; `None` if the line is one of several.
    #[must_use]
    pub fn own(&self) -> Option<(String, SourceLocation)> {
        let own = self.path.first().filter(|own| own.or_lines.is_empty())?;
        let location = own.location.clone()?;
        let file = short_path(&location.file).to_owned();
        Some((own.function.clone(), SourceLocation { file, ..location }))
    }
}

/// Whether a failure does not tell where the author's own code caused it.
fn needs_place(failure: &Failure, sources: &mut Sources) -> bool {
    match failure {
        Failure::OutOfGas { .. }
        | Failure::OutOfMemory { .. }
        | Failure::HeapNotAnnounced { .. }
        | Failure::Aborted
        | Failure::Trapped { .. }
        | Failure::StackOverflow { .. }
        | Failure::InvalidPointer { .. }
        | Failure::LogsTooLong { .. }
        | Failure::ReturnDataTooLong { .. }
        | Failure::InvalidCall(_)
        | Failure::SyscallFailed { .. } => true,
        Failure::Panicked {
            location: Some(location),
            ..
        } => sources.are_known() && !sources.is_own(&location.file),
        Failure::Panicked { .. } => true,
        _ => false,
    }
}

/// A line for each frame: the place, and the function.
impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.path.len();
        let is_shown = |index: usize| {
            count <= SHOWN || index < SHOWN - SHOWN_AT_END || index + SHOWN_AT_END >= count
        };
        for (index, frame) in self.path.iter().enumerate() {
            if is_shown(index) {
                let end = if index + 1 == count { "" } else { "\n" };
                write!(formatter, "{}{end}", describe(frame))?;
            } else if is_shown(index - 1) {
                writeln!(formatter, "… {} more", count - SHOWN)?;
            }
        }
        Ok(())
    }
}

fn describe(frame: &Frame) -> String {
    let function = escape_control(&frame.function);
    let Some(location) = &frame.location else {
        return function;
    };
    let mut place = SourceLocation {
        file: short_path(&location.file).to_owned(),
        ..location.clone()
    }
    .to_string();
    for line in &frame.or_lines {
        place += &format!(" or {line}");
    }
    format!("{place} in {function}")
}
