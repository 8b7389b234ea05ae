//! Runs an instruction in the runtime's context.

use rialo_s_account::StoredAccount;
use rialo_s_instruction::AccountMeta;
use rialo_s_instruction::error::InstructionError;
use rialo_s_program_runtime::invoke_context::BuiltinFunctionWithContext;
use rialo_s_program_runtime::with_mock_invoke_context;
use rialo_s_pubkey::Pubkey;
use rialo_s_timings::ExecuteTimings;
use rialo_s_transaction_context::{IndexOfAccount, InstructionAccount};

/// How an instruction ended.
pub struct Ended {
    pub result: Result<(), InstructionError>,
    /// The accounts as they are then, even if it failed.
    pub accounts: Vec<StoredAccount>,
    pub logs: Vec<String>,
}

/// Runs an instruction of the program `program`, which must be an account. `builtin` is what runs
/// every program whose id or owner is `loader`.
pub fn run(
    accounts: Vec<(Pubkey, StoredAccount)>,
    metas: &[AccountMeta],
    program: &Pubkey,
    data: &[u8],
    loader: Pubkey,
    builtin: BuiltinFunctionWithContext,
) -> Ended {
    let position = |key: &Pubkey| {
        let found = accounts.iter().position(|(known, _)| known == key);
        found.expect("an account of the transaction") as IndexOfAccount
    };
    let mut list: Vec<InstructionAccount> = Vec::new();
    for (index, meta) in metas.iter().enumerate() {
        let index_in_transaction = position(&meta.pubkey);
        let first = list
            .iter()
            .position(|known| known.index_in_transaction == index_in_transaction);
        list.push(InstructionAccount {
            index_in_transaction,
            index_in_caller: index_in_transaction,
            index_in_callee: first.unwrap_or(index) as IndexOfAccount,
            is_signer: meta.is_signer,
            is_writable: meta.is_writable,
        });
    }
    let programs = [position(program)];
    with_mock_invoke_context!(context, transaction, Some((loader, builtin)), accounts);
    let result = context.process_instruction(
        data,
        &list,
        &programs,
        &mut 0,
        &mut ExecuteTimings::default(),
    );
    let logs = context.get_log_collector().expect("a collector");
    let logs = logs.borrow().get_recorded_content().to_vec();
    drop(context);
    let count = transaction.get_number_of_accounts();
    let account = |index| {
        let account = transaction.get_account_at_index(index).expect("an account");
        account.borrow().clone()
    };
    Ended {
        result,
        accounts: (0..count).map(account).collect(),
        logs,
    }
}
