//! Guards for borrows of an account's data.
//!
//! The borrow state is the first byte of the account's entry, so every view of the account shares
//! it: 255 for no borrow, 0 for a mutable borrow, 255 - n for n shared borrows.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use abi::input::FIRST_OCCURRENCE;

/// The state while a mutable borrow lives.
pub(crate) const MUTABLY_BORROWED: u8 = 0;

/// A shared borrow of an account's data.
pub struct Ref<'input, T: ?Sized> {
    // A pointer. A reference passed by value must stay valid until the callee returns, but the
    // borrow may end before that, and a writer may follow.
    value: *const T,
    _count: SharedCount<'input>,
    _value: PhantomData<&'input T>,
}

/// A mutable borrow of an account's data.
pub struct RefMut<'input, T: ?Sized> {
    // A pointer, for the reason given in `Ref`.
    value: *mut T,
    _flag: MutableFlag<'input>,
    _value: PhantomData<&'input mut T>,
}

/// Counts one shared borrow for as long as it lives.
struct SharedCount<'input> {
    state: *mut u8,
    _entry: PhantomData<&'input u8>,
}

/// Holds the one mutable borrow for as long as it lives.
struct MutableFlag<'input> {
    state: *mut u8,
    _entry: PhantomData<&'input u8>,
}

impl Drop for SharedCount<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by `Ref::new`, the byte is readable. Its value is 1 to 254, because it counts
        // this borrow, so the addition below does not overflow.
        let state = unsafe { self.state.read() };
        // SAFETY: by `Ref::new`, the byte is writable.
        unsafe { self.state.write(state + 1) };
    }
}

impl Drop for MutableFlag<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by `RefMut::new`, the byte is writable.
        unsafe { self.state.write(FIRST_OCCURRENCE) };
    }
}

impl<'input, T: ?Sized> Ref<'input, T> {
    /// Makes a guard for a borrow that `state` counts.
    ///
    /// # Safety
    ///
    /// `state` is readable and writable for `'input`, counts this borrow, and guards `value`.
    #[inline]
    pub(crate) unsafe fn new(value: &'input T, state: *mut u8) -> Self {
        Self {
            value,
            _count: SharedCount {
                state,
                _entry: PhantomData,
            },
            _value: PhantomData,
        }
    }

    /// Narrows the borrow to a part of the value.
    ///
    /// ```
    /// # let mut input = entrypoint::testing::one_account(&[7, 8, 9]);
    /// # let input = entrypoint::input::read(&mut input).unwrap();
    /// # let account = &input.accounts[0];
    /// use entrypoint::Ref;
    ///
    /// let second = Ref::map(account.try_borrow_data()?, |data| &data[1]);
    /// assert_eq!(*second, 8);
    /// # Ok::<(), entrypoint::ProgramError>(())
    /// ```
    #[inline]
    pub fn map<U: ?Sized>(this: Self, part: impl FnOnce(&T) -> &U) -> Ref<'input, U> {
        // SAFETY: `value` comes from a reference that lives for `'input`, and the state still
        // counts this borrow, so there is no writer.
        let value = part(unsafe { &*this.value });
        Ref {
            value,
            _count: this._count,
            _value: PhantomData,
        }
    }

    /// Narrows the borrow to a part of the value that may be missing.
    ///
    /// ```
    /// # let mut input = entrypoint::testing::one_account(&[7, 8, 9]);
    /// # let input = entrypoint::input::read(&mut input).unwrap();
    /// # let account = &input.accounts[0];
    /// use entrypoint::{ProgramError, Ref};
    ///
    /// let ninth = Ref::try_map(account.try_borrow_data()?, |data| {
    ///     data.get(8).ok_or(ProgramError::AccountDataTooSmall)
    /// });
    /// assert_eq!(ninth.err(), Some(ProgramError::AccountDataTooSmall));
    /// # Ok::<(), entrypoint::ProgramError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `part`. The borrow then ends.
    #[inline]
    pub fn try_map<U: ?Sized, E>(
        this: Self,
        part: impl FnOnce(&T) -> Result<&U, E>,
    ) -> Result<Ref<'input, U>, E> {
        // SAFETY: `value` comes from a reference that lives for `'input`, and the state still
        // counts this borrow, so there is no writer.
        let value = part(unsafe { &*this.value })?;
        Ok(Ref {
            value,
            _count: this._count,
            _value: PhantomData,
        })
    }
}

impl<'input, T: ?Sized> RefMut<'input, T> {
    /// Makes a guard for the borrow that `state` records.
    ///
    /// # Safety
    ///
    /// `state` is writable for `'input`, records that this borrow lives, and guards `value`.
    #[inline]
    pub(crate) unsafe fn new(value: &'input mut T, state: *mut u8) -> Self {
        Self {
            value,
            _flag: MutableFlag {
                state,
                _entry: PhantomData,
            },
            _value: PhantomData,
        }
    }

    /// Narrows the borrow to a part of the value that may be missing.
    ///
    /// # Errors
    ///
    /// The error of `part`. The borrow then ends.
    #[inline]
    pub fn try_map<U: ?Sized, E>(
        this: Self,
        part: impl FnOnce(&mut T) -> Result<&mut U, E>,
    ) -> Result<RefMut<'input, U>, E> {
        // SAFETY: `value` comes from a unique reference that lives for `'input`. `this` is
        // consumed, so the new reference is the only one.
        let value = part(unsafe { &mut *this.value })?;
        Ok(RefMut {
            value,
            _flag: this._flag,
            _value: PhantomData,
        })
    }

    /// Narrows the borrow to a part of the value.
    #[inline]
    pub fn map<U: ?Sized>(this: Self, part: impl FnOnce(&mut T) -> &mut U) -> RefMut<'input, U> {
        // SAFETY: `value` comes from a unique reference that lives for `'input`. `this` is
        // consumed, so the new reference is the only one.
        let value = part(unsafe { &mut *this.value });
        RefMut {
            value,
            _flag: this._flag,
            _value: PhantomData,
        }
    }
}

impl<T: ?Sized> Deref for Ref<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: `value` comes from a reference that lives for `'input`. The state counts this
        // borrow, so there is no writer.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> Deref for RefMut<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: `value` comes from a unique reference that lives for `'input`. The borrow of
        // `self` excludes `deref_mut`.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> DerefMut for RefMut<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: `value` comes from a unique reference that lives for `'input`. The exclusive
        // borrow of `self` excludes every other use.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RefMut<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Ref<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RefMut<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
