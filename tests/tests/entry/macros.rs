//! What the macros refuse and with which words, and what they accept.
#![forbid(unsafe_code)]

#[test]
fn macros() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/fail/*.rs");
    cases.pass("ui/pass/*.rs");
}
