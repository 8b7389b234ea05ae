//! Formatting without a heap.

use core::fmt;
use core::mem::MaybeUninit;
use core::sync::atomic::{Ordering, compiler_fence};

use abi::report::CUT_MARK;

/// Text of at most `N` bytes, on the stack. It cuts a longer text at a character boundary.
///
/// No method can panic. A program that logs but does not panic otherwise must not link the code
/// that describes a panic.
#[repr(C)]
pub(crate) struct TextBuffer<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    /// Room for the mark behind the longest text.
    _mark: [MaybeUninit<u8>; CUT_MARK.len()],
    length: usize,
    /// A text did not fit. All `N` bytes are then written, the last ones perhaps with a part of a
    /// character.
    is_cut: bool,
}

impl<const N: usize> TextBuffer<N> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [MaybeUninit::uninit(); N],
            _mark: [MaybeUninit::uninit(); CUT_MARK.len()],
            length: 0,
            is_cut: false,
        }
    }

    /// Returns the text, with [`CUT_MARK`] at its end if it was cut.
    #[inline]
    pub(crate) fn finish(&mut self) -> &str {
        if self.is_cut {
            self.add_mark();
        }
        let written: *const u8 = core::ptr::from_ref(self).cast();
        // SAFETY: the bytes are the first field, and `_mark` follows without a gap, as both have
        // alignment 1. `write_str` has initialized the first `length` bytes, or `add_mark` the last
        // of them.
        let written = unsafe { core::slice::from_raw_parts(written, self.length) };
        // SAFETY: `write_str` writes whole characters, except at the end of a text that it cuts.
        // `add_mark` has removed that part. The mark is a character.
        unsafe { core::str::from_utf8_unchecked(written) }
    }

    /// Replaces a part of a character at the end by nothing, and adds the mark, once.
    ///
    /// All this comes at the end, so that a text that fits costs nothing for it.
    #[cold]
    #[inline(never)]
    fn add_mark(&mut self) {
        self.is_cut = false;
        // The last byte that begins a character, and the length of that character.
        let mut start = N;
        let mut length = 0;
        while start > 0 && length == 0 {
            start -= 1;
            let byte = core::ptr::from_ref(self).cast::<u8>().wrapping_add(start);
            // SAFETY: the text was cut, so `write_str` has initialized all bytes. `start` is less
            // than `N`.
            length = match unsafe { byte.read() } {
                0..0x80 => 1,
                0x80..0xC0 => 0,
                0xC0..0xE0 => 2,
                0xE0..0xF0 => 3,
                0xF0.. => 4,
            };
        }
        self.length = if start + length > N { start } else { N };
        let behind: *mut u8 = core::ptr::from_mut(self).cast::<u8>();
        let behind = behind.wrapping_add(self.length);
        // SAFETY: `length` is at most `N`, so as many bytes as the mark has lie behind it in
        // `bytes` and `_mark`. The mark is a constant, which this cannot overlap.
        unsafe { behind.copy_from_nonoverlapping(CUT_MARK.as_ptr(), CUT_MARK.len()) };
        self.length += CUT_MARK.len();
    }
}

impl<const N: usize> fmt::Write for TextBuffer<N> {
    // The trait's other methods call this one, and would each have a copy of it.
    #[inline(never)]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut length = text.len();
        let room = N - self.length;
        if length > room {
            self.is_cut = true;
            length = room;
        }
        let mut to = self
            .bytes
            .as_mut_ptr()
            .wrapping_add(self.length)
            .cast::<u8>();
        let mut from = text.as_ptr();
        let mut left = length;
        while left >= size_of::<u64>() {
            // SAFETY: at least eight bytes of `text` are left. The read needs no alignment.
            let word = unsafe { from.cast::<u64>().read_unaligned() };
            // SAFETY: as many bytes as are left of `text` are left in `bytes`, because `length` is
            // at most `room`. They are borrowed exclusively. The write needs no alignment.
            unsafe { to.cast::<u64>().write_unaligned(word) };
            from = from.wrapping_add(size_of::<u64>());
            to = to.wrapping_add(size_of::<u64>());
            left -= size_of::<u64>();
            // Otherwise the compiler calls `memcpy`, which costs more than it saves for so short
            // texts.
            compiler_fence(Ordering::AcqRel);
        }
        while left > 0 {
            // SAFETY: a byte of `text` is left.
            let byte = unsafe { from.read() };
            // SAFETY: a byte of `bytes` is left, as above.
            unsafe { to.write(byte) };
            from = from.wrapping_add(1);
            to = to.wrapping_add(1);
            left -= 1;
            compiler_fence(Ordering::AcqRel);
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
        assert_eq!(text.finish(), "12-c");
        write!(text, "four").unwrap();
        assert_eq!(text.finish(), "12-cfour");
        write!(text, "").unwrap();
        assert_eq!(text.finish(), "12-cfour");
        write!(text, "!").unwrap();
        write!(text, "?").unwrap();
        assert_eq!(text.finish(), "12-cfour…");
    }

    #[test]
    fn text_is_cut_between_characters_and_stays_cut() {
        let mut text = TextBuffer::<4>::new();
        write!(text, "abc").unwrap();
        write!(text, "é").unwrap();
        write!(text, "d").unwrap();
        assert_eq!(text.finish(), "abc…");
        assert_eq!(text.finish(), "abc…");
        // Whole characters of each length, and each part of one.
        for (given, shown) in [
            ("éé+", "éé…"),
            ("aéé", "aé…"),
            ("a漢+", "a漢…"),
            ("aa漢", "aa…"),
            ("aaa漢", "aaa…"),
            ("🦀+", "🦀…"),
            ("a🦀", "a…"),
            ("aa🦀", "aa…"),
            ("aaaaa", "aaaa…"),
        ] {
            let mut text = TextBuffer::<4>::new();
            write!(text, "{given}").unwrap();
            assert_eq!(text.finish(), shown);
        }
    }
}
