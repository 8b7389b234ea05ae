//! A global allocator of the program's own.

/// Declares a static that is the global allocator wherever programs run.
///
/// It is for programs that say `heap = custom`, or have the feature `custom-heap`, and bring an allocator that
/// [`custom_heap_default!`](crate::custom_heap_default!) does not know. Where the program is compiled for its own unit tests the
/// static is there, and `std` has the allocator.
///
/// ```
/// use entrypoint::allocator::TracingAllocator;
/// use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey, msg};
///
/// entrypoint::entrypoint!(process_instruction, heap = custom);
/// entrypoint::custom_heap!(
///     static HEAP: TracingAllocator<BumpAllocator> =
///         // SAFETY: the only allocator over the announced heap, in a program that has one thread.
///         TracingAllocator::new(unsafe { BumpAllocator::new() });
/// );
///
/// fn process_instruction(
///     _program_id: &Pubkey,
///     _accounts: &[AccountInfo],
///     _instruction_data: &[u8],
/// ) -> ProgramResult {
///     msg!("{} allocations", HEAP.counts().allocations);
///     Ok(())
/// }
/// ```
///
/// Attributes, such as documentation, and a visibility may stand before `static`. The allocator may have its memory from
/// [`allocator::LoaderHeap`], as here, which the host announces on every machine, or from
/// elsewhere.
#[macro_export]
macro_rules! custom_heap {
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $value:expr $(;)?) => {
        $crate::__global_allocator! {
            $(#[$attribute])*
            $visibility static $name: $type = $value;
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "expected a static with its value\n\
             help: declare the allocator, as in `custom_heap!(static HEAP: Allocator = Allocator::new())`"
        );
    };
}
