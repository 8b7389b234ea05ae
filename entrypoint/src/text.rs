//! Formatting without a heap.

use core::fmt;
use core::mem::MaybeUninit;

/// Text of at most `N` bytes, on the stack. It cuts a longer text at a character boundary.
///
/// No method can panic. A program that logs but does not panic otherwise must not link the code
/// that describes a panic.
pub(crate) struct TextBuffer<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    length: usize,
    /// A text did not fit. Later writes are ignored.
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
        // SAFETY: `write_str` has initialized the first `length` bytes, which belong to one array.
        let written = unsafe { core::slice::from_raw_parts(written, self.length) };
        // SAFETY: `write_str` writes only whole characters, so the bytes are valid UTF-8.
        unsafe { core::str::from_utf8_unchecked(written) }
    }
}

impl<const N: usize> fmt::Write for TextBuffer<N> {
    // The trait's other methods call this one, and would each have a copy of it.
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
        // Neither is `None`: `self.length` is at most `N`, and `length` at most `text.len()`.
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
