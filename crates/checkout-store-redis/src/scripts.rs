//! The scripts, each one atomic step.

use redis::Script;

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

impl Scripts {
    /// The scripts for a prefix; `clock` is a key that holds the time in place of the server's.
    pub(crate) fn new(prefix: &str, clock: Option<&str>) -> Self {
        let time = clock.map(|key| {
            format!("local now = tonumber(redis.call('GET', '{key}'))\nlocal micros = now * 1000\n")
        });
        let head = format!("-- {prefix}\n{}{FORMAT}", time.as_deref().unwrap_or(TIME));
        // A server without room refuses a script before it begins, but for those that free something.
        let named = |flags: &str, parts: &[&str]| {
            let text = format!("#!lua{flags}\n{head}{}", parts.concat());
            let hash = Script::new(&text).get_hash().to_owned();
            Named { text, hash }
        };
        let epoch = include_str!("lua/epoch.lua");
        Self {
            room: named("", &[epoch, include_str!("lua/room.lua")]),
            reserve: named("", &[epoch, include_str!("lua/reserve.lua")]),
            end: named(" flags=allow-oom", &[include_str!("lua/end.lua")]),
            wait: named(" flags=allow-oom", &[include_str!("lua/wait.lua")]),
            claim: named("", &[epoch, include_str!("lua/claim.lua")]),
            commit: named("", &[include_str!("lua/commit.lua")]),
            release: named(" flags=allow-oom", &[include_str!("lua/release.lua")]),
            word: named("", &[epoch, include_str!("lua/word.lua")]),
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
