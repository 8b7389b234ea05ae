//! The token on a ledger: several transactions, several accounts, every target.

use program_test::{
    AccountMeta, Instruction, ProgramError, Pubkey, TestLedger, for_each_target, key, program,
    system,
};
use token::TokenError;
use token::state::{Holding, Mint};

/// Deploys the token. Makes a mint of gold, and empty holdings of Alice and Bob. Mints 100 for
/// Alice. Returns the id of the program.
fn gold(ledger: &mut TestLedger) -> Pubkey {
    let token = ledger.deploy(program!());
    let [bank, gold] = ["bank", "gold"].map(key);
    ledger.fund(bank, 10_000_000);
    ledger
        .send([
            create::<Mint>(ledger, gold, token),
            make_mint(token, gold, bank),
            create::<Holding>(ledger, key("alices_gold"), token),
            make_holding(token, key("alices_gold"), gold, key("alice")),
            create::<Holding>(ledger, key("bobs_gold"), token),
            make_holding(token, key("bobs_gold"), gold, key("bob")),
            mint(token, gold, key("alices_gold"), bank, 100),
        ])
        .assert_success();
    token
}

/// The bank pays for an account with the data of a `T`.
fn create<T>(ledger: &TestLedger, account: Pubkey, token: Pubkey) -> Instruction {
    let rent = ledger.sysvars().rent.minimum_balance(size_of::<T>());
    system::create_account(key("bank"), account, rent, size_of::<T>() as u64, token)
}

fn make_mint(token: Pubkey, mint: Pubkey, authority: Pubkey) -> Instruction {
    Instruction::new(token)
        .account(AccountMeta::writable(mint))
        .data([&[0, 2], &authority.as_bytes()[..]].concat())
}

fn make_holding(token: Pubkey, holding: Pubkey, mint: Pubkey, owner: Pubkey) -> Instruction {
    Instruction::new(token)
        .account(AccountMeta::writable(holding))
        .account(AccountMeta::readonly(mint))
        .account(AccountMeta::readonly(owner))
        .data([1])
}

fn mint(token: Pubkey, mint: Pubkey, to: Pubkey, authority: Pubkey, amount: u64) -> Instruction {
    Instruction::new(token)
        .account(AccountMeta::writable(mint))
        .account(AccountMeta::writable(to))
        .account(AccountMeta::readonly_signer(authority))
        .data([&[2], &amount.to_le_bytes()[..]].concat())
}

fn transfer(token: Pubkey, from: &str, to: &str, owner: &str, amount: u64) -> Instruction {
    Instruction::new(token)
        .account(AccountMeta::writable(key(from)))
        .account(AccountMeta::writable(key(to)))
        .account(AccountMeta::readonly_signer(key(owner)))
        .data([&[3], &amount.to_le_bytes()[..]].concat())
}

#[test]
fn alice_pays_bob() {
    for_each_target(|ledger| {
        let token = gold(ledger);
        ledger
            .send(transfer(token, "alices_gold", "bobs_gold", "alice", 30))
            .assert_success();

        ledger
            .assert_account(key("bobs_gold"))
            .owner(token)
            .data_as(Holding {
                mint: key("gold"),
                owner: key("bob"),
                delegate: Pubkey::default(),
                amount: 30,
                delegated: 0,
            });
        ledger
            .assert_account(key("alices_gold"))
            .field(|holding: Holding| holding.amount, 70);
        assert_eq!(ledger.data_as::<Mint>(key("gold")).supply, 100);
    });
}

#[test]
fn a_transaction_takes_effect_as_a_whole_or_not_at_all() {
    for_each_target(|ledger| {
        let token = gold(ledger);
        let pay = transfer(token, "alices_gold", "bobs_gold", "alice", 60);
        ledger
            .send([pay.clone(), pay])
            .assert_error(TokenError::TooFewTokens);
        assert_eq!(ledger.data_as::<Holding>(key("alices_gold")).amount, 100);
    });
}

#[test]
fn only_the_owner_pays() {
    for_each_target(|ledger| {
        let token = gold(ledger);
        ledger
            .send(transfer(token, "alices_gold", "bobs_gold", "bob", 1))
            .assert_error(TokenError::WrongAuthority);

        let mut unsigned = transfer(token, "alices_gold", "bobs_gold", "alice", 1);
        unsigned.accounts[2].is_signer = false;
        ledger
            .send(unsigned)
            .assert_error(ProgramError::MissingRequiredSignature);
    });
}
