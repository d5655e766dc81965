//! What the command line asks for.

use walrus_redstuff::engine::Instructions;

use crate::contest::Clock;

const USAGE: &str = "\
Usage: compare [--json] [--quick] [--large] [--size SIZE]... [--only OP]... [--engine ENGINE]
               [--cpu-time]

  --json     print one JSON object instead of a table
  --quick    only up to 32 MiB
  --large    1 GiB too: needs 10 GiB of memory and some minutes
  --size     only blobs of this size, such as 1KiB, 32MiB or 1GiB; repeat for more
  --only     only this operation; repeat for more
  --engine   portable, avx2 or avx512+gfni [default: the fastest this machine has]
  --cpu-time count the thread's processor time instead of wall time, on one thread only: for machines
             that are busy with other things";

const SIZES: [usize; 4] = [1 << 10, 1 << 20, 32 << 20, 100 << 20];
const LARGE: usize = 1 << 30;

/// Every operation, in the order they are measured in.
pub(crate) const OPS: [&str; 10] = [
    "encode",
    "metadata",
    "decode-source",
    "decode-repair",
    "decode-secondary",
    "decode-strict",
    "recover-sliver",
    "make-symbol",
    "verify-symbol",
    "verify-sliver",
];

/// What to measure, and how to say it.
pub(crate) struct Options {
    pub(crate) json: bool,
    pub(crate) sizes: Vec<usize>,
    /// Names out of [`OPS`]; none for all.
    pub(crate) only: Vec<String>,
    pub(crate) instructions: Instructions,
    pub(crate) clock: Clock,
}

impl Options {
    /// Out of the command line; the text says what is wrong with it.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            json: false,
            sizes: Vec::new(),
            only: Vec::new(),
            instructions: Instructions::detect(),
            clock: Clock::Wall,
        };
        let (mut quick, mut large) = (false, false);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--json" => options.json = true,
                "--quick" => quick = true,
                "--large" => large = true,
                "--cpu-time" => options.clock = Clock::Thread,
                "--size" => options.sizes.push(size(&value()?)?),
                "--only" => options.only.push(operation(value()?)?),
                "--engine" => options.instructions = instructions(&value()?)?,
                "--help" => return Err(USAGE.to_owned()),
                _ => return Err(format!("unknown argument {argument}\n{USAGE}")),
            }
        }
        if options.sizes.is_empty() {
            options.sizes.extend(&SIZES[..if quick { 3 } else { 4 }]);
            options.sizes.extend(large.then_some(LARGE));
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, op: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == op)
    }
}

fn size(text: &str) -> Result<usize, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    let parsed = units.into_iter().find_map(|(unit, shift)| {
        let count: usize = text.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(1 << shift)
    });
    parsed.ok_or(format!("{text} is no size\n{USAGE}"))
}

fn operation(name: String) -> Result<String, String> {
    if OPS.contains(&name.as_str()) {
        Ok(name)
    } else {
        Err(format!("{name} is none of {}", OPS.join(", ")))
    }
}

fn instructions(name: &str) -> Result<Instructions, String> {
    let known = Instructions::ALL.into_iter().find(|set| set.to_string() == name);
    let set = known.ok_or(format!("{name} is no engine\n{USAGE}"))?;
    if set.available() { Ok(set) } else { Err(format!("this machine has no {set}")) }
}
