//! Verdicts of the check before a program is deployed.

use loader::deploy::{self, NotDeployable};

use super::cases::blobs::{COUNT, case};
use super::compare;

#[test]
fn blobs_have_the_runtimes_verdicts() {
    let path = tests::project().join("tests/tests/runtime/vectors/program.polkavm");
    let program = std::fs::read(path).expect("a blob");
    compare("blobs.txt", COUNT, |number| {
        let verdict = match deploy::check(&case(number, &program)) {
            Ok(()) => "ok",
            Err(NotDeployable::InvalidBlob { .. } | NotDeployable::InstructionSet { .. }) => {
                "failed to parse program"
            }
            Err(NotDeployable::Not64Bit) => "program is not a 64-bit program",
            Err(NotDeployable::StackTooLarge { .. }) => "program stack is too large",
            Err(NotDeployable::MissingEntrypoint) => "program doesn't have an entrypoint",
            Err(other) => panic!("{other}"),
        };
        verdict.to_owned()
    });
}
