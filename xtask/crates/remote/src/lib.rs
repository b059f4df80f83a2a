//! Typed REST clients.
