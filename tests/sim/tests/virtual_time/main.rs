//! `process` in virtual time. One binary, because each links the SDKs again.

mod alarms;
mod figures;
mod late;
mod seeds;
mod waits;
