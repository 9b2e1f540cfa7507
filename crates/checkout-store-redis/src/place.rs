//! The calls that share a script.

/// A place that is asked for: the keys of the lane and of its wait, and the arguments of the script.
pub(crate) struct Reservation {
    pub(crate) keys: [String; 2],
    pub(crate) arguments: [String; 4],
}

/// The end of a place: the key of the lane, and the arguments of the script.
pub(crate) struct End {
    pub(crate) key: String,
    pub(crate) arguments: [String; 3],
}
