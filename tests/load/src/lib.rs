//! The intake under load: the spike with its picture, and the benchmarks.
//!
//! # Layout
//! - [`spike`]: a wall of orders against a table that can be overrun, beside the synchronous design.
//! - [`mod@bench`]: the functions' binaries, measured beside those of others.
//! - [`machine`]: what figures are taken on.

pub mod bench;
pub mod machine;
pub mod spike;
