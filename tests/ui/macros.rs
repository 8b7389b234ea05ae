//! Code that the macros reject or accept, with the compiler's messages.
//!
//! This is a package of its own because trybuild compiles every dependency of its package again.
#![forbid(unsafe_code)]

#[test]
fn macros() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("fail/*.rs");
    cases.pass("pass/*.rs");
}
