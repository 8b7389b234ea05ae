//! Formatting without a heap.

use core::fmt;
use core::mem::MaybeUninit;

/// Text of at most `N` bytes, on the stack. What does not fit is cut, at a character's boundary.
///
/// Nothing here can panic: a program that never panics otherwise shall not link what describes a panic because it logs.
pub(crate) struct TextBuffer<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    length: usize,
    /// How long the text may become: `N`, until something was cut.
    limit: usize,
}

impl<const N: usize> TextBuffer<N> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [MaybeUninit::uninit(); N],
            length: 0,
            limit: N,
        }
    }

    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        let written: *const u8 = self.bytes.as_ptr().cast();
        // SAFETY: `write_str` has initialized the first `length` bytes, which are the array's.
        let written = unsafe { core::slice::from_raw_parts(written, self.length) };
        // SAFETY: `write_str` writes whole characters only.
        unsafe { core::str::from_utf8_unchecked(written) }
    }
}

/// The longest part of the text, from its start, of at most `length` bytes.
#[cold]
fn cut(text: &str, length: usize) -> &str {
    let mut lengths = (0..=length).rev();
    lengths
        .find_map(|length| text.get(..length))
        .unwrap_or_default()
}

impl<const N: usize> fmt::Write for TextBuffer<N> {
    // The trait's other methods come here, and would each have a copy.
    #[inline(never)]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..self.limit);
        let room = room.unwrap_or_default();
        let fitting = if text.len() <= room.len() {
            text
        } else {
            let cut = cut(text, room.len());
            self.limit = self.length + cut.len();
            cut
        };
        for (to, from) in room.iter_mut().zip(fitting.as_bytes()) {
            to.write(*from);
        }
        self.length += fitting.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write;

    use super::TextBuffer;

    #[test]
    fn text_that_fits_is_whole() {
        let mut text = TextBuffer::<8>::new();
        let number = 12;
        write!(text, "{number}-{number:x}").unwrap();
        assert_eq!(text.as_str(), "12-c");
    }

    #[test]
    fn text_is_cut_between_characters_and_stays_cut() {
        let mut text = TextBuffer::<4>::new();
        write!(text, "abc").unwrap();
        write!(text, "é").unwrap();
        write!(text, "d").unwrap();
        assert_eq!(text.as_str(), "abc");
    }
}
