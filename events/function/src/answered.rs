//! Rejects empty answers in place of DynamoDB's.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept, context::AfterDeserializationInterceptorContextRef, dyn_dispatch_hint,
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// Fails a call that succeeded with an empty body. DynamoDB always sends at least `{}`, but a proxy that answers in its place
/// may send nothing. The SDK reads that as an empty object: a write would count as made, and an existing row as missing.
#[derive(Debug)]
pub struct Answered;

#[dyn_dispatch_hint]
impl Intercept for Answered {
    fn name(&self) -> &'static str {
        "Answered"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes();
        if context.output_or_error().is_ok() && body.is_none_or(<[u8]>::is_empty) {
            return Err("the answer has no body".into());
        }
        Ok(())
    }
}
