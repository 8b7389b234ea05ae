//! Handlers on machines whose hosts call the entry alone.

/// Nothing: there is no such export.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_handler {
    ($name:ident, $answer:ident) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __ask_host {
    ($call:ident, $name:ident, $given:ident) => {
        $call.__asked().ask(::core::stringify!($name), $given)
    };
}
