//! Assertions about an account.

use std::any::type_name;
use std::fmt::{Debug, Display};
use std::sync::Arc;

use bytemuck::AnyBitPattern;
use ledger::{Account, Pubkey};
use loader::display::thousands;

use super::{Known, diff};

/// Assertions about an account: see [`TestLedger::assert_account`](crate::TestLedger::assert_account).
/// Each panics if the account differs, and shows the difference.
///
/// ```
/// use program_test::{TestLedger, key};
///
/// let mut ledger = TestLedger::new();
/// let [alice, program] = ["alice", "program"].map(key);
/// ledger.create(alice, program, [1_u32, 2]);
/// ledger
///     .assert_account(alice)
///     .kelvins(ledger.sysvars().rent.minimum_balance(8))
///     .owner(program)
///     .data_as([1_u32, 2]);
/// ```
#[derive(Clone, Debug)]
pub struct AccountAssertion<'a> {
    account: Arc<Account>,
    known: &'a Known,
}

impl<'a> AccountAssertion<'a> {
    pub(super) fn new(account: Arc<Account>, known: &'a Known) -> Self {
        Self { account, known }
    }

    /// Asserts what the account holds.
    ///
    /// # Panics
    ///
    /// If it is another amount.
    #[track_caller]
    pub fn kelvins(self, kelvins: u64) -> Self {
        let found = self.account.kelvins;
        if found != kelvins {
            self.fail("kelvins", &thousands(kelvins), &thousands(found));
        }
        self
    }

    /// Asserts which program the account belongs to.
    ///
    /// # Panics
    ///
    /// If it is another.
    #[track_caller]
    pub fn owner(self, owner: Pubkey) -> Self {
        if self.account.owner != owner {
            let [expected, found] =
                [owner, self.account.owner].map(|owner| self.known.names.show(&owner));
            self.fail("owner", &expected, &found);
        }
        self
    }

    /// Asserts the bytes of the account's data.
    ///
    /// # Panics
    ///
    /// If they are others.
    #[track_caller]
    pub fn data(self, data: impl AsRef<[u8]>) -> Self {
        let found = &self.account.data;
        if found != data.as_ref() {
            self.fail("data", &lines(data.as_ref()), &lines(found));
        }
        self
    }

    /// Asserts the value that the account's data are.
    ///
    /// # Panics
    ///
    /// If it is another, or the data do not have the length of the type. The message has the fields
    /// that differ.
    #[track_caller]
    pub fn data_as<T: AnyBitPattern + Debug + PartialEq>(self, expected: T) -> Self {
        let found: T = self.read();
        if found != expected {
            let difference = diff::of_values(&expected, &found);
            self.panic(&format!(
                "has other data (- expected, + found):\n{difference}"
            ));
        }
        self
    }

    /// Asserts one field, or whatever else the function returns, of the value that the account's
    /// data are.
    ///
    /// ```
    /// use program_test::{TestLedger, key};
    ///
    /// let mut ledger = TestLedger::new();
    /// ledger.create(key("pair"), key("program"), [1_u32, 2]);
    /// ledger.assert_account(key("pair")).field(|pair: [u32; 2]| pair[1], 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If the function returns another value, or the data do not have the length of the type.
    #[track_caller]
    pub fn field<T: AnyBitPattern, V: Debug + PartialEq>(
        self,
        field: impl FnOnce(T) -> V,
        expected: V,
    ) -> Self {
        let found = field(self.read());
        if found != expected {
            let difference = diff::of_values(&expected, &found);
            self.panic(&format!(
                "has other data (- expected, + found):\n{difference}"
            ));
        }
        self
    }

    /// The value that the account's data are.
    ///
    /// # Panics
    ///
    /// If the data do not have the length of the type.
    #[must_use]
    #[track_caller]
    pub fn read<T: AnyBitPattern>(&self) -> T {
        let data = &self.account.data;
        match bytemuck::try_pod_read_unaligned(data) {
            Ok(value) => value,
            Err(_) => self.panic(&format!(
                "has {} bytes of data, and a {} has {}",
                thousands(data.len()),
                type_name::<T>(),
                thousands(size_of::<T>())
            )),
        }
    }

    #[track_caller]
    fn fail(&self, what: &str, expected: &dyn Display, found: &dyn Display) {
        let difference = diff::of_texts(&format!("{expected}\n"), &format!("{found}\n"));
        self.panic(&format!(
            "has other {what} (- expected, + found):\n{difference}"
        ));
    }

    #[track_caller]
    fn panic(&self, what: &str) -> ! {
        let message = format!(
            "the account {}{} {what}",
            self.account.key,
            self.known.place()
        );
        panic!("{}", self.known.names.in_text(&message));
    }
}

/// Bytes in hexadecimal, 16 a line, each with its position.
fn lines(data: &[u8]) -> String {
    let lines = data.chunks(16).enumerate().map(|(index, bytes)| {
        let bytes: String = bytes.iter().map(|byte| format!(" {byte:02x}")).collect();
        format!("{:>6}:{bytes}\n", 16 * index)
    });
    lines.collect()
}
