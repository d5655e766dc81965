//! Epochs as people count time.
//!
//! An epoch lasts at least its set duration, so that what is computed here is the earliest an
//! epoch can begin: what is stored until an epoch is stored at least until that date.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use walrus_chain::NetworkView;
use walrus_core::Epoch;
use walrus_env::Env;

use crate::failure::{Failure, Kind};

const DAY: u64 = 24 * 60 * 60;

/// When epochs begin.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    now: Epoch,
    started_at: u64,
    duration: u64,
    max_ahead: u32,
}

impl Calendar {
    /// The calendar of a network.
    pub fn new(view: &NetworkView) -> Self {
        Self {
            now: view.epoch.epoch,
            started_at: view.epoch.started_at,
            duration: u64::from(view.parameters.epoch_duration.max(1)),
            max_ahead: view.parameters.max_epochs_ahead,
        }
    }

    /// The present epoch.
    pub fn now(&self) -> Epoch {
        self.now
    }

    /// The earliest that an epoch begins, Unix seconds; for one that is over, about when it did.
    pub fn begins(&self, epoch: Epoch) -> u64 {
        let ahead = u64::from(epoch.0.saturating_sub(self.now.0)) * self.duration;
        let behind = u64::from(self.now.0.saturating_sub(epoch.0)) * self.duration;
        self.started_at.saturating_add(ahead).saturating_sub(behind)
    }

    /// The epochs, the present one counted, to store something for: until the date that the
    /// command line names, or else `default`.
    ///
    /// # Errors
    /// If it is no date, or not one that can be stored until.
    pub fn epochs(&self, env: &Env, until: Option<&str>, default: u32) -> Result<u32, Failure> {
        let Some(date) = until else { return Ok(default) };
        let end = self.end_for(parse(date, env.clock.unix().as_secs())?)?;
        Ok(end.0 - self.now.0)
    }

    /// The end that something stored at least until `date` must have.
    ///
    /// # Errors
    /// If the date is over or storage is not sold that far ahead.
    pub fn end_for(&self, date: u64) -> Result<Epoch, Failure> {
        let usage = |text: String| Failure::message(Kind::Usage, text);
        let seconds = date.saturating_sub(self.started_at);
        let epochs = seconds.div_ceil(self.duration);
        if epochs == 0 {
            return Err(usage(format!("{} is over", self.text(date))));
        }
        if epochs > u64::from(self.max_ahead) {
            let last = self.begins(Epoch(self.now.0.saturating_add(self.max_ahead)));
            return Err(usage(format!("storage is sold until {} at most", self.text(last)))
                .hint("store until then, and `walrus extend` later"));
        }
        Ok(Epoch(self.now.0.saturating_add(u32::try_from(epochs).unwrap_or(u32::MAX))))
    }

    /// A time: the day, and the minute where epochs are shorter than a day.
    pub fn text(&self, seconds: u64) -> String {
        let time =
            i64::try_from(seconds).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
        let Some(time) = time else { return "later".to_owned() };
        let day = format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day());
        match self.duration >= DAY {
            true => day,
            false => format!("{day} {:02}:{:02}", time.hour(), time.minute()),
        }
    }
}

/// Reads `2027-03-01`, `2027-03-01T12:00:00Z`, or a time from `now` on: `90d`, `6w`, `12h`.
///
/// # Errors
/// Anything else.
pub fn parse(text: &str, now: u64) -> Result<u64, Failure> {
    let wrong = || {
        Failure::message(Kind::Usage, format!("{text:?} is not a date"))
            .hint("write 2027-03-01, 2027-03-01T12:00:00Z, or from now on: 90d, 6w, 12h")
    };
    if let Some(at) = text.find(|c: char| !c.is_ascii_digit())
        && let Ok(count) = text[..at].parse::<u64>()
        && let Some(unit) = unit(&text[at..])
    {
        return count.checked_mul(unit).and_then(|s| now.checked_add(s)).ok_or_else(wrong);
    }
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let time = OffsetDateTime::parse(&whole, &Rfc3339).map_err(|_| wrong())?;
    u64::try_from(time.unix_timestamp()).map_err(|_| wrong())
}

fn unit(text: &str) -> Option<u64> {
    match text {
        "h" => Some(60 * 60),
        "d" => Some(DAY),
        "w" => Some(7 * DAY),
        "y" => Some(365 * DAY),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(duration: u64) -> Calendar {
        // 2026-11-21 00:00 UTC.
        Calendar { now: Epoch(7), started_at: 1_795_219_200, duration, max_ahead: 53 }
    }

    #[test]
    fn what_is_stored_until_a_date_is_stored_on_that_day() {
        // An epoch too few would lose the data; on the day itself nobody would know why.
        let fortnight = calendar(14 * DAY);
        let date = |text| parse(text, 1_795_219_200).unwrap();
        for (text, end) in [
            ("2026-11-21T00:00:01Z", 8),
            ("2026-12-05", 8),
            ("2026-12-05T00:00:01Z", 9),
            ("2027-11-21", 34),
            ("14d", 8),
            ("15d", 9),
            ("1y", 34),
        ] {
            let found = fortnight.end_for(date(text)).unwrap();
            assert_eq!(found, Epoch(end), "{text}");
            assert!(fortnight.begins(found) >= date(text));
            assert!(fortnight.begins(Epoch(found.0 - 1)) < date(text));
        }
        assert!(fortnight.end_for(date("2026-11-20")).is_err());
        assert!(fortnight.end_for(date("9y")).is_err());
        assert_eq!(fortnight.text(fortnight.begins(Epoch(8))), "2026-12-05");
        assert_eq!(calendar(300).text(1_795_219_260), "2026-11-21 00:01");
        for text in ["", "tomorrow", "2026-13-01", "5", "d", "-5d", "99999999999999999999d", "5µ"]
        {
            assert!(parse(text, 0).is_err(), "{text:?}");
        }
    }
}
