//! Tokens of 256 random bits, of which only the SHA-256 is stored. They need no salt or slow hash: nobody guesses 256 bits.

use sha2::{Digest as _, Sha256};

/// What is stored of a token.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
