//! One program does the same on PolkaVM's two engines, on WebAssembly and on this machine itself.

use everywhere::Command;
use loader::{AccountInput, Invocation, Outcome, Pubkey};
use support_everywhere::{Step, call, engines, invoke, program};
use tests::PROGRAM_ID;

mod support_everywhere;

#[test]
fn probe() {
    for how in 0..20 {
        for with in [0,1,3,9,40] {
        let call = call(&[(Command::PanicAsRust, [how, with, 0])]);
        let outcomes: Vec<Outcome> = engines().into_iter().map(|engine| invoke(&program(engine, None), &call)).collect();
        println!("{:?}", outcomes[0].failure);
        for outcome in &outcomes {
            for d in outcomes[0].differences(outcome) { println!("    {d}"); }
        }
        }
    }
}
