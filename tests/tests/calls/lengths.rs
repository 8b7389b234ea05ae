//! A caller that keeps the length of an account's data outside of the entry too, as the Rialo
//! runtime's own crates do: in a slice on its heap.

use std::sync::Arc;

use abi::imports::Import;
use abi::input::AccountHeader;
use loader::{
    AccountInput, Builtin, BuiltinCall, Environment, Failure, Host, Invocation, Loader, Outcome,
};
use tests::caller_guest::{A, B};
use tests::toy::Toy;

use super::machine::{KEYS, Memory, call, entry, machines};

/// A program that gives its first account this much data.
struct Resize(usize);

impl Builtin for Resize {
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
        call.account_mut(0)?.data.resize(self.0, 7);
        Ok(())
    }
}

/// The memory of a call that lists its first account as writable, and the address at which the
/// caller keeps the length of its data.
fn memory() -> (Memory, u64) {
    let [machine, _] = machines();
    let mut memory = call(&machine, Import::InvokeSigned);
    let place = |address: u64| (address - machine.data) as usize;
    let metas = place(memory.get(place(memory.get(0)) + 32));
    // The flag follows the key and `is_signer`.
    memory.bytes[metas + 33] = 1;
    let length = memory.get(place(memory.get(8)) + 56);
    assert_eq!(memory.get(place(length)), 8);
    (memory, length)
}

/// Sets the address of the length of the first account's data.
fn keep_at(memory: &mut Memory, address: u64) {
    let account = (memory.get(8) - memory.base) as usize;
    memory.set(account + 56, address);
}

/// Makes the call, whose callee resizes the data of the first account. Returns the 8 bytes at an
/// address afterwards as return data.
fn run(memory: &Memory, length: usize, read: u64) -> Outcome {
    let arguments: Vec<String> = (0..5)
        .map(|index| memory.get(8 * index).to_string())
        .collect();
    let code = format!(
        "TOY\ncall {} {}\ncall rlo_set_return_data {read} 8\nreturn 0\n\n",
        Import::InvokeSigned.symbol(),
        arguments.join(" ")
    );
    let file = [code.as_bytes(), &memory.bytes].concat();
    let program = Loader::with_backend(Toy).load(&file).expect("a program");
    let [first, second] = KEYS.map(|key| AccountInput::new(key).kelvins(5).data([7; 8]));
    let invocation = Invocation::new(A)
        .account(first.owner(B).writable())
        .account(second.owner(A))
        .repeat(0);
    let host: Arc<dyn Host> = Arc::new(Environment::new().builtin(B, Resize(length)));
    program.invoke_with(&host, &invocation).expect("an outcome")
}

#[test]
fn the_length_is_written_where_the_caller_keeps_it_too() {
    let [machine, _] = machines();
    let in_entry = entry(&machine, 0) + AccountHeader::DATA_LENGTH as u64;
    for length in [0, 7, 8, 9, 8 + 10_240] {
        let (memory, kept) = memory();
        for read in [kept, in_entry] {
            let outcome = run(&memory, length, read);
            assert_eq!(outcome.failure, None, "{length}");
            assert_eq!(outcome.return_data, (length as u64).to_le_bytes());
            assert_eq!(outcome.accounts[0].data.len(), length);
        }
        // Nothing else is written.
        for beside in [kept - 8, kept + 8] {
            let outcome = run(&memory, length, beside);
            let before = memory.get((beside - memory.base) as usize);
            assert_eq!(outcome.return_data, before.to_le_bytes());
        }
    }
}

#[test]
fn another_number_is_not_overwritten() {
    let (mut memory, kept) = memory();
    memory.set((kept - memory.base) as usize, 9);
    let failure = run(&memory, 9, kept).failure.expect("a failure");
    assert_eq!(failure.kind(), "MovedAccount");
    assert!(
        failure
            .to_string()
            .contains("number at the address of the data's length"),
        "{failure}"
    );
}

#[test]
fn an_entry_of_another_account_is_still_judged() {
    let [machine, _] = machines();
    let other = entry(&machine, 1) + AccountHeader::DATA_LENGTH as u64;
    let (mut memory, _) = memory();
    keep_at(&mut memory, other);
    // The length of the other account is the same, so it is a length before the call.
    assert_eq!(run(&memory, 8, other).failure, None);
    let outcome = run(&memory, 9, other);
    let failure = outcome.failure.expect("a failure");
    assert!(matches!(failure, Failure::WriteBack(_)), "{failure:?}");
    assert_eq!(outcome.accounts[1].data, [7; 8]);
}
