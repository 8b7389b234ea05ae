//! Accounts in the file. Data is in pieces, so that a change of a long account writes the pieces
//! that differ and no others. The first piece is in the account's own record, after a header.

use bytemuck::{Pod, Zeroable};
use loader::{Account, Pubkey};
use redb::{ReadableTable, Table};

use super::AccountWrite;

/// The length of a piece in bytes, but for the last. With its key it fits in four of the database's
/// pages of 4,096 bytes.
const PIECE: usize = 16_000;

/// What precedes the first piece in the record of an account.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    owner: Pubkey,
    kelvins: u64,
    rent_epoch: u64,
    /// The length of all pieces together.
    length: u64,
    /// 1 for an account that holds a program.
    executable: u64,
}

/// Writes an account, or removes it. `before` is what the tables have.
pub(super) fn write(
    accounts: &mut Table<'_, [u8; 32], &'static [u8]>,
    data: &mut Table<'_, ([u8; 32], u32), &'static [u8]>,
    write: &AccountWrite<'_>,
) -> Result<(), redb::Error> {
    let key = *write.key.as_bytes();
    match write.after {
        Some(after) => accounts.insert(key, &*record(after))?,
        None => accounts.remove(key)?,
    };
    let mut before = pieces(write.before);
    let mut after = pieces(write.after);
    for number in 1_u32.. {
        match (before.next(), after.next()) {
            (None, None) => break,
            (before, Some(after)) if before != Some(after) => {
                data.insert((key, number), after)?;
            }
            (Some(_), None) => {
                data.remove((key, number))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn record(account: &Account) -> Vec<u8> {
    let header = Header {
        owner: account.owner,
        kelvins: account.kelvins,
        rent_epoch: account.rent_epoch,
        length: account.data.len() as u64,
        executable: u64::from(account.executable),
    };
    let first = account.data.chunks(PIECE).next().unwrap_or_default();
    [bytemuck::bytes_of(&header), first].concat()
}

/// The pieces of an account's data, without the first.
fn pieces(account: Option<&Account>) -> impl Iterator<Item = &[u8]> {
    let data = account.map_or(&[][..], |account| &account.data);
    data.chunks(PIECE).skip(1)
}

/// Reads an account.
pub(super) fn read(
    key: [u8; 32],
    record: &[u8],
    data: &impl ReadableTable<([u8; 32], u32), &'static [u8]>,
) -> Result<Result<Account, String>, redb::Error> {
    let invalid = |what: String| Ok(Err(format!("the account {} {what}", Pubkey::new(key))));
    let Some((header, first)) = record.split_at_checked(size_of::<Header>()) else {
        return invalid(format!("has a record of {} bytes", record.len()));
    };
    let header: Header = bytemuck::pod_read_unaligned(header);
    let mut account = Account {
        key: Pubkey::new(key),
        owner: header.owner,
        kelvins: header.kelvins,
        data: first.into(),
        executable: header.executable == 1,
        rent_epoch: header.rent_epoch,
    };
    if first.len() == PIECE {
        for piece in data.range((key, 1)..=(key, u32::MAX))? {
            account.data.extend_from_slice(piece?.1.value());
        }
    }
    let length = account.data.len();
    if length as u64 != header.length {
        return invalid(format!("has {length} of {} bytes of data", header.length));
    }
    Ok(Ok(account))
}
