//! Times, lengths and small charts, in words that fit a line.

use xtask_remote::Timestamp;

/// How long ago: `just now`, `5 min ago`, `3 h ago`, `2 days ago`.
pub(crate) fn ago(time: &str, now: Timestamp) -> String {
    let Ok(then) = time.parse::<Timestamp>() else {
        return String::new();
    };
    match now.as_second() - then.as_second() {
        // A clock that goes ahead of ours is not worth a word.
        ..60 => "just now".to_owned(),
        seconds @ ..3600 => format!("{} min ago", seconds / 60),
        seconds @ ..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// A length: `12 s`, `1 min 32 s`, `2 h 5 min`.
pub(crate) fn length(seconds: u64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A count with its noun: `1 file`, `2 files`.
pub(crate) fn count(number: impl TryInto<u64>, thing: &str) -> String {
    match number.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

/// A small chart: a bar for each value, from the lowest to the highest of them.
pub(crate) fn chart(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = |value: f64| {
        if high <= low {
            return BARS[3];
        }
        let share = (value - low) / (high - low) * 7.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 7"
        )]
        let index = share.round() as usize;
        BARS[index.min(7)]
    };
    values.iter().map(|value| height(*value)).collect()
}

/// A commit as people name it.
pub(crate) fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_tell_them() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (time, words) in [
            ("2026-11-24T12:05:00Z", "just now"),
            ("2026-11-24T11:59:30Z", "just now"),
            ("2026-11-24T11:30:00Z", "30 min ago"),
            ("2026-11-23T11:30:00Z", "24 h ago"),
            ("2026-11-20T11:30:00Z", "4 days ago"),
            ("yesterday", ""),
        ] {
            assert_eq!(ago(time, now), words);
        }
        assert_eq!(length(59), "59 s");
        assert_eq!(length(92), "1 min 32 s");
        assert_eq!(length(7500), "2 h 5 min");
    }

    #[test]
    fn a_chart_spans_its_values() {
        assert_eq!(chart(&[1.0, 2.0, 3.0]), "▁▅█");
        assert_eq!(chart(&[2.0, 2.0]), "▄▄");
        assert_eq!(chart(&[]), "");
    }
}
