//! What a loader sets for all its programs and their invocations.

use crate::limits::Limits;
use crate::log_style::LogStyle;
use crate::prices::Prices;
use crate::syscall_set::SyscallSet;

/// What a loader sets for all its programs and their invocations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub limits: Limits,
    pub prices: Prices,
    pub log_style: LogStyle,
    pub syscalls: SyscallSet,
}
