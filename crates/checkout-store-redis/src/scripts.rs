//! The scripts, each one atomic step.

use redis::Script;
use std::borrow::Cow;

/// The texts of the scripts for one prefix. Those that ask for something begin with a look for a loss.
///
/// A server keeps scripts in its memory alone, and forgets them when it starts. So a server that does not
/// know a script may have started anew, and has to be looked at. The prefix is part of each text:
/// the scripts of another prefix say nothing of this one.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) room: Named,
    pub(crate) reserve: Named,
    pub(crate) end: Named,
    pub(crate) wait: Named,
    pub(crate) claim: Named,
    pub(crate) commit: Named,
    pub(crate) release: Named,
    pub(crate) word: Named,
}

/// A script, and the hash by which a server knows the script.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) text: String,
    pub(crate) hash: String,
}

const TIME: &str = "local t = redis.call('TIME')
local micros = t[1] * 1000000 + t[2]
local now = math.floor(micros / 1000)
";

/// The exact digits of a whole number below 2^53.
const FORMAT: &str = "local function fmt(n) return string.format('%.0f', n) end
";

/// A part of a script: its name, and its text.
type Part = (&'static str, &'static str);

const EPOCH: Part = ("epoch", include_str!("lua/epoch.lua"));
const ROOM: Part = ("room", include_str!("lua/room.lua"));
const RESERVE: Part = ("reserve", include_str!("lua/reserve.lua"));
const END: Part = ("end", include_str!("lua/end.lua"));
const WAIT: Part = ("wait", include_str!("lua/wait.lua"));
const CLAIM: Part = ("claim", include_str!("lua/claim.lua"));
const COMMIT: Part = ("commit", include_str!("lua/commit.lua"));
const RELEASE: Part = ("release", include_str!("lua/release.lua"));
const WORD: Part = ("word", include_str!("lua/word.lua"));

#[cfg(not(test))]
const fn text_of(part: Part) -> Cow<'static, str> {
    Cow::Borrowed(part.1)
}

#[cfg(test)]
fn text_of(part: Part) -> Cow<'static, str> {
    let mutant = MUTANT.with_borrow(|mutant| mutant.clone().filter(|(of, _)| *of == part.0));
    mutant.map_or(Cow::Borrowed(part.1), |(_, text)| Cow::Owned(text))
}

#[cfg(test)]
pub(crate) const PARTS: [Part; 9] = [EPOCH, ROOM, RESERVE, END, WAIT, CLAIM, COMMIT, RELEASE, WORD];

#[cfg(test)]
thread_local! {
    /// A part, and the text that this thread takes in its place.
    pub(crate) static MUTANT: std::cell::RefCell<Option<(&'static str, String)>> =
        const { std::cell::RefCell::new(None) };
}

impl Scripts {
    /// The scripts for a prefix; `clock` is a key that holds the time in place of the server's.
    pub(crate) fn new(prefix: &str, clock: Option<&str>) -> Self {
        let time = clock.map(|key| {
            format!("local now = tonumber(redis.call('GET', '{key}'))\nlocal micros = now * 1000\n")
        });
        let head = format!("-- {prefix}\n{}{FORMAT}", time.as_deref().unwrap_or(TIME));
        // A server without room refuses a script before it begins, but for those that free something.
        let named = |flags: &str, parts: &[Part]| {
            let parts: String = parts.iter().map(|part| text_of(*part)).collect();
            let text = format!("#!lua{flags}\n{head}{parts}");
            let hash = Script::new(&text).get_hash().to_owned();
            Named { text, hash }
        };
        Self {
            room: named("", &[EPOCH, ROOM]),
            reserve: named("", &[EPOCH, RESERVE]),
            end: named(" flags=allow-oom", &[END]),
            wait: named(" flags=allow-oom", &[WAIT]),
            claim: named("", &[EPOCH, CLAIM]),
            commit: named("", &[COMMIT]),
            release: named(" flags=allow-oom", &[RELEASE]),
            word: named("", &[EPOCH, WORD]),
        }
    }

    pub(crate) fn all(&self) -> [&Named; 8] {
        [
            &self.room,
            &self.reserve,
            &self.end,
            &self.wait,
            &self.claim,
            &self.commit,
            &self.release,
            &self.word,
        ]
    }
}
