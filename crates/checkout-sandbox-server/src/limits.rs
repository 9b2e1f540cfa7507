//! The limits that the sandboxes of a world enforce, with their use.

use checkout_sandbox::LimitUse;

use crate::keys::Keys;
use crate::provider::Provider;
use crate::world::Played;

/// The limits of a world: the provider, the requests that the limit counts, and the use.
pub(crate) fn of(played: &Played, keys: &Keys) -> Vec<(Provider, &'static str, LimitUse)> {
    let of_allscale = played.allscale.limit_use(&keys.allscale_api_key);
    let of_peach = played.peach.limit_use(&keys.peach_entity_id);
    let of_allscale = of_allscale.map(|of| (Provider::AllScale, "requests in a minute of the clock", of));
    let of_peach = of_peach.map(|of| (Provider::Peach, "reads of a status in 60 seconds", of));
    of_allscale.into_iter().chain(of_peach).collect()
}
