//! The verdicts of the runtime's system program.

use rialo_s_account::{Account, AccountSharedData, ReadableAccount, StoredAccount};
use rialo_s_instruction::AccountMeta;
use rialo_s_pubkey::Pubkey;
use rialo_s_sdk_ids::{native_loader, system_program};
use rialo_s_system_program::system_processor;

use crate::cases::accounts::state;
use crate::cases::system::{COUNT, Instruction, Name, case};
use crate::context::run;

pub fn lines() -> Vec<String> {
    (0..COUNT).map(|number| verdict(&case(number))).collect()
}

fn verdict(instruction: &Instruction) -> String {
    let mut accounts: Vec<(Pubkey, StoredAccount)> = Vec::new();
    let mut metas = Vec::new();
    for account in &instruction.accounts {
        let key = match &account.name {
            Name::Plain(key) => Pubkey::from(*key),
            Name::Derived(base, seed, owner) => {
                let [base, owner] = [*base, *owner].map(Pubkey::from);
                Pubkey::create_with_seed(&base, seed, &owner).unwrap_or(Pubkey::from([5; 32]))
            }
        };
        if accounts.iter().all(|(known, _)| *known != key) {
            let stored = AccountSharedData::from(Account {
                kelvins: account.kelvins,
                data: account.data.clone(),
                owner: Pubkey::from(account.owner),
                rent_epoch: 0,
            });
            accounts.push((key, stored.into()));
        }
        // As in a message, all entries of an account have the same rights.
        let first: Option<&AccountMeta> =
            metas.iter().find(|meta: &&AccountMeta| meta.pubkey == key);
        let (is_signer, is_writable) = first
            .map_or((account.is_signer, account.is_writable), |meta| {
                (meta.is_signer, meta.is_writable)
            });
        metas.push(AccountMeta {
            pubkey: key,
            is_signer,
            is_writable,
        });
    }
    let count = accounts.len();
    let program = system_program::id();
    accounts.push((
        program,
        AccountSharedData::new(1, 0, &native_loader::id()).into(),
    ));
    let builtin = system_processor::Entrypoint::vm;
    let ended = run(
        accounts,
        &metas,
        &program,
        &instruction.data,
        program,
        builtin,
    );
    match ended.result {
        Err(error) => error.to_string(),
        Ok(()) => {
            let accounts = ended.accounts[..count].iter();
            let state = state(accounts.map(|account| {
                (
                    account.owner().to_bytes(),
                    account.kelvins(),
                    account.data(),
                )
            }));
            format!("ok {state}")
        }
    }
}
