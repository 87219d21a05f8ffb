//! The HTTP service as a caller sees it, on a real database.

mod sign_in;
