//! The two ends apart, so that safe code can rewind one of them.

use core::ops::Deref;

use super::{Arena, BottomMark, RewindError, TopHandle};

/// The bottom end of an arena, in the hands of one owner, who can rewind it without `unsafe`.
///
/// [`Arena::split`] makes it, with a handle for the top. What is taken from the bottom meanwhile is taken
/// through it and borrows it, and [`rewind`](Self::rewind) asks for it by `&mut`. What is at the top borrows
/// only the arena, and stays.
///
/// It is used like a `&Arena`, which it dereferences to.
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
/// There is one of it, and no other way to the bottom:
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
    /// The one shared reference to the arena that safe code can get at, while its `&mut` is lent to `split`.
    arena: &'arena Arena,
}

impl Arena {
    /// The bottom end, to be rewound in safe code, and a handle for collections at the top that stay
    /// through that.
    #[must_use]
    pub fn split(&mut self) -> (BottomEnd<'_>, TopHandle<'_>) {
        let arena = &*self;
        (BottomEnd { arena }, arena.top_handle())
    }
}

impl BottomEnd<'_> {
    /// Frees what the bottom end has taken since the mark was made, as
    /// [`Arena::rewind_bottom`] does: an epoch begins if the value behind an
    /// [`ArenaHandle`](super::ArenaHandle) is freed.
    ///
    /// # Errors
    ///
    /// See [`RewindError`]. Whatever it is, the arena is as it was.
    pub fn rewind(&mut self, mark: BottomMark) -> Result<(), RewindError> {
        // SAFETY: no block of the bottom and no reference to a value in it is used any more. What was made
        // before `split` borrowed the arena, which `split` asked for by `&mut`; since then the arena is
        // reached through this type's `Deref` alone (a `TopHandle` does not show it), so what was made
        // since borrows `self`, which is `&mut` here. Pointers that borrow nothing are used by unsafe code
        // alone, which has to see to it that they are valid.
        unsafe { self.arena.rewind_bottom(mark) }
    }
}

impl Deref for BottomEnd<'_> {
    type Target = Arena;

    #[inline]
    fn deref(&self) -> &Arena {
        // For as long as `self` is borrowed, and not for as long as the arena is: `rewind` relies on that.
        self.arena
    }
}
