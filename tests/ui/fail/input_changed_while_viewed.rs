//! A program cannot change the input while an account borrows it.

fn main() {
    let mut bytes = vec![0; 56];
    let input = entrypoint::input::read(&mut bytes).unwrap();
    bytes[0] = 1;
    println!("{}", input.accounts.len());
}
