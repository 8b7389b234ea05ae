//! Formatting without a heap.

use core::fmt;
use core::mem::MaybeUninit;

/// Text of at most `N` bytes, on the stack. What does not fit is cut, at a character's boundary.
///
/// Nothing here can panic: a program that does not panic otherwise shall not link what describes a panic because it logs.
pub(crate) struct TextBuffer<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    length: usize,
    /// Something did not fit; nothing is written any more.
    is_full: bool,
}

impl<const N: usize> TextBuffer<N> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [MaybeUninit::uninit(); N],
            length: 0,
            is_full: false,
        }
    }

    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        let written: *const u8 = self.bytes.as_ptr().cast();
        // SAFETY: `write_str` has initialized the first `length` bytes.
        let written = unsafe { core::slice::from_raw_parts(written, self.length) };
        // SAFETY: `write_str` writes whole characters only.
        unsafe { core::str::from_utf8_unchecked(written) }
    }
}

impl<const N: usize> fmt::Write for TextBuffer<N> {
    // The trait's other methods come here, and would each have a copy.
    #[inline(never)]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_full {
            return Ok(());
        }
        let mut length = text.len();
        let room = N - self.length;
        if length > room {
            self.is_full = true;
            length = room;
            while !text.is_char_boundary(length) {
                length -= 1;
            }
        }
        // Neither is ever `None`.
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let bytes = text.as_bytes().get(..length).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(bytes) {
            to.write(*from);
        }
        self.length += length;
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
