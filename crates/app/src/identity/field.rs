//! What people type in, checked: every field that is wrong is reported at once.

use std::str::FromStr as _;

use lettre::Address;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, FieldError, Result};

/// The fewest characters of a password.
const PASSWORD_MIN: usize = 12;
/// The most bytes of a password, so that hashing it is bounded.
const PASSWORD_MAX: usize = 1_000;

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    /// An e-mail address, case-folded.
    pub(crate) fn email(&mut self, pointer: &str, text: &str) -> String {
        let email = text.trim().to_lowercase();
        if !email.is_ascii() || email.len() > 254 || Address::from_str(&email).is_err() {
            self.wrong(
                pointer,
                "this is not an e-mail address such as ada@example.com (international names in their xn-- form)",
            );
        }
        email
    }

    /// A name of 1 to `max` characters on one line.
    pub(crate) fn name(&mut self, pointer: &str, text: &str, max: usize) -> String {
        let name = text.trim();
        let length = name.chars().count();
        if length == 0 || length > max || name.chars().any(char::is_control) {
            self.wrong(pointer, format!("write 1 to {max} characters on one line"));
        }
        name.to_owned()
    }

    /// A new password of somebody with this address.
    pub(crate) fn password(&mut self, pointer: &str, password: &SecretString, email: &str) {
        let text = password.expose_secret();
        let folded = text.to_lowercase();
        let local = email.split('@').next().unwrap_or_default();
        if text.chars().count() < PASSWORD_MIN {
            self.wrong(
                pointer,
                format!(
                    "a password has at least {PASSWORD_MIN} characters; a few words are easy to remember"
                ),
            );
        } else if text.len() > PASSWORD_MAX {
            self.wrong(pointer, format!("a password has at most {PASSWORD_MAX} bytes"));
        } else if !email.is_empty() && (folded == email || folded == local) {
            self.wrong(
                pointer,
                "your address is the first thing anybody would try; choose something else",
            );
        } else if all_equal(text) {
            self.wrong(
                pointer,
                "one character over and over is easily guessed; choose something else",
            );
        }
    }

    /// Notes what is wrong with a field.
    pub(crate) fn wrong(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(FieldError {
            pointer: pointer.to_owned(),
            message: message.into(),
        });
    }

    /// Goes on only if nothing was wrong.
    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}

fn all_equal(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    characters.all(|character| Some(character) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password_is_fine(password: &str) -> bool {
        let mut fields = Fields::default();
        fields.password("/password", &password.into(), "ada.lovelace@example.com");
        fields.finish().is_ok()
    }

    #[test]
    fn a_password_is_long_and_neither_the_address_nor_one_character() {
        assert!(password_is_fine("three plain words"));
        assert!(!password_is_fine("eleven char"));
        assert!(!password_is_fine("Ada.Lovelace@example.com"));
        assert!(!password_is_fine("ADA.LOVELACE"));
        assert!(!password_is_fine("aaaaaaaaaaaaaaaa"));
        assert!(!password_is_fine(&"long ".repeat(300)));
    }

    #[test]
    fn an_address_is_folded_and_has_two_parts() {
        let mut fields = Fields::default();
        assert_eq!(fields.email("/email", " Ada@Example.COM "), "ada@example.com");
        assert!(fields.finish().is_ok());
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "ada@exa\nmple.com",
            "ådå@example.com",
        ] {
            let mut fields = Fields::default();
            fields.email("/email", wrong);
            assert!(fields.finish().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_wrong_field_is_reported() {
        let mut fields = Fields::default();
        fields.email("/email", "nobody");
        fields.name("/name", "two\nlines", 200);
        let Err(Error::Invalid(errors)) = fields.finish() else {
            panic!("both are wrong");
        };
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/email", "/name"]);
    }
}
