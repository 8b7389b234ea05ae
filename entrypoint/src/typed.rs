//! Account data as a value of a type.
//!
//! The types are those of the crate [`bytemuck`]: any bytes are a valid value, and the value has no
//! padding. So the only faults are a wrong length and a wrong address.

use abi::ProgramError;
use abi::input::{ALIGNMENT, AccountHeader};
use bytemuck::{AnyBitPattern, NoUninit};

use crate::account::AccountInfo;
use crate::borrow::{Ref, RefMut};

/// The data of an account starts at a multiple of 8.
const _: () = assert!(AccountHeader::DATA.is_multiple_of(ALIGNMENT));

impl<'input> AccountInfo<'input> {
    /// Borrows the data as a `T`, for reading. Nothing is copied.
    ///
    /// The data has exactly as many bytes as a `T`. For data that starts with a `T` and goes on,
    /// see [`split_data`]. `T` has an alignment of 8 bytes at most, or the crate does not compile.
    ///
    /// ```
    /// use bytemuck::{Pod, Zeroable};
    /// use entrypoint::{AccountInfo, ProgramResult};
    ///
    /// #[derive(Clone, Copy, Pod, Zeroable)]
    /// #[repr(C)]
    /// struct Counter {
    ///     authority: [u8; 32],
    ///     count: u64,
    /// }
    ///
    /// fn increment(account: &AccountInfo) -> ProgramResult {
    ///     let mut counter = account.try_borrow_mut_as::<Counter>()?;
    ///     counter.count += 1;
    ///     Ok(())
    /// }
    /// # use entrypoint::testing::{AccountInput, Invocation};
    /// # use entrypoint::Pubkey;
    /// # let account = AccountInput::new(Pubkey::new([2; 32])).data([0; 40]);
    /// # let outcome = Invocation::new(Pubkey::new([1; 32])).account(account)
    /// #     .run(|_, accounts, _| {
    /// #         increment(&accounts[0])?;
    /// #         assert_eq!(accounts[0].try_borrow_as::<Counter>()?.count, 1);
    /// #         Ok(())
    /// #     });
    /// # assert_eq!(outcome.result, Ok(()));
    /// # assert_eq!(outcome.accounts[0].data[32], 1);
    /// ```
    ///
    /// Add the crate with `cargo add bytemuck --features derive,min_const_generics`.
    ///
    /// # Errors
    ///
    /// - [`ProgramError::AccountBorrowFailed`], as for
    ///   [`try_borrow_data`](AccountInfo::try_borrow_data).
    /// - [`ProgramError::AccountDataTooSmall`] if the data is shorter than a `T`.
    /// - [`ProgramError::InvalidAccountData`] if the data is longer. Also if the bytes are not
    ///   aligned for a `T`, which happens only in tests whose input does not start at a multiple
    ///   of 8.
    ///
    /// A type that needs a larger alignment than the data has does not compile (EP0047):
    ///
    /// ```compile_fail
    /// # let mut input = entrypoint::testing::Input::new();
    /// fn total(account: &entrypoint::AccountInfo) -> u128 {
    ///     *account.try_borrow_as::<u128>().unwrap()
    /// }
    /// # let _ = total;
    /// ```
    #[inline]
    pub fn try_borrow_as<T: AnyBitPattern>(&self) -> Result<Ref<'input, T>, ProgramError> {
        const { fits_entries::<T>() };
        Ref::try_map(self.try_borrow_data()?, |data| {
            bytemuck::try_from_bytes(data).map_err(|_| misfit(data.len(), size_of::<T>()))
        })
    }

    /// Borrows the data as a `T`, for writing. Nothing is copied.
    ///
    /// [`try_borrow_as`](Self::try_borrow_as) has an example.
    ///
    /// # Errors
    ///
    /// As for [`try_borrow_as`](Self::try_borrow_as), and
    /// [`ProgramError::AccountBorrowFailed`] as for
    /// [`try_borrow_mut_data`](AccountInfo::try_borrow_mut_data).
    #[inline]
    pub fn try_borrow_mut_as<T: AnyBitPattern + NoUninit>(
        &self,
    ) -> Result<RefMut<'input, T>, ProgramError> {
        const { fits_entries::<T>() };
        RefMut::try_map(self.try_borrow_mut_data()?, |data| {
            let length = data.len();
            bytemuck::try_from_bytes_mut(data).map_err(|_| misfit(length, size_of::<T>()))
        })
    }
}

/// Splits bytes into the `T` at their start and the rest.
///
/// The bytes are an account's data, or instruction data. Instruction data may start anywhere, so
/// there `T` should have an alignment of 1.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramError, split_data};
///
/// /// The data is a number of votes, and a key of 32 bytes for each.
/// fn last_voter(account: &AccountInfo) -> Result<[u8; 32], ProgramError> {
///     let data = account.try_borrow_data()?;
///     let (votes, voters) = split_data::<u64>(&data)?;
///     let voters: &[[u8; 32]] = bytemuck::cast_slice(voters);
///     voters
///         .get((*votes as usize).wrapping_sub(1))
///         .copied()
///         .ok_or(ProgramError::InvalidAccountData)
/// }
/// # use entrypoint::testing::{AccountInput, Invocation};
/// # use entrypoint::Pubkey;
/// # let data = [&1_u64.to_le_bytes()[..], &[9; 32]].concat();
/// # let account = AccountInput::new(Pubkey::new([2; 32])).data(data);
/// # let outcome = Invocation::new(Pubkey::new([1; 32])).account(account)
/// #     .run(|_, accounts, _| {
/// #         assert_eq!(last_voter(&accounts[0]), Ok([9; 32]));
/// #         Ok(())
/// #     });
/// # assert_eq!(outcome.result, Ok(()));
/// ```
///
/// # Errors
///
/// - [`ProgramError::AccountDataTooSmall`] if there are fewer bytes than a `T` has.
/// - [`ProgramError::InvalidAccountData`] if the bytes are not aligned for a `T`.
#[inline]
pub fn split_data<T: AnyBitPattern>(data: &[u8]) -> Result<(&T, &[u8]), ProgramError> {
    let (value, rest) = data
        .split_at_checked(size_of::<T>())
        .ok_or(ProgramError::AccountDataTooSmall)?;
    let value = bytemuck::try_from_bytes(value).map_err(|_| misfit(value.len(), size_of::<T>()))?;
    Ok((value, rest))
}

/// Reads bytes as a `T`, by value: instruction data, which may start anywhere.
///
/// ```
/// use entrypoint::{ProgramError, read_data};
///
/// /// The data are a command, and what belongs to it.
/// fn amounts(instruction_data: &[u8]) -> Result<[u64; 2], ProgramError> {
///     match instruction_data {
///         [1, amounts @ ..] => read_data(amounts),
///         _ => Err(ProgramError::InvalidInstructionData),
///     }
/// }
/// # let data = [&[1][..], &7_u64.to_le_bytes(), &8_u64.to_le_bytes()].concat();
/// # assert_eq!(amounts(&data), Ok([7, 8]));
/// # assert_eq!(amounts(&data[..16]), Err(ProgramError::InvalidInstructionData));
/// # assert_eq!(amounts(&[&data[..], &[0]].concat()), Err(ProgramError::InvalidInstructionData));
/// ```
///
/// # Errors
///
/// [`ProgramError::InvalidInstructionData`] if there are more or fewer bytes than a `T` has.
#[inline]
pub fn read_data<T: AnyBitPattern>(data: &[u8]) -> Result<T, ProgramError> {
    bytemuck::try_pod_read_unaligned(data).map_err(|_| ProgramError::InvalidInstructionData)
}

/// Splits bytes into the `T` at their start and the rest, for writing.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramError, ProgramResult, split_data_mut};
///
/// /// The data is a number of entries, and the entries of one byte.
/// fn push(account: &AccountInfo, entry: u8) -> ProgramResult {
///     let mut data = account.try_borrow_mut_data()?;
///     let (count, entries) = split_data_mut::<u64>(&mut data)?;
///     let free = entries.get_mut(*count as usize).ok_or(ProgramError::AccountDataTooSmall)?;
///     *free = entry;
///     *count += 1;
///     Ok(())
/// }
/// # use entrypoint::testing::{AccountInput, Invocation};
/// # use entrypoint::Pubkey;
/// # let account = AccountInput::new(Pubkey::new([2; 32])).data([0; 9]);
/// # let outcome = Invocation::new(Pubkey::new([1; 32])).account(account)
/// #     .run(|_, accounts, _| push(&accounts[0], 7));
/// # assert_eq!(outcome.accounts[0].data, [1, 0, 0, 0, 0, 0, 0, 0, 7]);
/// ```
///
/// # Errors
///
/// As for [`split_data`].
#[inline]
pub fn split_data_mut<T: AnyBitPattern + NoUninit>(
    data: &mut [u8],
) -> Result<(&mut T, &mut [u8]), ProgramError> {
    let (value, rest) = data
        .split_at_mut_checked(size_of::<T>())
        .ok_or(ProgramError::AccountDataTooSmall)?;
    let length = value.len();
    let value = bytemuck::try_from_bytes_mut(value).map_err(|_| misfit(length, size_of::<T>()))?;
    Ok((value, rest))
}

/// Rejects a type that the data of an account is never aligned for.
const fn fits_entries<T>() {
    assert!(
        align_of::<T>() <= ALIGNMENT,
        "EP0047: account data is aligned to 8 bytes, and this type needs more"
    );
}

/// Returns the error for bytes that are not a value of `expected` bytes.
#[cold]
fn misfit(found: usize, expected: usize) -> ProgramError {
    if found < expected {
        ProgramError::AccountDataTooSmall
    } else {
        ProgramError::InvalidAccountData
    }
}

#[cfg(test)]
mod tests {
    use abi::{ProgramError, Pubkey};

    use super::{split_data, split_data_mut};
    use crate::testing::{AccountInput, Invocation};

    /// Runs a check on the only account, whose data has these bytes.
    fn with_data(
        data: &[u8],
        check: fn(&crate::AccountInfo<'_>) -> Result<(), ProgramError>,
    ) -> Result<(), ProgramError> {
        let account = AccountInput::new(Pubkey::new([2; 32]))
            .data(data)
            .writable();
        let invocation = Invocation::new(Pubkey::new([1; 32])).account(account);
        invocation.run(|_, accounts, _| check(&accounts[0])).result
    }

    #[test]
    fn length_is_exact() {
        let read = |length: usize| {
            with_data(&[1; 9][..length], |account| {
                account.try_borrow_as::<u64>().map(|value| {
                    assert_eq!(*value, 0x0101_0101_0101_0101);
                })
            })
        };
        assert_eq!(read(7), Err(ProgramError::AccountDataTooSmall));
        assert_eq!(read(8), Ok(()));
        assert_eq!(read(9), Err(ProgramError::InvalidAccountData));
        let write = |length: usize| {
            with_data(&[1; 9][..length], |account| {
                *account.try_borrow_mut_as::<u64>()? += 1;
                assert_eq!(account.try_borrow_data()?[0], 2);
                Ok(())
            })
        };
        assert_eq!(write(7), Err(ProgramError::AccountDataTooSmall));
        assert_eq!(write(8), Ok(()));
        assert_eq!(write(9), Err(ProgramError::InvalidAccountData));
    }

    #[test]
    fn borrows_exclude_each_other_and_end() {
        let outcome = with_data(&[0; 8], |account| {
            let shared = account.try_borrow_as::<u64>()?;
            assert!(account.try_borrow_as::<[u8; 8]>().is_ok());
            assert_eq!(
                account.try_borrow_mut_as::<u64>().err(),
                Some(ProgramError::AccountBorrowFailed)
            );
            drop(shared);
            // A borrow that failed because of the length has ended too.
            assert!(account.try_borrow_as::<u32>().is_err());
            assert!(account.try_borrow_mut_as::<u32>().is_err());
            *account.try_borrow_mut_as::<u64>()? = 5;
            Ok(())
        });
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn split_checks_length_and_address() {
        let mut words = [0_u64, u64::from_le_bytes(*b"abcdefgh")];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        assert_eq!(split_data::<u64>(bytes), Ok((&0, &b"abcdefgh"[..])));
        assert_eq!(
            split_data::<u64>(&bytes[..7]),
            Err(ProgramError::AccountDataTooSmall)
        );
        assert_eq!(
            split_data::<u64>(&bytes[1..]),
            Err(ProgramError::InvalidAccountData)
        );
        assert_eq!(
            split_data_mut::<u64>(&mut bytes[1..]),
            Err(ProgramError::InvalidAccountData)
        );
        let (number, rest) = split_data_mut::<u64>(bytes).unwrap();
        *number = 1;
        rest[0] = b'A';
        assert_eq!(bytes[..9], *b"\x01\0\0\0\0\0\0\0A");
    }
}
