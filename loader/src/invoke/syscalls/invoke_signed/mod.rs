//! Calls from one program to another.
//!
//! | step | file |
//! |---|---|
//! | read the caller's structures, derive its signers | `request.rs` |
//! | match the accounts with the caller's input, judge the caller's changes, check privileges | `accounts.rs` |
//! | run the callee | `callee.rs` |
//! | write the callee's changes into the caller's input | `accounts.rs` |

mod accounts;
mod callee;
mod request;

pub(super) use accounts::Caller;

use std::sync::Arc;

use abi::status::SUCCESS;

use super::Returned;
use super::call::Call;
use crate::invoke::guest::GuestMemory;
use crate::processed::instruction_of;
use request::Request;

/// Runs another program with the caller's accounts. Returns 0, because a program that fails ends
/// its callers too.
pub(super) fn invoke_signed<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let request = Request::read(call)?;
    let callee = callee::find(call.syscalls, &request.program_id)?;
    let listed = accounts::match_with_input(call, &request)?;
    let as_now = accounts::judge_caller(call, &listed)?;
    let invocation = callee::invocation(call, &callee, request, &listed, as_now)?;
    let after = callee::run(call, &callee, &invocation)?;
    accounts::write_back(call, &listed, &invocation, after)?;
    let processed = instruction_of(invocation);
    call.syscalls.processed.push(Arc::new(processed));
    Ok(Some(SUCCESS))
}

/// Returns the depth of the call.
pub(super) fn stack_height<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    Ok(Some(call.syscalls.depth()))
}
