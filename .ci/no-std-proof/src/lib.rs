//! A proof that the pure crates are `no_std`, on a target that has `std`.
//!
//! A static library is a final artifact: the compiler asks it for exactly one panic handler and, when `alloc` is
//! linked, for a global allocator. This one brings its own panic handler, so that the build
//!
//! - succeeds when every crate named here, and all they depend on, is `no_std`;
//! - fails with E0152 (duplicate lang item) as soon as one of them links `std`, which has a panic handler too;
//! - fails for want of a global memory allocator as soon as one of them links `alloc` and the feature `alloc` is off.
//!
//! `use … as _` is enough: it makes the compiler load the crate and everything below it, and that is where these
//! errors come from. A crate that is not named is not loaded, so a new pure crate needs its line here.
#![no_std]

// Without `alloc`.
use checkout_lifecycle as _;
use checkout_tables as _;

// With `alloc`.
#[cfg(feature = "alloc")]
mod with_alloc {
    use checkout_auth as _;
    use checkout_money as _;
    use checkout_poll as _;
    use checkout_validate as _;
    use checkout_wire as _;

    #[global_allocator]
    static ALLOCATOR: libc_alloc::LibcAlloc = libc_alloc::LibcAlloc;
}

// The negative controls.
#[cfg(feature = "control-alloc")]
extern crate alloc;
#[cfg(feature = "control-std")]
use checkout_transport as _;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
