//! Accounts and borrows of their data are neither `Send` nor `Sync`.

use entrypoint::input::{Input, LazyAccounts};
use entrypoint::{AccountInfo, Ref, RefMut};

/// The compiler can infer `Marker` only if the type is not `Send`.
trait NotSend<Marker> {
    fn check() {}
}

impl<T: ?Sized> NotSend<()> for T {}
impl<T: ?Sized + Send> NotSend<u8> for T {}

/// The compiler can infer `Marker` only if the type is not `Sync`.
trait NotSync<Marker> {
    fn check() {}
}

impl<T: ?Sized> NotSync<()> for T {}
impl<T: ?Sized + Sync> NotSync<u8> for T {}

fn main() {
    <AccountInfo as NotSend<_>>::check();
    <AccountInfo as NotSync<_>>::check();
    <Ref<[u8]> as NotSend<_>>::check();
    <Ref<[u8]> as NotSync<_>>::check();
    <RefMut<[u8]> as NotSend<_>>::check();
    <RefMut<[u8]> as NotSync<_>>::check();
    <Input as NotSend<_>>::check();
    <Input as NotSync<_>>::check();
    <LazyAccounts as NotSend<_>>::check();
    <LazyAccounts as NotSync<_>>::check();
}
