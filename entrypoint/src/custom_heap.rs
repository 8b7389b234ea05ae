//! A program's own global allocator.

/// Declares a static that is the global allocator on every target of programs.
///
/// Use it with `heap = custom`, or with the feature `custom-heap`, for an allocator that
/// [`custom_heap_default!`](crate::custom_heap_default!) does not offer. In a build for unit tests
/// the static exists, but the global allocator is that of `std`.
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
/// Attributes, such as documentation, and a visibility may precede `static`. The allocator may take
/// its memory from [`allocator::LoaderHeap`], as here, which the host announces on every target, or
/// from another source.
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
