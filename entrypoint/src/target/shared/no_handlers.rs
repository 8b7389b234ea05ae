//! Handlers on targets whose hosts call only the entry.

/// Expands to nothing: there are no handlers on this target.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_handler {
    ($name:ident, $answer:ident) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __call_host {
    ($call:ident, $name:ident, $given:ident) => {
        $call.__host().call(::core::stringify!($name), $given)
    };
}
