//! Times and shares in words and bars, for people.

/// A length of time by its two largest parts: `2 days 3 h`, `4 min 10 s`, `0 s`.
pub fn span(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, if seconds / 86_400 == 1 { "day" } else { "days" }),
        (seconds % 86_400 / 3_600, "h"),
        (seconds % 3_600 / 60, "min"),
        (seconds % 60, "s"),
    ];
    let Some(first) = parts.iter().position(|(count, _)| *count > 0) else {
        return "0 s".to_owned();
    };
    let shown = parts[first..].iter().take(2).filter(|(count, _)| *count > 0);
    shown.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// When something is, seen from `now`: `in 3 min`, `now`, `3 min ago`.
pub fn when(now: u64, time: u64) -> String {
    match time.checked_sub(now) {
        Some(0) => "now".to_owned(),
        Some(ahead) => format!("in {}", span(ahead)),
        None => format!("{} ago", span(now - time)),
    }
}

/// `[#########---------------------]` with as many cells as `width`.
pub fn bar(part: u64, whole: u64, width: usize) -> String {
    let share = if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) };
    let filled = (share * width as f64).round() as usize;
    // Something is not nothing, and not quite all is not all.
    let filled = match filled {
        0 if part > 0 && whole > 0 => 1,
        full if full == width && part < whole => width - 1,
        filled => filled,
    };
    format!("[{}{}]", "#".repeat(filled), "-".repeat(width - filled))
}

/// An amount of FROST in WAL with three digits or so: `4.99 G WAL`, `12.5 WAL`.
pub fn about_wal(frost: u128) -> String {
    let amount = frost as f64 / 1e9;
    let (amount, unit) = match amount {
        amount if amount >= 1e9 => (amount / 1e9, "G "),
        amount if amount >= 1e6 => (amount / 1e6, "M "),
        amount if amount >= 1e4 => (amount / 1e3, "k "),
        amount => (amount, ""),
    };
    let text = match amount {
        amount if amount >= 100.0 || amount == 0.0 => format!("{amount:.0}"),
        amount if amount >= 0.01 => format!("{amount:.2}"),
        amount => format!("{amount:.9}"),
    };
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    format!("{text} {unit}WAL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        // Whoever reads "in 7265 s" reaches for a calculator.
        assert_eq!(span(0), "0 s");
        assert_eq!(span(59), "59 s");
        assert_eq!(span(7_265), "2 h 1 min");
        assert_eq!(span(86_400), "1 day");
        assert_eq!(span(14 * 86_400 + 7), "14 days");
        assert_eq!(
            (when(10, 70), when(10, 10), when(70, 10)),
            ("in 1 min".into(), "now".into(), "1 min ago".into())
        );
    }

    #[test]
    fn bars_are_full_only_when_all_is_full() {
        // A bar that looks full makes an operator buy disks, or a user wait.
        assert_eq!(bar(0, 10, 4), "[----]");
        assert_eq!(bar(1, 1_000, 4), "[#---]");
        assert_eq!(bar(999, 1_000, 4), "[###-]");
        assert_eq!(bar(1_000, 1_000, 4), "[####]");
        assert_eq!((bar(5, 0, 4), bar(9, 3, 4)), ("[----]".into(), "[####]".into()));
    }

    #[test]
    fn amounts_keep_their_magnitude() {
        // A price that is a thousand times too low sells the network.
        assert_eq!(about_wal(0), "0 WAL");
        assert_eq!(about_wal(100_000), "0.0001 WAL");
        assert_eq!(about_wal(12_500_000_000), "12.5 WAL");
        assert_eq!(about_wal(4_990_000_000_000_000_000), "4.99 G WAL");
        assert_eq!(about_wal(20_000_000_000_000), "20 k WAL");
    }
}
