//! Words in messages: shortened, listed, and the one that was probably meant.

/// A text as it may stand in a message: not too long.
pub fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX).chain(std::iter::once('…')).collect()
}

/// Words in a row, each quoted.
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// The candidate that a mistyped word was meant to be, if one is near enough.
pub fn nearest<'w>(word: &str, candidates: &[&'w str]) -> Option<&'w str> {
    const LENGTH_MAX: usize = 64;
    let word: Vec<char> = word.to_lowercase().chars().take(LENGTH_MAX + 1).collect();
    if word.is_empty() || word.len() > LENGTH_MAX {
        return None;
    }
    candidates
        .iter()
        .map(|candidate| (distance(&word, candidate), *candidate))
        .filter(|(steps, candidate)| *steps <= (candidate.chars().count().max(3) / 3))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, left out or replaced.
fn distance(word: &[char], candidate: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (at, letter) in candidate.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (place, other) in word.iter().enumerate() {
            let above = row.get(place + 1).copied().unwrap_or(usize::MAX - 1);
            let replaced = diagonal + usize::from(letter != *other);
            let best = replaced.min(above + 1).min(left + 1);
            if let Some(cell) = row.get_mut(place) {
                *cell = left;
            }
            (diagonal, left) = (above, best);
        }
        if let Some(cell) = row.get_mut(word.len()) {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_its_neighbour() {
        let keys = ["relation", "status", "kalshi", "polymarket"];
        assert_eq!(nearest("kalshy", &keys), Some("kalshi"));
        assert_eq!(nearest("polymraket", &keys), Some("polymarket"));
        assert_eq!(nearest("Status", &keys), Some("status"));
        assert_eq!(nearest("stat", &keys), Some("status"));
        assert_eq!(nearest("frobnicate", &keys), None);
        assert_eq!(nearest("", &keys), None);
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("kitten"), "sitting"), 3);
        assert_eq!(distance(&chars("abc"), "abc"), 0);
        assert_eq!(distance(&chars(""), "abc"), 3);
        assert_eq!(distance(&chars("abc"), ""), 3);
    }
}
