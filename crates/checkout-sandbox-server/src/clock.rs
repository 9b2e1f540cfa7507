//! The clock of a world: its pace, and the way to the sandboxes' virtual clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkout_sandbox::VirtualClock;
use checkout_tables::Moment;
use serde_json::{Value, json};

/// The pace at which a world's time passes.
///
/// ```
/// use checkout_sandbox_server::Pace;
///
/// assert_eq!(Pace::default(), Pace::Real);
/// assert_ne!(Pace::Times(60), Pace::Frozen);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// The machine's pace.
    #[default]
    Real,
    /// The time stands still until somebody advances the clock.
    Frozen,
    /// This many times the machine's pace.
    Times(u32),
}

/// The beginning of a world's time. The default is the machine's time at the machine's pace.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    pub(crate) pace: Pace,
    /// `None` for the machine's time.
    pub(crate) at: Option<Moment>,
}

impl Pace {
    pub(crate) fn to_json(self) -> Value {
        match self {
            Self::Real => json!({ "pace": "real" }),
            Self::Frozen => json!({ "pace": "frozen" }),
            Self::Times(times) => json!({ "pace": "times", "times": times }),
        }
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        match json.get("pace")?.as_str()? {
            "real" => Some(Self::Real),
            "frozen" => Some(Self::Frozen),
            "times" => Some(Self::Times(u32::try_from(json.get("times")?.as_u64()?).ok()?)),
            _ => None,
        }
    }
}

impl Start {
    pub(crate) fn to_json(self) -> Value {
        let mut json = self.pace.to_json();
        if let (Some(json), Some(at)) = (json.as_object_mut(), self.at) {
            json.insert("unix_ms".to_owned(), at.unix_millis().into());
        }
        json
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let at = json.get("unix_ms").and_then(Value::as_i64).map(Moment::from_unix_millis);
        Some(Self { pace: Pace::from_json(json)?, at })
    }
}

/// A world's clock. The time of a world never goes back.
///
/// The clock reads no other clock: each call gets the machine's present moment. Between two calls the virtual
/// clock stands still.
pub(crate) struct WorldClock {
    shown: VirtualClock,
    course: Mutex<Course>,
}

/// A line through two anchors, the moments of the machine and of the world that fall together.
#[derive(Clone, Copy, Debug)]
struct Course {
    pace: Pace,
    machine: Moment,
    world: Moment,
}

impl WorldClock {
    pub(crate) fn new(start: Start, machine: Moment) -> Self {
        let world = start.at.unwrap_or(machine);
        let course = Course { pace: start.pace, machine, world };
        Self { shown: VirtualClock::new(world), course: Mutex::new(course) }
    }

    /// Begins again. `go_back` brings the virtual clock back to a moment that is not after the beginning.
    pub(crate) fn begin_again(&self, start: Start, machine: Moment, go_back: impl FnOnce()) {
        let mut course = self.course();
        go_back();
        let world = start.at.unwrap_or(machine);
        self.shown.advance_to(world);
        // The machine's clock may have been set back since.
        *course = Course { pace: start.pace, machine, world: self.shown.now() };
    }

    /// Goes to another time, with another pace. `go` brings the virtual clock to that time.
    pub(crate) fn go_to(&self, pace: Pace, machine: Moment, go: impl FnOnce()) {
        let mut course = self.course();
        go();
        *course = Course { pace, machine, world: self.shown.now() };
    }

    /// The pace and the time, with the things that `look` sees while the time stands still.
    pub(crate) fn hold<T>(&self, look: impl FnOnce() -> T) -> (Pace, Moment, T) {
        let course = self.course();
        let seen = look();
        (course.pace, self.shown.now(), seen)
    }

    /// The sandboxes' clock, which shows the world's time of the latest call.
    pub(crate) fn shown(&self) -> &VirtualClock {
        &self.shown
    }

    pub(crate) fn pace(&self) -> Pace {
        self.course().pace
    }

    /// Brings the virtual clock up to the world's time, and returns the time that the virtual clock shows.
    ///
    /// A sandbox itself advances the virtual clock for a slow answer. The virtual clock then stands still
    /// until the world's time has caught up.
    pub(crate) fn catch_up(&self, machine: Moment) -> Moment {
        self.reach(&self.course(), machine)
    }

    /// Changes the pace. The time goes on from the present time.
    pub(crate) fn set(&self, pace: Pace, machine: Moment) {
        let mut course = self.course();
        *course = Course { pace, machine, world: self.reach(&course, machine) };
    }

    /// Moves the time forward, and leaves the pace as the pace is.
    pub(crate) fn advance(&self, by: Duration, machine: Moment) {
        let mut course = self.course();
        self.reach(&course, machine);
        self.shown.advance(by);
        *course = Course { machine, world: self.shown.now(), ..*course };
    }

    fn reach(&self, course: &Course, machine: Moment) -> Moment {
        self.shown.advance(course.at(machine).saturating_since(self.shown.now()));
        self.shown.now()
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Course {
    fn at(&self, machine: Moment) -> Moment {
        let passed = machine.saturating_since(self.machine);
        let passed = match self.pace {
            Pace::Real => passed,
            Pace::Frozen => Duration::ZERO,
            Pace::Times(times) => passed.saturating_mul(times),
        };
        self.world.saturating_add(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Moment {
        Moment::from_unix_millis(millis)
    }

    #[test]
    fn each_pace_passes_as_its_name_says() {
        for (pace, expected) in [(Pace::Real, 1_500), (Pace::Frozen, 500), (Pace::Times(60), 60_500)] {
            let clock = WorldClock::new(Start { pace, at: Some(at(500)) }, at(10_000));
            assert_eq!(clock.catch_up(at(10_000)), at(500));
            assert_eq!(clock.catch_up(at(11_000)), at(expected), "{pace:?}");
            assert_eq!(clock.shown().now(), at(expected), "{pace:?}");
        }
    }

    #[test]
    fn the_time_never_goes_back() {
        let clock = WorldClock::new(Start::default(), at(10_000));
        clock.advance(Duration::from_secs(3_600), at(10_000));
        assert_eq!(clock.catch_up(at(10_001)), at(3_610_001));
        // The machine's clock is set back.
        assert_eq!(clock.catch_up(at(5_000)), at(3_610_001));
        clock.set(Pace::Frozen, at(10_001));
        assert_eq!(clock.catch_up(at(99_999)), at(3_610_001));
        // Real again: from the time at which the clock stood.
        clock.set(Pace::Real, at(100_000));
        assert_eq!(clock.catch_up(at(100_500)), at(3_610_501));
    }

    #[test]
    fn a_slow_answer_makes_the_clock_wait_for_the_machine() {
        let clock = WorldClock::new(Start::default(), at(10_000));
        clock.shown().advance(Duration::from_millis(700));
        assert_eq!(clock.catch_up(at(10_500)), at(10_700));
        assert_eq!(clock.catch_up(at(10_800)), at(10_800));
    }

    #[test]
    fn a_pace_without_end_stops_at_the_end_of_the_range() {
        let clock = WorldClock::new(Start { pace: Pace::Times(u32::MAX), at: None }, at(i64::MAX - 5));
        assert_eq!(clock.catch_up(at(i64::MAX)), at(i64::MAX));
    }
}
