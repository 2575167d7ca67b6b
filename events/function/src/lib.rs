//! What the functions share around their handlers.
//!
//! - [`environment`]: reads variables; each error names the variable, and not its value, which may be a secret.
//! - [`aws`]: the SDK's configuration, from the variables that Lambda sets; [`endpoints`]: addresses other than AWS's.
//! - [`logs`]: JSON lines, also for a panic or a failed start.
//! - [`answered`]: rejects an empty response in place of DynamoDB's.
//! - [`sdk_error`]: an error of the SDK as a log line has it.

pub mod answered;
pub mod aws;
pub mod endpoints;
pub mod environment;
pub mod logs;
pub mod sdk_error;
