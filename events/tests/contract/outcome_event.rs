//! The event that publishes an outcome, and the versions that can read it.

use events::{OrderPlaced, Outcome, OutcomeEvent};
use serde_json::{Value, json};

fn placed() -> anyhow::Result<OrderPlaced> {
    Ok(OrderPlaced::from_json(include_str!(
        "../../order-placed.json"
    ))?)
}

#[test]
fn an_event_is_read_as_it_was_written() -> anyhow::Result<()> {
    for sample in [
        include_str!("../../order-confirmed.json"),
        include_str!("../../order-rejected.json"),
        include_str!("../../order-failed.json"),
    ] {
        let sample: Value = serde_json::from_str(sample)?;
        let outcome: Outcome = serde_json::from_value(sample["detail"].clone())?;
        let placed = placed()?;
        let event = OutcomeEvent::new(&placed, outcome, placed.placed_at(), placed.placed_at());
        assert_eq!(sample["detail-type"], event.detail_type());
        assert_eq!(
            serde_json::from_str::<OutcomeEvent>(&event.to_json())?,
            event
        );
    }
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
