//! Makes the input of a crash smaller, as long as the program crashes in the same way.

use loader::{AccountEntry, Invocation};

use super::mutate::remove;

/// Returns a smaller input of the same crash. `is_same` runs one, and returns whether it crashes as
/// before; it is called `most` times at most.
pub fn minimize(
    invocation: &Invocation,
    most: usize,
    mut is_same: impl FnMut(&Invocation) -> bool,
) -> Invocation {
    let mut best = invocation.clone();
    let mut left = most;
    let mut attempt = |best: &mut Invocation, change: &dyn Fn(&mut Invocation)| {
        let mut smaller = best.clone();
        change(&mut smaller);
        if left == 0 || smaller == *best {
            return false;
        }
        left -= 1;
        let is_kept = is_same(&smaller);
        if is_kept {
            *best = smaller;
        }
        is_kept
    };
    loop {
        let before = best.clone();
        for index in (0..best.accounts.len()).rev() {
            if index < best.accounts.len() {
                attempt(&mut best, &|smaller| remove(smaller, index));
            }
        }
        shrink(&mut best, &mut attempt, &|invocation| {
            Some(&mut invocation.data)
        });
        for index in 0..best.accounts.len() {
            shrink(
                &mut best,
                &mut attempt,
                &|invocation| match invocation.accounts.get_mut(index) {
                    Some(AccountEntry::First(input)) => Some(&mut input.account.data),
                    _ => None,
                },
            );
            let with = |change: fn(&mut loader::AccountInput)| {
                move |invocation: &mut Invocation| {
                    if let Some(AccountEntry::First(input)) = invocation.accounts.get_mut(index) {
                        change(input);
                    }
                }
            };
            attempt(&mut best, &with(|input| input.is_signer = false));
            attempt(&mut best, &with(|input| input.is_writable = false));
            attempt(&mut best, &with(|input| input.account.kelvins = 0));
        }
        if best == before {
            return best;
        }
    }
}

/// Tries an input that a change has made, and returns whether it is kept.
type Attempt<'a> = dyn FnMut(&mut Invocation, &dyn Fn(&mut Invocation)) -> bool + 'a;

/// The bytes of an input that are to become fewer.
type Bytes<'a> = dyn Fn(&mut Invocation) -> Option<&mut Vec<u8>> + 'a;

/// Removes bytes, first many at once, and then sets the others to zero.
fn shrink(best: &mut Invocation, attempt: &mut Attempt<'_>, bytes: &Bytes<'_>) {
    let length = |best: &mut Invocation| bytes(best).map_or(0, |bytes| bytes.len());
    let mut size = length(best).next_power_of_two();
    while size > 0 {
        let mut end = length(best);
        while end > 0 {
            let start = end.saturating_sub(size);
            attempt(best, &|smaller| {
                if let Some(bytes) = bytes(smaller) {
                    let end = end.min(bytes.len());
                    bytes.drain(start.min(end)..end);
                }
            });
            end = start;
        }
        size /= 2;
    }
    for place in 0..length(best) {
        attempt(best, &|smaller| {
            if let Some(byte) = bytes(smaller).and_then(|bytes| bytes.get_mut(place)) {
                *byte = 0;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use loader::{AccountInput, Pubkey};

    use super::*;

    #[test]
    fn only_what_the_crash_needs_is_left() {
        let account = AccountInput::new(Pubkey::new([1; 32]))
            .data([7; 100])
            .signer();
        let invocation = Invocation::new(Pubkey::new([2; 32]))
            .account(account)
            .data(*b"some bytes, then X and more");
        let is_crash = |invocation: &Invocation| invocation.data.contains(&b'X');
        let smallest = minimize(&invocation, 10_000, is_crash);
        assert_eq!(smallest.data, b"X");
        assert!(smallest.accounts.is_empty());
    }
}
