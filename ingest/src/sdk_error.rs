//! Errors of the AWS SDK, made fit for a log line.

use aws_smithy_runtime_api::client::result::SdkError;
use events::text::bounded;
use std::error::Error;

/// An error with its causes, but without its `Debug`, which has the whole answer in it.
pub(crate) fn text<E, R>(error: SdkError<E, R>) -> String
where
    SdkError<E, R>: Error + Send + Sync + 'static,
{
    bounded(&format!("{:#}", anyhow::Error::new(error)))
}
