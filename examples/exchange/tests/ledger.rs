//! The exchange and the token on a ledger: two programs, on every target.

use exchange::{ExchangeError, Pool, amount_out};
use program_test::{
    AccountMeta, Instruction, Pubkey, TestLedger, find_program_address, for_each_target, key,
    program, system,
};
use token::TokenError;
use token::state::{Holding, Mint};

/// The programs, and the address of the pool.
struct Market {
    exchange: Pubkey,
    token: Pubkey,
    pool: Pubkey,
}

/// Deploys both programs. Carol opens a pool of 1,000,000 coins and 2,000,000 gold. Tom has 5,000
/// coins.
fn market(ledger: &mut TestLedger) -> Market {
    let exchange = ledger.deploy(program!());
    // The exchange calls only the token program with this id.
    let token = ledger.deploy(program!("../token").id(token::ID));
    let [carol, coin_vault, gold_vault] = ["carol", "coin_vault", "gold_vault"].map(key);
    let seeds = [
        b"pool",
        &carol.as_bytes()[..],
        coin_vault.as_bytes(),
        gold_vault.as_bytes(),
    ];
    let (pool, bump) = find_program_address(&seeds, &exchange).expect("an address");
    ledger.name("pool", pool);
    ledger.fund(carol, 10_000_000);
    for coin in ["coins", "gold"] {
        let mint = Mint {
            authority: carol,
            supply: 0,
            decimals: 2,
            is_made: 1,
            padding: [0; 6],
        };
        ledger.create(key(coin), token, mint);
    }
    for (holding, mint, owner) in [
        ("coin_vault", "coins", pool),
        ("gold_vault", "gold", pool),
        ("toms_coins", "coins", key("tom")),
        ("toms_gold", "gold", key("tom")),
    ] {
        ledger.create(key(holding), token, [0_u8; size_of::<Holding>()]);
        let make = Instruction::new(token)
            .account(AccountMeta::writable(key(holding)))
            .account(AccountMeta::readonly(key(mint)))
            .account(AccountMeta::readonly(owner))
            .data([1]);
        ledger.send(make).assert_success();
    }
    let mint = |mint: &str, to: &str, amount: u64| {
        Instruction::new(token)
            .account(AccountMeta::writable(key(mint)))
            .account(AccountMeta::writable(key(to)))
            .account(AccountMeta::readonly_signer(carol))
            .data([&[2], &amount.to_le_bytes()[..]].concat())
    };
    let open = Instruction::new(exchange)
        .account(AccountMeta::writable_signer(carol))
        .account(AccountMeta::writable(pool))
        .account(AccountMeta::writable(coin_vault))
        .account(AccountMeta::writable(gold_vault))
        .account(AccountMeta::readonly(token))
        .account(AccountMeta::readonly(system::ID))
        .data([0, bump]);
    ledger
        .send([
            mint("coins", "coin_vault", 1_000_000),
            mint("gold", "gold_vault", 2_000_000),
            mint("coins", "toms_coins", 5_000),
            open,
        ])
        .assert_success();
    Market {
        exchange,
        token,
        pool,
    }
}

impl Market {
    /// Tom puts coins in, and wants at least so much gold.
    fn swap(&self, amount: u64, least: u64) -> Instruction {
        Instruction::new(self.exchange)
            .account(AccountMeta::readonly_signer(key("tom")))
            .account(AccountMeta::writable(key("toms_coins")))
            .account(AccountMeta::writable(key("toms_gold")))
            .account(AccountMeta::readonly(self.pool))
            .account(AccountMeta::writable(key("coin_vault")))
            .account(AccountMeta::writable(key("gold_vault")))
            .account(AccountMeta::readonly(self.token))
            .data([&[1], &amount.to_le_bytes()[..], &least.to_le_bytes()].concat())
    }
}

#[test]
fn tom_swaps_coins_for_gold_in_several_steps() {
    for_each_target(|ledger| {
        let market = market(ledger);
        let pool: Pool = ledger.data_as(market.pool);
        assert_eq!(pool.creator, key("carol"));

        let outcome = ledger.send([market.swap(1_000, 1_992), market.swap(1_000, 1_988)]);
        outcome.assert_success();
        // Each swap calls the token twice.
        let calls: usize = outcome
            .instructions
            .iter()
            .map(|swap| swap.calls.len())
            .sum();
        assert_eq!(calls, 4);

        let first = amount_out(1_000_000, 2_000_000, 1_000);
        let second = amount_out(1_001_000, 2_000_000 - first, 1_000);
        let amount = |holding: Holding| holding.amount;
        ledger
            .assert_account(key("toms_gold"))
            .field(amount, first + second);
        ledger
            .assert_account(key("toms_coins"))
            .field(amount, 3_000);
        ledger
            .assert_account(key("coin_vault"))
            .field(amount, 1_002_000);
    });
}

#[test]
fn price_that_is_too_high_keeps_the_first_swap_from_taking_effect() {
    for_each_target(|ledger| {
        let market = market(ledger);
        ledger
            .send([market.swap(1_000, 0), market.swap(1_000, 1_992)])
            .assert_error(ExchangeError::PriceTooHigh);
        ledger
            .assert_account(key("toms_gold"))
            .field(|holding: Holding| holding.amount, 0);
    });
}

#[test]
fn error_of_the_token_reaches_the_trader() {
    for_each_target(|ledger| {
        let market = market(ledger);
        ledger
            .send(market.swap(5_001, 0))
            .assert_error(TokenError::TooFewTokens);
    });
}
