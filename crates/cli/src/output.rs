//! What a person or a program sees: results on standard output, everything else
//! on standard error.

use std::{
    fmt::Display,
    io::{self, ErrorKind, IsTerminal, StdoutLock, Write},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::{
    args::Global,
    failure::{Failure, Kind, Outcome},
};

/// Why a result could not be written, for the end of the process: it is no reason to break off
/// what comes after it.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();
/// Whether the reader of content on standard output left before its end.
static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Where results and remarks go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    /// The output the user asked for.
    pub fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet }
    }

    /// The output for programs.
    pub fn json() -> Self {
        Self { json: true, quiet: true }
    }

    /// Whether the result is to be one JSON object.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The result: as JSON, or as the text `human` makes of it.
    pub fn result<T: Serialize>(&self, value: &T, human: impl FnOnce(&T) -> String) {
        let text = if self.json {
            let text = serde_json::to_string_pretty(value).unwrap_or_else(|e| e.to_string());
            plain_json(&text)
        } else {
            plain_lines(&human(value))
        };
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            // Whoever leaves early has seen what they wanted.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => drop(UNWRITTEN.set(error)),
            _ => {}
        }
    }

    /// What became of the command, if the result that it printed got to its reader.
    pub fn finish(outcome: Outcome) -> Outcome {
        match (outcome, UNWRITTEN.get()) {
            (Err(_), _) if READER_LEFT.load(Ordering::Relaxed) => Ok(()),
            (Ok(()), Some(error)) => {
                Err(Failure::message(Kind::Failed, format!("standard output: {error}")))
            }
            (outcome, _) => outcome,
        }
    }

    /// A remark on the way to the result.
    pub fn remark(&self, text: impl Display) {
        if !self.json && !self.quiet {
            say(&plain_lines(&text.to_string()));
        }
    }

    /// A failure, with what to do next.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            say(&plain_json(&failure.to_json()));
        } else {
            say(&plain_lines(&format!("error: {}", failure.text())));
            if let Some(hint) = &failure.hint {
                say(&plain_lines(&format!("hint: {hint}")));
            }
        }
    }

    /// A bar for work of a known size, shown only to a person at a terminal.
    pub fn bar(&self, length: u64, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(length), self.target());
        let style = ProgressStyle::with_template("{msg:<28} [{bar:30}] {pos}/{len} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(what.to_owned());
        bar
    }

    /// A spinner for work of unknown size.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// Room for several bars, one below the other.
    pub fn bars(&self) -> MultiProgress {
        MultiProgress::with_draw_target(self.target())
    }

    fn target(&self) -> ProgressDrawTarget {
        if self.json || self.quiet || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        }
    }
}

/// A line on standard error. There is nobody left to tell if that is gone.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Standard output for content. When its reader leaves, writing fails, and the command is done.
pub struct Content(StdoutLock<'static>);

/// Takes standard output for content.
pub fn content() -> Content {
    Content(io::stdout().lock())
}

impl Content {
    fn watch<T>(written: io::Result<T>) -> io::Result<T> {
        if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            READER_LEFT.store(true, Ordering::Relaxed);
        }
        written
    }
}

impl Write for Content {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::watch(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::watch(self.0.flush())
    }
}

/// Writes content that is whole to standard output.
pub fn write_content(bytes: &[u8]) -> Outcome {
    let mut stdout = content();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    Ok(written.context("standard output")?)
}

/// `1.5 MiB`
pub fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

/// `12.3 ms`, `4.56 s`
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

/// An amount of FROST in WAL, without trailing zeros.
pub fn wal(frost: u128) -> String {
    let (whole, rest) = (frost / 1_000_000_000, frost % 1_000_000_000);
    if rest == 0 {
        return format!("{whole} WAL");
    }
    let digits = format!("{rest:09}");
    format!("{whole}.{} WAL", digits.trim_end_matches('0'))
}

/// An amount of wei in ether, three digits of it.
pub fn ether(wei: u128) -> String {
    let ether = wei as f64 / 1e18;
    if ether == 0.0 {
        "0 ETH".to_owned()
    } else if ether < 1e-3 {
        format!("{ether:.2e} ETH")
    } else {
        format!("{ether:.4} ETH")
    }
}

/// Whether a character does something to a terminal instead of being seen on it: moves, colours,
/// deletes, turns the direction of writing around, or cannot be seen at all.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A name on one line, in which nothing is a command to the terminal.
pub fn plain(text: &str) -> String {
    plain_but(text, |_| false, |character| character.escape_default().to_string())
}

/// The same for text of several lines.
fn plain_lines(text: &str) -> String {
    plain_but(
        text,
        |character| character == '\n',
        |character| character.escape_default().to_string(),
    )
}

/// JSON in which such characters are escaped. They are in its strings only, but for ends of lines.
fn plain_json(text: &str) -> String {
    plain_but(
        text,
        |character| character == '\n',
        |character| format!("\\u{:04x}", u32::from(character)),
    )
}

fn plain_but(text: &str, kept: fn(char) -> bool, escape: fn(char) -> String) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match is_control(character) && !kept(character) {
            true => plain.push_str(&escape(character)),
            false => plain.push(character),
        }
    }
    plain
}

/// A name of at most `width` characters on one line, its middle left out if it has more.
pub fn shorten(text: &str, width: usize) -> String {
    let text = plain(text);
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= width {
        return text;
    }
    let kept = width.saturating_sub(1);
    let (start, end) = (kept / 3, kept - kept / 3);
    let (start, end) = (&characters[..start], &characters[characters.len() - end..]);
    start.iter().chain(['…'].iter()).chain(end).collect()
}

/// Columns of a table, each as wide as its widest cell; the last one is not padded.
/// No cell is more than one line, or a command to the terminal.
pub fn table(rows: &[Vec<String>]) -> String {
    let plain_row = |row: &Vec<String>| row.iter().map(|cell| plain(cell)).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = rows.iter().map(plain_row).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            if column + 1 == row.len() {
                cell.clone()
            } else {
                format!("{cell:<width$}", width = widths[column])
            }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_wal_keep_every_digit() {
        // A rounded price would be a wrong price.
        assert_eq!(wal(0), "0 WAL");
        assert_eq!(wal(1), "0.000000001 WAL");
        assert_eq!(wal(1_500_000_000), "1.5 WAL");
        assert_eq!(wal(u128::from(u64::MAX)), "18446744073.709551615 WAL");
    }

    #[test]
    fn names_are_no_commands_to_the_terminal() {
        // A file's or a node's name could clear the screen, forge a row, or type for the user.
        const EVIL: &str = "\u{1b}[2J\r\nok\u{9b}31m\u{202e}";
        assert_eq!(plain(EVIL), "\\u{1b}[2J\\r\\nok\\u{9b}31m\\u{202e}");
        let row = table(&[vec![EVIL.to_owned(), EVIL.to_owned()]]);
        assert!(!row.contains(is_control), "{row:?}");
        assert!(!shorten(EVIL, 8).contains(is_control) && shorten(EVIL, 8).chars().count() == 8);
        assert_eq!(plain_lines("a\nb\tc"), "a\nb\\tc");
        // Programs get what was meant, people the same as characters.
        let json = plain_json(&serde_json::to_string_pretty(&[EVIL]).unwrap());
        assert!(!json.replace('\n', "").contains(is_control), "{json:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [EVIL]);
        // What people write stays as it is.
        assert_eq!(plain("Übersicht “é” \\ 海象.txt"), "Übersicht “é” \\ 海象.txt");
    }

    #[test]
    fn tables_line_up() {
        // Columns that shift make a wrong value look right.
        let rows = [vec!["a", "b", "c"], vec!["long", "x", "y"]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        assert_eq!(table(&rows), "a     b  c\nlong  x  y");
    }
}
