//! The event that publishes an outcome, and the versions that can read it.

use events::{OrderPlaced, Outcome, OutcomeEvent, Reason, Timestamp};
use serde_json::{Value, json};

fn placed() -> anyhow::Result<OrderPlaced> {
    Ok(OrderPlaced::from_json(include_str!(
        "../../order-placed.json"
    ))?)
}

fn event(placed: &OrderPlaced, outcome: Outcome, at: Timestamp) -> OutcomeEvent {
    OutcomeEvent::new(placed, outcome, placed.placed_at(), at)
}

#[test]
fn the_samples_are_what_is_written() -> anyhow::Result<()> {
    let check = |sample: &str, outcome, processed_at: &str| {
        let sample: Value = serde_json::from_str(sample)?;
        let event = event(&placed()?, outcome, processed_at.parse()?);
        assert_eq!(sample["detail-type"], event.detail_type());
        let detail: Value = serde_json::from_str(&event.to_json())?;
        assert_eq!(sample["detail"], detail);
        assert_eq!(serde_json::from_value::<OutcomeEvent>(detail)?, event);
        anyhow::Ok(())
    };
    let processed_at = "2026-11-22T09:00:01.384Z";
    let confirmed = include_str!("../../order-confirmed.json");
    check(confirmed, Outcome::Confirmed, processed_at)?;
    let rejected = include_str!("../../order-rejected.json");
    let outcome = Outcome::Rejected(Reason::OutOfStock);
    check(rejected, outcome, processed_at)?;
    let failed = include_str!("../../order-failed.json");
    check(failed, Outcome::Failed, "2026-11-22T09:25:40.021Z")
}

#[test]
fn an_order_without_a_reference_has_none_in_its_event() -> anyhow::Result<()> {
    let mut message: Value = serde_json::from_str(&placed()?.to_json())?;
    let order = message["order"].as_object_mut();
    order.map(|order| order.remove("reference"));
    let placed = OrderPlaced::from_json(&message.to_string())?;
    let event = event(&placed, Outcome::Confirmed, placed.placed_at());
    let detail: Value = serde_json::from_str(&event.to_json())?;
    assert_eq!(detail.get("reference"), None);
    assert_eq!(serde_json::from_value::<OutcomeEvent>(detail)?, event);
    Ok(())
}

#[test]
fn an_event_of_a_later_version_is_read() -> anyhow::Result<()> {
    let sample: Value = serde_json::from_str(include_str!("../../order-rejected.json"))?;
    let read: OutcomeEvent = serde_json::from_value(sample["detail"].clone())?;
    for added in [json!(null), json!(1), json!("text"), json!({"a": [1, {}]})] {
        let mut later = sample["detail"].clone();
        (later["later"], later["version"]) = (added, json!(2));
        let later: OutcomeEvent = serde_json::from_value(later)?;
        assert_eq!((later.version, later.outcome), (2, read.outcome));
    }
    Ok(())
}
