//! The fuzz targets.

pub mod batch_body;
pub mod client;
pub mod gateway_event;
pub mod headers;
pub mod order_body;
pub mod order_id;
pub mod queue_event;
pub mod record_body;
