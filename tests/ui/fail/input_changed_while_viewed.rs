//! The input is not changed while an account views it.

fn main() {
    let mut bytes = vec![0; 56];
    let input = entrypoint::input::read(&mut bytes).unwrap();
    bytes[0] = 1;
    println!("{}", input.accounts.len());
}
