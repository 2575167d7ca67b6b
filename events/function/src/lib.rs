//! What the functions share around their handlers.
//!
//! - [`environment`]: reads variables. Errors name the variable but not its value, which may be a secret.
//! - [`aws`]: the SDK's configuration, from the variables that Lambda sets; [`endpoints`]: addresses other than AWS's.
//! - `roots`: which certificate authorities are trusted, without reading them all at each cold start.
//! - [`emf`]: lines of metrics.
//! - [`logs`]: JSON lines, also for a panic or a failed start.
//! - [`answered`]: rejects an empty response in place of DynamoDB's.
//! - [`sdk_error`]: formats the SDK's errors for log lines.

pub mod answered;
pub mod aws;
pub mod emf;
pub mod endpoints;
pub mod environment;
pub mod logs;
mod roots;
pub mod sdk_error;
