//! The allocation of stock.

use crate::{
    orders::{UNKNOWN, new_id, new_key, order, placed, shows, sqs_event},
    scenarios::scenarios,
    stack::Stack,
};
use anyhow::{Context, Result, ensure};
use events::Outcome;
use futures_util::future::try_join_all;
use std::sync::Arc;

scenarios! {
    of_two_orders_for_the_last_piece_one_is_confirmed [Tables]
    a_key_that_has_no_row_rejects_the_order [Tables]
    in_a_batch_the_stock_goes_by_arrival [Invoke Tables]
    many_orders_for_little_stock_sell_just_that [Tables]
    a_loser_is_written_with_the_one_that_beat_it [Invoke Tables Faults]
}

async fn of_two_orders_for_the_last_piece_one_is_confirmed(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1).await?;
    let one = || async {
        stack
            .api
            .settled(&stack.api.place(&order(&[(&sku, 1)]), None).await?)
            .await
    };
    let mut settled = try_join_all([one(), one()]).await?;
    settled.sort_by_key(|order| order["status"].to_string());
    ensure!(settled[0]["status"] == "confirmed", "{settled:?}");
    ensure!(shows(&settled[1], Outcome::TOO_LITTLE), "{settled:?}");
    ensure!(stack.aws()?.in_stock(&sku).await? == 0);
    Ok(())
}

async fn a_key_that_has_no_row_rejects_the_order(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(5).await?;
    let id = stack
        .api
        .place(&order(&[(&sku, 1), (UNKNOWN, 1)]), None)
        .await?;
    let settled = stack.api.settled(&id).await?;
    ensure!(shows(&settled, Outcome::MISSING), "{settled}");
    ensure!(stack.aws()?.in_stock(&sku).await? == 5);
    Ok(())
}

async fn in_a_batch_the_stock_goes_by_arrival(stack: Arc<Stack>) -> Result<()> {
    let aws = stack.aws()?;
    let (a, b) = (stack.article(5).await?, stack.article(1).await?);
    let wanted: &[&[(&str, u64)]] = &[
        &[(&a, 3)],
        &[(&a, 3)],
        &[(&a, 1), (&b, 1)],
        &[(&b, 1)],
        &[(&a, 1)],
        &[(&a, 1)],
    ];
    let mut ids = Vec::new();
    let mut bodies = Vec::new();
    for lines in wanted {
        let id = new_id()?;
        ids.push(id.to_string());
        bodies.push((placed(id, &order(lines))?.to_json(), 1));
    }
    ensure!(aws.process(&sqs_event(&bodies)).await?.is_empty());
    let mut outcomes = Vec::new();
    for id in &ids {
        let record = aws.record(id).await?.context("no row")?;
        outcomes.push(record.outcome);
    }
    let (confirmed, out) = (Outcome::Confirmed, Outcome::TOO_LITTLE);
    ensure!(
        outcomes == [confirmed, out, confirmed, out, confirmed, out],
        "{outcomes:?}"
    );
    ensure!(aws.in_stock(&a).await? == 0 && aws.in_stock(&b).await? == 0);
    Ok(())
}

async fn many_orders_for_little_stock_sell_just_that(stack: Arc<Stack>) -> Result<()> {
    let (a, b) = (stack.article(30).await?, stack.article(17).await?);
    let lines: [&[(&str, u64)]; 3] = [&[(&a, 2)], &[(&b, 3)], &[(&a, 1), (&b, 1)]];
    let one = |n: usize| {
        let sent = order(lines[n % 3]);
        let api = stack.api.clone();
        async move {
            api.settled(&api.place(&sent, Some(&new_key())).await?)
                .await
        }
    };
    let settled = try_join_all((0..120).map(one)).await?;
    ensure!(
        settled
            .iter()
            .all(|order| shows(order, Outcome::Confirmed) || shows(order, Outcome::TOO_LITTLE))
    );
    // An order for one piece of each was rejected, so one of the articles is sold out. The audit adds up the rest.
    let left = (
        stack.aws()?.in_stock(&a).await?,
        stack.aws()?.in_stock(&b).await?,
    );
    ensure!(left.0 == 0 || left.1 == 0, "{left:?}");
    Ok(())
}

async fn a_loser_is_written_with_the_one_that_beat_it(stack: Arc<Stack>) -> Result<()> {
    let sku = stack.article(1).await?;
    let attempts = stack.watch("TransactWriteItems", &sku)?;
    let bodies = [
        (placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1),
        (placed(new_id()?, &order(&[(&sku, 1)]))?.to_json(), 1),
    ];
    ensure!(stack.aws()?.process(&sqs_event(&bodies)).await?.is_empty());
    // The first attempt is refused, which shows what is left; the second has both orders.
    ensure!(attempts.count() == 2, "{} transactions", attempts.count());
    Ok(())
}
