//! An account does not outlive the input.

fn main() {
    let account = {
        let mut bytes = vec![0; 56];
        let input = entrypoint::input::read(&mut bytes).unwrap();
        input.accounts[0]
    };
    println!("{}", account.kelvins());
}
