//! Splitting an arena into its two ends, so that safe code can rewind one of them.

use core::ops::Deref;

use super::{Arena, BottomMark, RewindError, TopHandle};

/// The bottom end of an arena, with one owner, who can rewind it without `unsafe`.
///
/// [`Arena::split`] returns it, with a handle for the top. Blocks at the bottom then come through
/// it and borrow it, and [`rewind`](Self::rewind) takes it by `&mut`. Blocks at the top borrow only
/// the arena, and stay.
///
/// It dereferences to `Arena`.
#[cfg_attr(
    feature = "alloc",
    doc = "
```
use allocator::Arena;
use allocator_api2::vec::Vec;

let mut arena = Arena::with_capacity(1024);
let (mut bottom, top) = arena.split();
let mut longest_words = Vec::new_in(top);
for line in [\"pear quince\", \"fig medlar plum\"] {
    let start = bottom.bottom_mark();
    let mut words = Vec::new_in(bottom.bottom_handle());
    words.extend(line.split(' '));
    words.sort_by_key(|word| word.len());
    longest_words.extend(words.pop());
    drop(words);
    bottom.rewind(start)?;
}
assert_eq!(longest_words, [\"quince\", \"medlar\"]);
assert_eq!(bottom.bottom_used(), 0);
# Ok::<(), allocator::RewindError>(())
```

Nothing at the bottom outlives a rewind:

```compile_fail
# use allocator::Arena;
# use allocator_api2::vec::Vec;
# let mut arena = Arena::with_capacity(64);
let (mut bottom, _) = arena.split();
let start = bottom.bottom_mark();
let mut numbers = Vec::new_in(bottom.bottom_handle());
numbers.push(7);
bottom.rewind(start).unwrap(); // `bottom` is still borrowed
assert_eq!(numbers[0], 7);
```
"
)]
///
/// There is only one, and no other access to the bottom:
///
/// ```compile_fail
/// # use allocator::{Arena, StaticBuffer};
/// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
/// # let mut arena = Arena::from_static_buffer(BUFFER.take().unwrap());
/// let (mut bottom, _) = arena.split();
/// let start = bottom.bottom_mark();
/// let value = arena.alloc_bottom_value(7).unwrap(); // `arena` is still borrowed
/// bottom.rewind(start).unwrap();
/// ```
///
/// ```compile_fail
/// # use allocator::{Arena, StaticBuffer};
/// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
/// # let mut arena = Arena::from_static_buffer(BUFFER.take().unwrap());
/// let value = arena.alloc_bottom_value(7).unwrap();
/// let start = arena.bottom_mark();
/// let seven: &i32 = value.get(&arena).unwrap();
/// let (mut bottom, _) = arena.split(); // `arena` is still borrowed
/// bottom.rewind(start).unwrap();
/// assert_eq!(*seven, 7);
/// ```
///
/// ```compile_fail
/// # use allocator::{Arena, StaticBuffer};
/// # static BUFFER: StaticBuffer<64> = StaticBuffer::new();
/// # let mut arena = Arena::from_static_buffer(BUFFER.take().unwrap());
/// let (bottom, _) = arena.split();
/// let second = bottom.clone(); // which could be rewound under what `bottom` has taken
/// ```
#[derive(Debug)]
pub struct BottomEnd<'arena> {
    /// The only shared reference to the arena in safe code while its `&mut` is lent to `split`.
    arena: &'arena Arena,
}

impl Arena {
    /// Splits the arena into a bottom end, which safe code can rewind, and a handle for the top.
    ///
    /// Collections at the top stay when the bottom is rewound.
    #[must_use]
    pub fn split(&mut self) -> (BottomEnd<'_>, TopHandle<'_>) {
        let arena = &*self;
        (BottomEnd { arena }, arena.top_handle())
    }
}

impl BottomEnd<'_> {
    /// Frees the blocks of the bottom end since the mark, like [`Arena::rewind_bottom`].
    ///
    /// An epoch begins if that frees a value with an [`ArenaHandle`](super::ArenaHandle).
    ///
    /// # Errors
    ///
    /// See [`RewindError`]. After an error the arena is unchanged.
    pub fn rewind(&mut self, mark: BottomMark) -> Result<(), RewindError> {
        // SAFETY: no block of the bottom, and no reference to a value in it, is used any more.
        // Blocks and references from before `split` borrowed the arena, which `split` took by
        // `&mut`. Since then safe code accesses the arena only through the `Deref` of this type (a
        // `TopHandle` does not expose it), so later blocks and references borrow `self`, which is
        // `&mut` here. Only unsafe code uses pointers without a borrow, and it must ensure that
        // they are valid.
        unsafe { self.arena.rewind_bottom(mark) }
    }
}

impl Deref for BottomEnd<'_> {
    type Target = Arena;

    #[inline]
    fn deref(&self) -> &Arena {
        // The result lives as long as the borrow of `self`, not as long as that of the arena. The
        // proof of `rewind` needs that.
        self.arena
    }
}
