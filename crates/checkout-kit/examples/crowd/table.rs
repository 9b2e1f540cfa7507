//! The result of the day: the laws, and the table.

use super::shops::Provider;
use super::{Day, Note, RESUMED_AT_MOST, Shop, State};
use std::fmt::Write;
use std::time::Duration;

/// The result of the day.
pub(crate) struct Report {
    /// The result in words and numbers, for people.
    pub(crate) table: String,
    /// The broken laws. Empty, or a law is broken.
    pub(crate) wrong: Vec<String>,
    /// The number of checkouts that ended rightly while they were watched for the first time.
    pub(crate) ended: u64,
    /// The number of checkouts that were handed back though they had ended at the provider before their
    /// deadline: none, or a law is broken.
    pub(crate) had_ended: u64,
    /// The number of checkouts that were handed back, watched again, and ended rightly.
    pub(crate) ended_later: u64,
    /// The number of checkouts that were handed back for good, and are open at the provider too.
    pub(crate) open: u64,
    /// The number of times that a limit was overstepped, by the providers' counts.
    pub(crate) exceeded: u64,
    /// The number of reads that went wrong, and of reads that webhooks and payers asked for.
    pub(crate) spoiled: u64,
    pub(crate) nudged: u64,
}

/// The result for some merchants of one provider.
#[derive(Default)]
struct Column {
    merchants: u64,
    checkouts: u64,
    ended: u64,
    handed_back: u64,
    had_ended: u64,
    ended_later: u64,
    open: u64,
    wrong: u64,
    exceeded: u64,
    busiest_minute: u64,
    spoiled: u64,
    nudged: u64,
    first_reads: u64,
    first_baseline: u64,
    reads: u64,
    baseline: u64,
    late: Duration,
    late_bound: Duration,
    known_after: Vec<Duration>,
}

/// A column's name, the provider, and true for the busy merchants.
type Kind = (&'static str, Provider, bool);

const KINDS: [Kind; 4] = [
    ("AllScale", Provider::AllScale, false),
    ("Azotte", Provider::Azotte, false),
    ("Peach", Provider::Peach, false),
    ("Peach, busy", Provider::Peach, true),
];

pub(super) fn report(day: &Day) -> Report {
    let mut wrong = day.wrong.clone();
    let columns = KINDS.map(|kind| column(day, kind, &mut wrong));
    let waiting = [
        day.providers.allscale.faults_waiting(),
        day.providers.azotte.faults_waiting(),
        day.providers.peach.faults_waiting(),
    ];
    if waiting != [0; 3] {
        wrong.push("some reads did not go wrong that should have".to_owned());
    }
    let sum = |of: fn(&Column) -> u64| columns.iter().map(of).sum::<u64>();
    Report {
        table: table(&columns, &wrong),
        ended: sum(|column| column.ended),
        had_ended: sum(|column| column.had_ended),
        ended_later: sum(|column| column.ended_later),
        open: sum(|column| column.open),
        exceeded: sum(|column| column.exceeded),
        spoiled: sum(|column| column.spoiled),
        nudged: sum(|column| column.nudged),
        wrong,
    }
}

fn column(day: &Day, (name, provider, is_busy): Kind, wrong: &mut Vec<String>) -> Column {
    let is_of_kind = |shop: &Shop| shop.provider == provider && shop.is_busy == is_busy;
    let mut column = Column::default();
    let mut arrived = 0;
    for (number, note) in day.notes.iter().enumerate() {
        let shop = &day.shops[note.shop];
        if !is_of_kind(shop) {
            continue;
        }
        column.take(note, shop);
        arrived += note.reads - note.lost;
        // A checkout that has not ended was handed back for good, and is open by the last answer.
        let is_lost = match &note.state {
            State::Ended => false,
            State::HandedBack(_) => note.handed_back <= RESUMED_AT_MOST || note.met.end().is_some(),
            State::Imagined | State::Watched(_) => true,
        };
        let mut note_wrong = |what: &str| {
            column.wrong += 1;
            wrong.push(format!("checkout {number} ({}): {what}", note.scenario));
        };
        if is_lost {
            note_wrong("lost");
        }
        let bound = shop.late_at_most();
        if note.late > bound {
            note_wrong(&format!("starved for {:?}, with a bound of {bound:?}", note.late));
        }
    }
    let mut counted = 0;
    for shop in day.shops.iter().filter(|shop| is_of_kind(shop)) {
        let counts = shop.counts(&day.providers);
        column.merchants += 1;
        column.nudged += shop.nudged;
        column.busiest_minute = column.busiest_minute.max(counts.busiest_minute);
        let limit = shop.limit.map_or(u64::MAX, |limit| u64::from(limit.requests));
        column.exceeded += counts.limited + u64::from(counts.busiest_minute > limit);
        counted += counts.reads;
    }
    if counted != arrived {
        wrong.push(format!("{name}: {arrived} reads have arrived, and the provider has counted {counted}"));
    }
    if column.exceeded > 0 {
        wrong.push(format!("{name}: a limit was exceeded {} times", column.exceeded));
    }
    column.known_after.sort_unstable();
    column
}

impl Column {
    fn take(&mut self, note: &Note, shop: &Shop) {
        self.checkouts += 1;
        self.wrong += note.wrong;
        self.reads += note.reads;
        self.spoiled += note.spoiled;
        let own_end = note.met.first.map(|(_, since)| since);
        if let Some(first) = note.first_watch {
            let until = own_end.map_or(first.over, |end| end.min(first.over));
            self.first_reads += first.reads;
            self.first_baseline += every_five_seconds(until.saturating_since(note.began));
            let has_ended = matches!(note.state, State::Ended);
            self.ended += u64::from(!first.gave_up);
            self.handed_back += u64::from(first.gave_up);
            self.had_ended += u64::from(first.gave_up && first.had_ended);
            self.ended_later += u64::from(first.gave_up && has_ended);
            self.open += u64::from(first.gave_up && !has_ended);
        }
        let until = own_end.unwrap_or(note.over);
        self.baseline += every_five_seconds(until.saturating_since(note.began));
        if note.late >= self.late {
            self.late = note.late;
            self.late_bound = shop.late_at_most();
        }
        self.known_after.extend(note.known_after);
    }

    /// The time after which so many in a hundred of the ends were known.
    fn known(&self, percent: usize) -> Duration {
        let last = self.known_after.len().saturating_sub(1);
        self.known_after.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// The number of reads at one read in 5 seconds, for so long.
fn every_five_seconds(span: Duration) -> u64 {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    millis.div_ceil(5_000).max(1)
}

fn table(columns: &[Column], wrong: &[String]) -> String {
    let mut text = String::new();
    let mut line = |what: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>12}")).collect();
        let line = format!("{what:<49}{cells}");
        let _ = writeln!(text, "{}", line.trim_end());
    };
    let each = |of: &dyn Fn(&Column) -> String| columns.iter().map(of).collect::<Vec<_>>();
    let with_all = |mut cells: Vec<String>, all: String| {
        cells.push(all);
        cells
    };
    let sum = |of: fn(&Column) -> u64| {
        let all: u64 = columns.iter().map(of).sum();
        with_all(each(&|column| of(column).to_string()), all.to_string())
    };
    let seconds = |of: &dyn Fn(&Column) -> Duration| {
        each(&|column| format!("{}.{} s", of(column).as_secs(), of(column).subsec_millis() / 100))
    };
    let share = |of: fn(&Column) -> (u64, u64)| {
        let percent = |(part, whole): (u64, u64)| format!("{} %", part * 100 / whole.max(1));
        let all = columns.iter().map(of).fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
        with_all(each(&|column| percent(of(column))), percent(all))
    };
    line("", KINDS.iter().map(|kind| kind.0).chain(["all"]).map(str::to_owned).collect());
    line("merchants", sum(|column| column.merchants));
    line("checkouts", sum(|column| column.checkouts));
    line("ended, as the provider says", sum(|column| column.ended));
    line("handed back, resumable", sum(|column| column.handed_back));
    line("  had ended before their deadline", sum(|column| column.had_ended));
    line("  watched again: ended, as the provider says", sum(|column| column.ended_later));
    line("  watched again: open with the provider too", sum(|column| column.open));
    line("wrong", with_all(each(&|column| column.wrong.to_string()), wrong.len().to_string()));
    line("limits exceeded", sum(|column| column.exceeded));
    line("busiest minute of a merchant: reads", each(&|column| column.busiest_minute.to_string()));
    line("reads until the end or the hand-back", sum(|column| column.first_reads));
    line("  one each 5 s until then", sum(|column| column.first_baseline));
    line("  share of that", share(|column| (column.first_reads, column.first_baseline)));
    line("reads until the end or the last hand-back", sum(|column| column.reads));
    line("  one each 5 s until then", sum(|column| column.baseline));
    line("  share of that", share(|column| (column.reads, column.baseline)));
    line("reads that went wrong", sum(|column| column.spoiled));
    line("reads that a webhook or a payer asked for", sum(|column| column.nudged));
    line("longest wait of a read beyond its policy", seconds(&|column| column.late));
    line("  at most, by its merchant's limit and load", seconds(&|column| column.late_bound));
    line("from an end to knowing it: half of them", seconds(&|column| column.known(50)));
    line("  99 in 100", seconds(&|column| column.known(99)));
    line("  all", seconds(&|column| column.known(100)));
    text
}
