//! Derived addresses. The base of the price pays for the seeds too: they have 512 bytes at most.

use abi::Pubkey;
use abi::call::{MAX_SEED_LENGTH, MAX_SEEDS, Slice};
use abi::program_address::{ProgramAddressError, create_program_address};

use super::Returned;
use super::call::Call;
use crate::error::Failure;
use crate::invoke::guest::GuestMemory;

/// The value for the program if the seeds give no address.
const NO_ADDRESS: Returned = Ok(Some(1));

/// Derives an address.
pub(super) fn create<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    call.check_writable(call.argument(3), 32)?;
    let Some(seeds) = read_seeds(call, MAX_SEEDS)? else {
        return NO_ADDRESS;
    };
    let program_id = Pubkey::new(call.read_array(call.argument(2))?);
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    match create_program_address(&seeds, &program_id) {
        Ok(address) => {
            call.write(call.argument(3), address.as_bytes())?;
            Ok(Some(0))
        }
        Err(_) => NO_ADDRESS,
    }
}

/// Derives an address with the largest bump. Each bump costs the base of the price.
pub(super) fn find<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    call.check_writable(call.argument(3), 32)?;
    call.check_writable(call.argument(4), 1)?;
    let Some(seeds) = read_seeds(call, MAX_SEEDS - 1)? else {
        return NO_ADDRESS;
    };
    let program_id = Pubkey::new(call.read_array(call.argument(2))?);
    let mut bump = [u8::MAX];
    while bump != [0] {
        let seeds = seeds.iter().map(Vec::as_slice).chain([&bump[..]]);
        match create_program_address(&seeds.collect::<Vec<_>>(), &program_id) {
            Ok(address) => {
                call.write(call.argument(3), address.as_bytes())?;
                call.write(call.argument(4), &bump)?;
                return Ok(Some(0));
            }
            Err(ProgramAddressError::OnCurve) => {}
            Err(_) => return NO_ADDRESS,
        }
        bump[0] -= 1;
        call.pay_base()?;
    }
    NO_ADDRESS
}

/// Reads the seeds; `None` if there are more than `most`, or if one is too long.
fn read_seeds<G: GuestMemory>(
    call: &mut Call<'_, G>,
    most: usize,
) -> Result<Option<Vec<Vec<u8>>>, Failure> {
    let (address, count) = (call.argument(0), call.argument(1));
    if count > most as u64 {
        return Ok(None);
    }
    let seeds: Vec<Slice> = call.read_list(address, count)?;
    if seeds
        .iter()
        .any(|seed| seed.length > MAX_SEED_LENGTH as u64)
    {
        return Ok(None);
    }
    let seeds = seeds
        .iter()
        .map(|seed| call.read_prepaid(seed.address, seed.length));
    seeds.collect::<Result<_, _>>().map(Some)
}
