#![doc = include_str!("../README.md")]
//!
//! # Layout
//! - [`spike`]: a burst of orders beyond the table's capacity, beside the synchronous design.
//! - [`mod@bench`]: the functions' binaries, measured against those of other implementations.
//! - [`count`]: their instructions, compared with those in a file of the tree.
//! - [`machine`]: the machine on which figures are taken.

pub mod bench;
pub mod count;
pub mod machine;
pub mod spike;
