//! Inputs for the examples in the documentation of this crate.

use alloc::vec;
use alloc::vec::Vec;

use abi::input::{AccountHeader, FIRST_OCCURRENCE, MAX_PERMITTED_DATA_INCREASE, padding};

/// Returns an input with one writable account of 100 kelvins and this data.
#[must_use]
pub fn one_account(data: &[u8]) -> Vec<u8> {
    let header = AccountHeader {
        marker: FIRST_OCCURRENCE,
        is_signer: 0,
        is_writable: 1,
        executable: 0,
        original_data_length: 0,
        key: [1; 32],
        owner: [2; 32],
        kelvins: 100,
        data_length: data.len() as u64,
    };
    let mut input = vec![0; 8];
    input.extend([2; 32]);
    input.extend(1_u64.to_le_bytes());
    input.extend(bytemuck::bytes_of(&header));
    input.extend(data);
    input.resize(input.len() + MAX_PERMITTED_DATA_INCREASE, 0);
    input.resize(input.len() + padding(input.len()), 0);
    input.extend(0_u64.to_le_bytes());
    input
}
