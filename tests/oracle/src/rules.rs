//! The verdicts on changes of accounts. The order in which a change is written back is that of the
//! runtime's `deserialize_parameters`, which its crate does not export: kelvins, length, data,
//! owner. Each step is the runtime's own.

use std::cell::RefCell;

use rialo_s_account::{
    Account, AccountSharedData, ExecutableAccount, ReadableAccount, StoredAccount,
};
use rialo_s_instruction::AccountMeta;
use rialo_s_instruction::error::InstructionError;
use rialo_s_program_runtime::invoke_context::InvokeContext;
use rialo_s_pubkey::Pubkey;

use crate::cases::accounts::state;
use crate::cases::rules::{After, COUNT, Changes, PROGRAM, case};
use crate::context::{Ended, run};

/// The loader of the program.
const LOADER: [u8; 32] = [6; 32];

thread_local! {
    static AFTER: RefCell<Vec<After>> = const { RefCell::new(Vec::new()) };
}

pub fn lines() -> Vec<String> {
    (0..COUNT).map(|number| verdict(case(number))).collect()
}

fn verdict(changes: Changes) -> String {
    let mut accounts: Vec<(Pubkey, StoredAccount)> = Vec::new();
    let mut metas = Vec::new();
    for account in &changes.accounts {
        let key = Pubkey::from(account.key);
        let (data, owner) = (account.data.clone(), Pubkey::from(account.owner));
        let (kelvins, rent_epoch) = (account.kelvins, account.rent_epoch);
        let stored = if account.executable {
            StoredAccount::Executable(ExecutableAccount::new(kelvins, data, &owner, rent_epoch))
        } else {
            StoredAccount::Data(AccountSharedData::from(Account {
                kelvins,
                data,
                owner,
                rent_epoch,
            }))
        };
        accounts.push((key, stored));
        metas.push(match account.is_writable {
            true => AccountMeta::new(key, account.is_signer),
            false => AccountMeta::new_readonly(key, account.is_signer),
        });
    }
    let program = Pubkey::from(PROGRAM);
    let loader = Pubkey::from(LOADER);
    accounts.push((program, AccountSharedData::new(1, 0, &loader).into()));
    AFTER.set(changes.after);
    let Ended {
        result, accounts, ..
    } = run(accounts, &metas, &program, &[], loader, write_back);
    match result {
        Err(error) => error.to_string(),
        Ok(()) => {
            let first = &accounts[..changes.accounts.len()];
            let state = state(first.iter().map(|account| {
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

/// Writes back what the program has left.
fn write_back(context: &mut InvokeContext<'_, '_>) -> Result<(), InstructionError> {
    let transaction = &context.transaction_context;
    let instruction = transaction.get_current_instruction_context()?;
    for (index, after) in AFTER.take().iter().enumerate() {
        let mut account = instruction.try_borrow_instruction_account(transaction, index as u16)?;
        let sent = account.get_data().len();
        if account.get_kelvins() != after.kelvins {
            account.set_kelvins(after.kelvins)?;
        }
        let length = after.length as usize;
        if length.saturating_sub(sent) > 10_240 || length > 10 << 20 {
            return Err(InstructionError::InvalidRealloc);
        }
        let may = account.can_data_be_resized(length);
        match may.and_then(|()| account.can_data_be_changed()) {
            Ok(()) => account.set_data_from_slice(&after.data)?,
            Err(error) if account.get_data() != after.data => return Err(error),
            Err(_) => {}
        }
        if account.get_owner().to_bytes() != after.owner {
            account.set_owner(&after.owner)?;
        }
    }
    Ok(())
}
