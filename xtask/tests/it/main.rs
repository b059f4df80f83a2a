//! xtask as a person runs it: the built program, in a project of its own, with nothing of the user's.

#![expect(missing_docs, reason = "a test's name says what it is about")]

mod machine;
mod tools;
