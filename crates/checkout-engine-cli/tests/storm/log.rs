//! The files in which the processes note what the storm counts: a process that is killed says nothing more.

use super::Outcome;
use super::weather::machine_now;
use checkout_engine::{Counters, EngineError, StoreError};
use checkout_tables::Moment;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

/// The notes of all processes. Each line is one write at the end of a file, so no process overwrites another.
#[derive(Clone)]
pub(crate) struct Log(pub(crate) Option<PathBuf>);

/// The mark of a request, by which the sandbox's log names the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The process' id.
    pub(crate) process: u32,
    /// The number of the request in the process.
    pub(crate) number: u64,
}

/// The header with the mark, which no provider looks at.
pub(crate) const MARK: &str = "x-storm-mark";

impl Mark {
    pub(crate) fn text(self) -> String {
        format!("{}.{}", self.process, self.number)
    }

    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let (process, number) = text.split_once('.')?;
        Some(Self { process: process.parse().ok()?, number: number.parse().ok()? })
    }
}

/// A request whose answer asked a process to wait, or did not come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The mark of the request.
    pub(crate) mark: Mark,
    /// The world's time before the request.
    pub(crate) sent: Moment,
    /// The world's time at which the answer had come, or the process waited for the answer no longer.
    pub(crate) came: Moment,
    /// True if the answer came.
    pub(crate) has_answer: bool,
}

/// An error of a process.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The process' id.
    pub(crate) process: u32,
    /// The machine's time in Unix milliseconds.
    pub(crate) machine_at: i64,
    /// The kind.
    pub(crate) kind: String,
    /// The words.
    pub(crate) text: String,
}

/// Leased work in which a process makes, or goes on to make, a checkout at the provider.
#[derive(Clone, Debug)]
pub(crate) struct Create {
    /// The process' id.
    pub(crate) process: u32,
    /// The reference of the order.
    pub(crate) reference: String,
    /// The world's time before the save that says so.
    pub(crate) began: Moment,
    /// The world's time after the write that ended the work. None if the process did not come so far.
    pub(crate) ended: Option<Moment>,
    /// True if an answer of the provider, or of the database, was none.
    pub(crate) has_fault: bool,
}

/// A step of a [`Create`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Making {
    Begins,
    Fault,
    Ends,
}

impl Making {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Begins, "begins"), (Self::Fault, "fault"), (Self::Ends, "ends")];
}

/// The things that a process has done, in the order of the columns of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) requests: u64,
    pub(crate) writes: u64,
    pub(crate) lost: u64,
    pub(crate) taken_over: u64,
    pub(crate) webhooks: u64,
    pub(crate) told: u64,
}

impl Done {
    pub(crate) fn of(counters: &Counters) -> Self {
        Self {
            requests: counters.requests(),
            writes: counters.writes(),
            lost: counters.lost(),
            taken_over: counters.taken_over(),
            webhooks: counters.webhooks(),
            told: counters.told(),
        }
    }

    fn columns(self) -> [u64; 6] {
        [self.requests, self.writes, self.lost, self.taken_over, self.webhooks, self.told]
    }

    fn of_columns([requests, writes, lost, taken_over, webhooks, told]: [u64; 6]) -> Self {
        Self { requests, writes, lost, taken_over, webhooks, told }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let (mut sum, other) = (self.columns(), other.columns());
        sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        Self::of_columns(sum)
    }

    pub(crate) fn since(self, before: Self) -> Self {
        let (mut rest, before) = (self.columns(), before.columns());
        rest.iter_mut().zip(before).for_each(|(rest, before)| *rest -= before);
        Self::of_columns(rest)
    }
}

impl Log {
    fn append(&self, file: &str, line: &str) {
        let Some(folder) = &self.0 else { return };
        let file = fs::OpenOptions::new().create(true).append(true).open(folder.join(file));
        // A note that is not written is missing in the figures alone.
        let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    }

    /// Notes an error under its kind.
    pub(crate) fn error(&self, kind: &str, text: &str) {
        eprintln!("{kind}: {text}");
        let (process, at, text) = (std::process::id(), machine_now(), text.replace(['\n', '\t'], " "));
        self.append("errors", &format!("{process}\t{at}\t{kind}\t{text}"));
    }

    pub(crate) fn engine_error(&self, error: &EngineError) {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            text += &format!(": {error}");
            source = error.source();
        }
        self.error(kind(error), &text);
    }

    pub(crate) fn done(&self, done: Done) {
        let columns = done.columns().map(|column| column.to_string());
        self.append("done", &columns.join(" "));
    }

    /// Notes that an answer has asked this process to wait, or did not come. The note is in the file before
    /// anybody acts.
    pub(crate) fn asked(&self, asked: Asked) {
        let Asked { mark, sent, came, has_answer } = asked;
        let (mark, sent, came) = (mark.text(), sent.unix_millis(), came.unix_millis());
        self.append("asked", &format!("{mark} {sent} {came} {has_answer}"));
    }

    /// The requests whose answers have asked a process to wait, or did not come.
    pub(crate) fn all_asked(&self) -> Outcome<Vec<Asked>> {
        let asked = |line: &str| -> Outcome<Asked> {
            let words: Vec<&str> = line.split(' ').collect();
            let [mark, sent, came, has_answer] = *words else { return Err("four words".into()) };
            let moment = |text: &str| text.parse().map(Moment::from_unix_millis);
            let (mark, has_answer) = (Mark::of_text(mark).ok_or("a mark")?, has_answer.parse()?);
            Ok(Asked { mark, sent: moment(sent)?, came: moment(came)?, has_answer })
        };
        self.read("asked", 0)?.lines().map(asked).collect()
    }

    /// Notes a step of a create. The note is in the file before anybody acts.
    pub(crate) fn making(&self, making: Making, at: Moment, reference: &str) {
        let name = Making::ALL.iter().find(|(one, _)| *one == making).map_or("", |(_, name)| name);
        self.append("creates", &format!("{} {} {name} {reference}", std::process::id(), at.unix_millis()));
    }

    /// The creates of all processes. None where nobody takes notes.
    pub(crate) fn all_creates(&self) -> Outcome<Option<Vec<Create>>> {
        if self.0.is_none() {
            return Ok(None);
        }
        let (mut creates, mut open) = (Vec::<Create>::new(), BTreeMap::new());
        for line in self.read("creates", 0)?.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [process, at, name, reference] = *words else { return Err("four words".into()) };
            let (process, at): (u32, _) = (process.parse()?, Moment::from_unix_millis(at.parse()?));
            let making = Making::ALL.iter().find(|(_, one)| *one == name).ok_or("a step")?.0;
            let key = (process, reference.to_owned());
            if making == Making::Begins {
                open.insert(key, creates.len());
                let reference = reference.to_owned();
                creates.push(Create { process, reference, began: at, ended: None, has_fault: false });
            } else if let Some(create) = open.get(&key).and_then(|place| creates.get_mut(*place)) {
                match making {
                    Making::Fault => create.has_fault = true,
                    Making::Begins | Making::Ends => create.ended = Some(at),
                }
            }
        }
        Ok(Some(creates))
    }

    /// Notes that a hint has woken this process.
    pub(crate) fn heard(&self) {
        self.append("heard", "");
    }

    /// How often a hint has woken a process.
    pub(crate) fn all_heard(&self) -> Outcome<usize> {
        Ok(self.read("heard", 0)?.lines().count())
    }

    /// Notes the times that calls of the database have taken, in microseconds.
    pub(crate) fn took(&self, micros: &[u64]) {
        let micros: Vec<String> = micros.iter().map(ToString::to_string).collect();
        self.append("took", &micros.join(" "));
    }

    /// The times of all noted calls of the database, the shortest first.
    pub(crate) fn all_took(&self) -> Outcome<Vec<u64>> {
        let text = self.read("took", 0)?;
        let mut micros = text.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        micros.sort_unstable();
        Ok(micros)
    }

    /// The errors of all processes.
    pub(crate) fn errors(&self) -> Outcome<Vec<Failure>> {
        let failure = |line: &str| -> Outcome<Failure> {
            let words: Vec<&str> = line.splitn(4, '\t').collect();
            let [process, machine_at, kind, text] = *words else { return Err("four words".into()) };
            let (kind, text) = (kind.to_owned(), text.to_owned());
            Ok(Failure { process: process.parse()?, machine_at: machine_at.parse()?, kind, text })
        };
        self.read("errors", 0)?.lines().map(failure).collect()
    }

    /// All that was done in the lines from a byte on, with the byte after the last whole line.
    pub(crate) fn done_from(&self, from: usize) -> Outcome<(Done, usize)> {
        let text = self.read("done", from)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut sum = Done::default();
        for line in text.get(..whole).unwrap_or_default().lines() {
            let columns: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
            sum = sum.plus(Done::of_columns(<[u64; 6]>::try_from(columns).map_err(|_| "columns")?));
        }
        Ok((sum, from + whole))
    }

    fn read(&self, file: &str, from: usize) -> Outcome<String> {
        use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
        let Some(folder) = &self.0 else { return Ok(String::new()) };
        let mut file = match fs::File::open(folder.join(file)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error.into()),
        };
        file.seek(SeekFrom::Start(u64::try_from(from)?))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(text)
    }

    /// Notes the next order of a seller. A hint: an order that is placed again is the same order.
    pub(crate) fn placed(&self, seller: usize, next: usize) {
        let Some(folder) = &self.0 else { return };
        let (new, old) =
            (folder.join(format!("seller-{seller}.new")), folder.join(format!("seller-{seller}")));
        let _ = fs::write(&new, next.to_string()).and_then(|()| fs::rename(new, old));
    }

    /// The next order of a seller.
    pub(crate) fn next_of(&self, seller: usize) -> Option<usize> {
        let folder = self.0.as_ref()?;
        fs::read_to_string(folder.join(format!("seller-{seller}"))).ok()?.parse().ok()
    }
}

fn kind(error: &EngineError) -> &'static str {
    match error {
        EngineError::Store(error) => of_store(error),
        EngineError::NotTold { .. } => "NotTold",
        EngineError::Prepare(_)
        | EngineError::OtherCheckout { .. }
        | EngineError::ReferenceTaken { .. }
        | _ => "Create",
    }
}

pub(crate) fn of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "Unavailable",
        StoreError::ReadOnly(_) => "ReadOnly",
        StoreError::NewerSchema { .. } => "NewerSchema",
        StoreError::OlderSchema { .. } => "OlderSchema",
        StoreError::Rights(_) => "Rights",
        StoreError::Corrupt { .. } => "Corrupt",
        StoreError::Settings(_) | _ => "Settings",
    }
}
