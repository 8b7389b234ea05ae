//! The bytes of an account, which clones share.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};

use once_cell::race::OnceBox;

/// Bytes that are copied together when one of them changes.
const PAGE: usize = 4_096;

/// Shorter data is copied as a whole.
const MIN_PATCHED: usize = 64 << 10;

/// With more changed pages than this, the data becomes whole again, with one copy of all bytes.
/// Until then each change copies the list of the pages.
const MAX_PAGES: usize = 64;

/// The data of an account: a vector that clones share until one of them changes.
///
/// An account can have 10 MiB of data, and a host keeps it in several places: in its ledger, in an
/// invocation, in an outcome. A clone costs the same for any length. [`write`](Self::write) copies
/// only some pages of long data, and the clone shares the others. Everything else that can change
/// bytes, by way of `DerefMut`, copies all of them first.
///
/// ```
/// use abi::host::Data;
///
/// let before = Data::from(vec![0; 1 << 20]);
/// let mut after = before.clone();
/// assert!(after.shares_with(&before));
/// after.write(4_000, &[1; 200]);
/// assert_eq!(after[4_199..4_201], [1, 0]);
/// assert_eq!(before[4_199], 0);
/// ```
#[derive(Clone)]
pub struct Data(Bytes);

#[derive(Clone)]
enum Bytes {
    Whole(Arc<Vec<u8>>),
    /// As many bytes, but some pages are others.
    Patched(Arc<Patched>),
}

struct Patched {
    /// The bytes of all other pages.
    base: Arc<Vec<u8>>,
    /// The changed pages, by their numbers. The last page of the data may be shorter.
    pages: BTreeMap<usize, Arc<[u8]>>,
    /// All bytes together, if they were needed.
    whole: OnceBox<Vec<u8>>,
}

impl Patched {
    fn whole(&self) -> &Vec<u8> {
        self.whole.get_or_init(|| Box::new(self.to_whole()))
    }

    fn to_whole(&self) -> Vec<u8> {
        let mut bytes = Vec::clone(&self.base);
        for (number, page) in &self.pages {
            bytes[number * PAGE..][..page.len()].copy_from_slice(page);
        }
        bytes
    }
}

impl Data {
    /// No bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base().len()
    }

    /// Whether its length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are clones of each other, of which none has changed. Then their bytes are
    /// equal, and this says so without a look at them.
    #[must_use]
    pub fn shares_with(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Bytes::Whole(one), Bytes::Whole(other)) => Arc::ptr_eq(one, other),
            (Bytes::Patched(one), Bytes::Patched(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// The bytes as a vector. Copies them, if a clone shares them.
    ///
    /// ```
    /// # use abi::host::Data;
    /// assert_eq!(Data::from([1, 2]).into_vec(), vec![1, 2]);
    /// ```
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::Whole(bytes) => Arc::unwrap_or_clone(bytes),
            Bytes::Patched(patched) => patched.whole().clone(),
        }
    }

    /// Copies bytes from an offset on into a buffer. Unlike an index, this never copies others.
    ///
    /// ```
    /// # use abi::host::Data;
    /// let mut buffer = [0; 2];
    /// Data::from([1, 2, 3]).read(1, &mut buffer);
    /// assert_eq!(buffer, [2, 3]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the data ends before the buffer is full.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) {
        let mut done = 0;
        while done < buffer.len() {
            let (number, start) = ((offset + done) / PAGE, (offset + done) % PAGE);
            let page = &self.page(number)[start..];
            let length = page.len().min(buffer.len() - done);
            assert!(length > 0, "the data has {} bytes", self.len());
            buffer[done..done + length].copy_from_slice(&page[..length]);
            done += length;
        }
    }

    /// Changes bytes from an offset on. Of long data that clones share, this copies only the pages
    /// that have them, and from time to time all pages.
    ///
    /// # Panics
    ///
    /// If the data ends before all bytes are written.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset.checked_add(bytes.len());
        assert!(
            end.is_some_and(|end| end <= self.len()),
            "the data has {} bytes",
            self.len()
        );
        if bytes.is_empty() {
            return;
        }
        let last = (offset + bytes.len() - 1) / PAGE;
        let changed = last + 1 - offset / PAGE;
        let is_alone = match &mut self.0 {
            Bytes::Whole(whole) => Arc::get_mut(whole).is_some(),
            Bytes::Patched(_) => false,
        };
        if is_alone || self.len() < MIN_PATCHED || changed > MAX_PAGES {
            self[offset..offset + bytes.len()].copy_from_slice(bytes);
            return;
        }
        let mut pages = self.pages().cloned().unwrap_or_default();
        for number in offset / PAGE..=last {
            let mut page = self.page(number).to_vec();
            let start = number * PAGE;
            let (from, to) = (offset.max(start), (offset + bytes.len()).min(start + PAGE));
            page[from - start..to - start].copy_from_slice(&bytes[from - offset..to - offset]);
            pages.insert(number, page.into());
        }
        let is_too_many = pages.len() > MAX_PAGES;
        let patched = Patched {
            base: Arc::clone(self.base()),
            pages,
            whole: OnceBox::new(),
        };
        self.0 = if is_too_many {
            Bytes::Whole(Arc::new(patched.to_whole()))
        } else {
            Bytes::Patched(Arc::new(patched))
        };
    }

    /// The bytes of all pages that have not changed, and old ones of those that have.
    fn base(&self) -> &Arc<Vec<u8>> {
        match &self.0 {
            Bytes::Whole(bytes) => bytes,
            Bytes::Patched(patched) => &patched.base,
        }
    }

    fn pages(&self) -> Option<&BTreeMap<usize, Arc<[u8]>>> {
        match &self.0 {
            Bytes::Whole(_) => None,
            Bytes::Patched(patched) => Some(&patched.pages),
        }
    }

    /// The bytes of a page; none behind the end.
    fn page(&self, number: usize) -> &[u8] {
        if let Some(page) = self.pages().and_then(|pages| pages.get(&number)) {
            return page;
        }
        let base = self.base();
        let start = base.len().min(number * PAGE);
        &base[start..base.len().min(start + PAGE)]
    }
}

impl Default for Data {
    fn default() -> Self {
        Vec::new().into()
    }
}

/// After changes by [`write`](Data::write), the first use copies all bytes.
impl Deref for Data {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        match &self.0 {
            Bytes::Whole(bytes) => bytes,
            Bytes::Patched(patched) => patched.whole(),
        }
    }
}

/// Copies the bytes, if a clone shares them.
impl DerefMut for Data {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        if let Bytes::Patched(patched) = &self.0 {
            self.0 = Bytes::Whole(Arc::new(patched.to_whole()));
        }
        match &mut self.0 {
            Bytes::Whole(bytes) => Arc::make_mut(bytes),
            Bytes::Patched(_) => unreachable!("it has just become whole"),
        }
    }
}

impl AsRef<[u8]> for Data {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Vec::fmt(self, formatter)
    }
}

/// Pages that both share are not looked at.
impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        if self.shares_with(other) {
            return true;
        }
        let is_same = |number: usize| self.page(number) == other.page(number);
        if Arc::ptr_eq(self.base(), other.base()) {
            let pages = self.pages().into_iter().chain(other.pages());
            return pages
                .flat_map(BTreeMap::keys)
                .all(|number| is_same(*number));
        }
        self.len() == other.len() && (0..self.len().div_ceil(PAGE)).all(is_same)
    }
}

impl Eq for Data {}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Bytes::Whole(Arc::new(bytes)))
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

/// Implements conversions from bytes that are copied.
macro_rules! from_bytes {
    ($([$($generics:tt)*] $type:ty,)*) => {$(
        impl<$($generics)*> From<$type> for Data {
            fn from(bytes: $type) -> Self {
                bytes.to_vec().into()
            }
        }
    )*};
}

from_bytes! {
    [] &Vec<u8>,
    [] &[u8],
    [] &mut [u8],
    [const LENGTH: usize] [u8; LENGTH],
    [const LENGTH: usize] &[u8; LENGTH],
}

/// Implements comparisons with bytes, on both sides.
macro_rules! equals_bytes {
    ($([$($generics:tt)*] $type:ty,)*) => {$(
        impl<$($generics)*> PartialEq<$type> for Data {
            fn eq(&self, other: &$type) -> bool {
                self.as_slice() == AsRef::<[u8]>::as_ref(other)
            }
        }

        impl<$($generics)*> PartialEq<Data> for $type {
            fn eq(&self, other: &Data) -> bool {
                other == self
            }
        }
    )*};
}

equals_bytes! {
    [] Vec<u8>,
    [] &[u8],
    [const LENGTH: usize] [u8; LENGTH],
    [const LENGTH: usize] &[u8; LENGTH],
}

impl PartialEq<[u8]> for Data {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

impl<'a> IntoIterator for &'a Data {
    type Item = &'a u8;
    type IntoIter = core::slice::Iter<'a, u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Data> for Vec<u8> {
    fn from(data: Data) -> Self {
        data.into_vec()
    }
}

impl FromIterator<u8> for Data {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        bytes.into_iter().collect::<Vec<u8>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn a_change_is_not_seen_by_a_clone() {
        let before = Data::from([1, 2, 3]);
        let mut after = before.clone();
        after.push(4);
        assert_eq!((before.len(), after.len()), (3, 4));
        assert_eq!(before, [1, 2, 3]);
        assert_eq!(after, vec![1, 2, 3, 4]);
        assert!(!after.shares_with(&before));
    }

    /// Random writes to clones give what they give to vectors.
    #[test]
    fn patched_data_is_the_vector_with_the_same_writes() {
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) as usize % below
        };
        for length in [0, 1, MIN_PATCHED - 1, MIN_PATCHED, MIN_PATCHED + PAGE + 5] {
            let mut vector: Vec<u8> = (0..length).map(|index| (index / 7) as u8).collect();
            let mut data = Data::from(&vector);
            let first = (data.clone(), vector.clone());
            for round in 0..400 {
                let before = (data.clone(), vector.clone());
                let offset = next(length + 1);
                let most = if round % 50 == 0 { length } else { 100 };
                let count = next((length - offset).min(most) + 1);
                let bytes = vec![round as u8; count];
                data.write(offset, &bytes);
                vector[offset..offset + count].copy_from_slice(&bytes);
                let mut part = vec![0; count.min(50)];
                data.read(offset, &mut part);
                assert_eq!(part, vector[offset..][..part.len()]);
                assert_eq!(data == before.0, vector == before.1);
                assert_eq!(data == first.0, vector == first.1);
                assert_eq!(data, Data::from(&vector));
                // Looking at all bytes changes none.
                if round % 3 == 0 {
                    assert_eq!(*data, vector);
                }
                assert_eq!(before.0, before.1);
            }
            assert_eq!(first.0, first.1);
            assert_eq!(data.clone().into_vec(), vector);
            data.push(1);
            vector.push(1);
            assert_eq!(data, vector);
        }
    }

    #[test]
    fn long_data_shares_what_a_write_leaves() {
        let before = Data::from(vec![7; 1 << 20]);
        let mut after = before.clone();
        after.write(PAGE - 1, &[1, 2]);
        assert_eq!(after.pages().map(BTreeMap::len), Some(2));
        assert!(Arc::ptr_eq(before.base(), after.base()));
        // So many pages are better off together.
        let mut clone = after.clone();
        for page in 0..=MAX_PAGES {
            clone = clone.clone();
            clone.write(page * PAGE, &[9]);
        }
        assert!(clone.pages().is_none());
        assert_eq!(clone[..2], [9, 7]);
        // A vector that nothing shares is written in place.
        let mut alone = Data::from(vec![7; 1 << 20]);
        alone.write(5, &[1]);
        assert!(alone.pages().is_none());
    }

    #[test]
    fn bytes_are_compared_where_they_are_not_shared() {
        let one = Data::from(vec![1, 2]);
        let same = Data::from(&[1, 2]);
        assert!(one == same && !one.shares_with(&same));
        assert_ne!(one, Data::from("ab"));
        assert_ne!(one, Data::from(&[1, 2, 3][..]));
        assert_eq!(one, [1, 2][..]);
    }
}
