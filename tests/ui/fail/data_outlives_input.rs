//! A borrow of the data of an account does not outlive the input.

fn main() {
    let data = {
        let mut bytes = vec![0; 56];
        let input = entrypoint::input::read(&mut bytes).unwrap();
        input.accounts[0].try_borrow_data().unwrap()
    };
    println!("{}", data.len());
}
