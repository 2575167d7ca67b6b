//! The rows of what orders claim.
//!
//! The folder is what an adopter edits for another kind of claim: how one is written, what its refusal shows, and which orders
//! get what is left. The rest of `process` knows keys and amounts only.

mod allocate;
mod row;

pub use allocate::{Found, Known, allocate};
pub(crate) use row::find;
pub use row::{TABLE, reserve};
