//! Neither an argument nor a host's reply outlives the call.

use std::cell::Cell;

use entrypoint::handler::Call;

entrypoint::handler!(argument, answer, forever);

entrypoint::host_functions! {
    fn header(name: &str) -> Option<&str>;
}

thread_local! {
    static KEPT: Cell<&'static str> = const { Cell::new("") };
}

fn argument(call: Call<'_>) {
    KEPT.set(call.text().unwrap().unwrap());
}

fn answer(call: Call<'_>) {
    KEPT.set(header(call, "host").unwrap().unwrap());
}

fn forever(call: Call<'static>) {
    KEPT.set(call.text().unwrap().unwrap());
}

fn main() {}
