//! The access tokens that lead to a world, with their ends.

use std::collections::VecDeque;
use std::time::Duration;

use checkout_tables::Moment;

/// The access tokens that lead to a world. A token that the world's sandbox has forgotten leads nowhere.
#[derive(Default)]
pub(crate) struct Tokens {
    /// All tokens of a sandbox last equally long, so the first ends first.
    ends: VecDeque<(Moment, String)>,
    /// The tokens that a reset has ended.
    ended: Vec<String>,
}

impl Tokens {
    /// Adds a token, and returns the tokens that have ended by the second moment. The first is the present.
    pub(crate) fn add(
        &mut self,
        token: String,
        seconds: u64,
        (now, ended_by): (Moment, Moment),
    ) -> Vec<String> {
        let mut ended = std::mem::take(&mut self.ended);
        while self.ends.front().is_some_and(|(ends, _)| *ends <= ended_by) {
            ended.extend(self.ends.pop_front().map(|(_, token)| token));
        }
        // After a reset, a sandbox gives the same tokens out again.
        ended.retain(|other| *other != token);
        self.ends.push_back((now.saturating_add(Duration::from_secs(seconds)), token));
        ended
    }

    /// Ends all tokens.
    pub(crate) fn end_all(&mut self) {
        self.ended.extend(self.ends.drain(..).map(|(_, token)| token));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_with_its_time_or_with_a_reset() {
        let at = Moment::from_unix_seconds;
        let mut tokens = Tokens::default();
        let add =
            |tokens: &mut Tokens, token: &str, now| tokens.add(token.to_owned(), 60, (at(now), at(now)));
        assert!(add(&mut tokens, "a", 0).is_empty());
        assert!(add(&mut tokens, "b", 59).is_empty());
        assert_eq!(add(&mut tokens, "c", 60), ["a"]);
        tokens.end_all();
        assert_eq!(add(&mut tokens, "b", 60), ["c"]);
        assert!(add(&mut tokens, "d", 61).is_empty());
    }
}
