//! The memory of a lone watch.

use crate::world::{of_allscale, of_azotte, of_peach};
use checkout_client::{Watch, Watchable};

/// About one kilobyte, as the documentation of `Watch` states.
const STATED: usize = 1_100;

/// The bytes of a new watch, with the bytes that the watch holds elsewhere.
fn bytes<E: Watchable>(make: impl FnOnce() -> Watch<E>) -> usize {
    let mut watch = None;
    let counted = allocation_counter::measure(|| watch = Some(make()));
    size_of::<Watch<E>>() + usize::try_from(counted.bytes_current).unwrap()
}

#[test]
fn a_lone_watch_takes_at_most_the_stated_bytes() {
    let sandbox = checkout_sandbox::allscale::Sandbox::new(1);
    let client = of_allscale::client(&sandbox);
    let allscale = bytes(|| client.watch("65b2f3d0d2d9c0a1b2c3d4e5").unwrap());
    let sandbox = checkout_sandbox::azotte::Sandbox::new(1);
    let client = of_azotte::client(&sandbox);
    let azotte = bytes(|| client.watch("a0a7a8d0-0000-4000-8000-000000000001").unwrap());
    let sandbox = checkout_sandbox::peach::Sandbox::new(1);
    let client = of_peach::client(&sandbox);
    let checkout = of_peach::checkout();
    let peach = bytes(|| client.watch(checkout.lookup()));
    let by_v2 = of_peach::v2(&sandbox).build().unwrap();
    let v2 = bytes(|| by_v2.watch("0123456789abcdef0123456789abcdef").unwrap());
    for (provider, bytes) in
        [("AllScale", allscale), ("Azotte", azotte), ("Peach V1", peach), ("Peach V2", v2)]
    {
        assert!(bytes <= STATED, "{provider}: {bytes}");
    }
}
