#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod aws;
pub mod batch;
pub mod console;
pub mod dead;
pub mod dropping;
#[cfg(test)]
mod faked;
pub mod letter;
pub mod list;
pub mod options;
pub mod queues;
pub mod reason;
pub mod redrive;
pub mod selection;
pub mod show;
pub mod stop;
pub mod table;
pub mod view;
pub mod walk;
