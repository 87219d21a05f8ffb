//! Codes that tell things of one kind apart: `KD-317` among `KD-104` and `KD-211`, `Q3` among quarters.
//!
//! To words and to models they are all alike, and what holds for one is wrong for the others.

/// A longer word is no code, in bytes.
const LONGEST: usize = 40;

/// The codes a question names, in lower case.
pub(super) fn codes(text: &str) -> Vec<String> {
    let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    text.split(|c| !is_inside(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.len() <= LONGEST && word.starts_with(char::is_alphabetic))
        .filter(|word| word.contains(char::is_numeric))
        .map(str::to_lowercase)
        .collect()
}

/// Whether a sentence with `held` codes speaks of others of the same kind as those `asked` for, and of none of these.
pub(super) fn is_of_others(asked: &[String], held: &[String]) -> bool {
    !asked.iter().any(|code| held.contains(code))
        && asked
            .iter()
            .any(|code| held.iter().any(|other| kind(other) == kind(code)))
}

/// A code without its numbers: `kd-317` is of the kind `kd-#`.
fn kind(code: &str) -> String {
    let mut kind = String::with_capacity(code.len());
    for c in code.chars() {
        match c {
            c if !c.is_numeric() => kind.push(c),
            _ if kind.ends_with('#') => {}
            _ => kind.push('#'),
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_for_another_of_the_same_kind_is_told_apart() {
        let asked = codes("What does KD-317 mean on the 14-inch display, in 2024?");
        assert_eq!(asked, ["kd-317"]);
        assert!(is_of_others(&asked, &codes("KD-104 | The display is cold")));
        for sentence in [
            "KD-317 | The firmware update was cut off",
            "After KD-104 comes KD-317.",
            "Model B12 shows it in red.",
            "Press the button.",
        ] {
            assert!(!is_of_others(&asked, &codes(sentence)), "{sentence}");
        }
        assert!(!is_of_others(&codes("Which codes are there?"), &codes("KD-104")));
    }
}
