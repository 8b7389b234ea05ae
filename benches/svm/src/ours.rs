//! This project's loader and ledger, with the program `examples/token`.

use ledger::{AccountMeta, Fee, Instruction, Ledger, Transaction};
use loader::{Account, AccountInput, Engine, Invocation, Loader, Program, Pubkey};

use crate::{CHUNK, Runner, TOKENS};

const TOKEN: Pubkey = Pubkey::new([1; 32]);
const MINT: Pubkey = Pubkey::new([2; 32]);
const OWNER: Pubkey = Pubkey::new([3; 32]);
const FROM: Pubkey = Pubkey::new([4; 32]);
const TO: Pubkey = Pubkey::new([5; 32]);

/// The loader on the interpreter and on the compiling engine, if that runs on this computer, and
/// the ledger.
pub fn runners(blob: &[u8]) -> Vec<Box<dyn Runner>> {
    let mut runners: Vec<Box<dyn Runner>> = Vec::new();
    for (engine, name) in [
        (Engine::Interpreter, "loader-interpreter"),
        (Engine::Compiler, "loader-compiler"),
    ] {
        match Loader::new(engine) {
            Ok(loader) => runners.push(Box::new(InLoader {
                name,
                program: loader.load(blob).expect("the loader takes the program"),
            })),
            Err(error) => eprintln!("skipped: {error}"),
        }
    }
    runners.push(Box::new(InLedger::new(blob)));
    runners
}

/// The data of a holding.
fn holding(tokens: u64) -> Vec<u8> {
    let keys = [MINT, OWNER, Pubkey::default()];
    let keys = keys.iter().flat_map(|key| *key.as_bytes());
    let amounts = [tokens, 0].map(u64::to_le_bytes);
    keys.chain(amounts.into_iter().flatten()).collect()
}

fn tokens(account: &Account) -> u64 {
    u64::from_le_bytes(account.data[96..104].try_into().unwrap())
}

fn instruction_data(amount: u64) -> Vec<u8> {
    [&[3][..], &amount.to_le_bytes()].concat()
}

/// Each transfer begins with the same accounts, as in Mollusk.
struct InLoader {
    name: &'static str,
    program: Program,
}

impl InLoader {
    fn transfer(amount: u64) -> Invocation {
        let holding = |key| {
            AccountInput::new(key)
                .owner(TOKEN)
                .kelvins(10_000_000)
                .data(holding(TOKENS))
                .writable()
        };
        Invocation::new(TOKEN)
            .account(holding(FROM))
            .account(holding(TO))
            .account(AccountInput::new(OWNER).kelvins(1_000_000_000_000).signer())
            .data(instruction_data(amount))
    }
}

impl Runner for InLoader {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&mut self, time: &mut dyn FnMut(&mut dyn FnMut())) {
        let transfers: Vec<Invocation> = (1..=CHUNK).map(Self::transfer).collect();
        time(&mut || {
            for transfer in &transfers {
                let outcome = self.program.invoke(transfer).unwrap();
                assert!(outcome.is_success(), "{outcome:?}");
            }
        });
    }

    fn check(&mut self) -> u64 {
        let outcome = self.program.invoke(&Self::transfer(7)).unwrap();
        assert!(outcome.is_success(), "{outcome:?}");
        assert_eq!(tokens(&outcome.accounts[0]), TOKENS - 7);
        assert_eq!(tokens(&outcome.accounts[1]), TOKENS + 7);
        outcome.gas_used
    }
}

/// Each transfer begins with what the one before has left, as in LiteSVM.
struct InLedger {
    ledger: Ledger,
}

impl InLedger {
    fn new(blob: &[u8]) -> Self {
        // As in LiteSVM, the owner pays for its signature.
        let mut ledger = Ledger::new().fee(Fee {
            base: 0,
            per_signer: 5_000,
        });
        ledger.deploy(TOKEN, blob).unwrap();
        ledger.airdrop(OWNER, 1_000_000_000_000).unwrap();
        for key in [FROM, TO] {
            let account = Account {
                key,
                owner: TOKEN,
                kelvins: 10_000_000,
                data: holding(TOKENS).into(),
                ..Account::default()
            };
            ledger.set_account(account).unwrap();
        }
        Self { ledger }
    }

    fn transfer(amount: u64) -> Transaction {
        let instruction = Instruction::new(TOKEN)
            .account(AccountMeta::writable(FROM))
            .account(AccountMeta::writable(TO))
            .account(AccountMeta::readonly_signer(OWNER))
            .data(instruction_data(amount));
        Transaction::new([instruction]).payer(OWNER)
    }

    fn tokens(&self, key: &Pubkey) -> u64 {
        tokens(&self.ledger.account(key).unwrap())
    }
}

impl Runner for InLedger {
    fn name(&self) -> &str {
        "ledger"
    }

    fn run(&mut self, time: &mut dyn FnMut(&mut dyn FnMut())) {
        let transfers: Vec<Transaction> = (1..=CHUNK).map(Self::transfer).collect();
        let mut transfers = Some(transfers);
        time(&mut || {
            for transfer in transfers.take().into_iter().flatten() {
                assert!(self.ledger.send(transfer).is_success());
            }
        });
    }

    fn check(&mut self) -> u64 {
        let before = [FROM, TO].map(|key| self.tokens(&key));
        let outcome = self.ledger.send(Self::transfer(7));
        assert!(outcome.is_success());
        let after = [FROM, TO].map(|key| self.tokens(&key));
        assert_eq!(after, [before[0] - 7, before[1] + 7]);
        outcome.gas_used
    }
}
