//! Batch calls of SQS, which may succeed in part.

use anyhow::Result;
use aws_sdk_sqs::types::BatchResultErrorEntry;
use events::text::bounded;

/// Maximum number of entries in a call.
pub const ENTRIES: usize = 10;

/// Why SQS refused an entry, as far as it says.
pub type Refused = String;

/// The results of a call's entries, sorted by SQS's answer.
#[derive(Debug)]
pub struct Answers<T>(Vec<Result<T, Refused>>);

impl<T> Answers<T> {
    /// Evaluates the answer to a call with this many entries, whose ids are their positions. An entry that is in neither of
    /// SQS's lists counts as refused.
    pub fn new<'a>(
        entries: usize,
        done: impl IntoIterator<Item = (&'a str, T)>,
        failed: &[BatchResultErrorEntry],
    ) -> Self {
        let unnamed = || Err("SQS answered the call, but not for this message".to_owned());
        let mut answers: Vec<_> = (0..entries).map(|_| unnamed()).collect();
        let mut set = |id: &str, result| {
            let n = id.parse::<usize>().ok();
            if let Some(answer) = n.and_then(|n| answers.get_mut(n)) {
                *answer = result;
            }
        };
        for (id, value) in done {
            set(id, Ok(value));
        }
        for refused in failed {
            let why = format!(
                "{}: {}",
                refused.code(),
                refused.message().unwrap_or_default()
            );
            set(refused.id(), Err(bounded(&why)));
        }
        Self(answers)
    }
}

/// Makes a call for these items, and another one for those that it refuses. Returns an answer for each item, in the given
/// sequence. Fails if the first call fails as a whole: no item is then known to be done, although some may be.
pub async fn twice<'a, I, T>(
    items: &[&'a I],
    call: impl AsyncFn(&[&'a I]) -> Result<Answers<T>>,
) -> Result<Vec<Result<T, Refused>>> {
    let Answers(mut answers) = call(items).await?;
    let refused: Vec<_> = (0..items.len()).filter(|n| answers[*n].is_err()).collect();
    if refused.is_empty() {
        return Ok(answers);
    }
    let again: Vec<_> = refused.iter().map(|n| items[*n]).collect();
    match call(&again).await {
        Ok(Answers(again)) => {
            for (n, answer) in refused.into_iter().zip(again) {
                answers[n] = answer;
            }
        }
        // Results of the first call count.
        Err(error) => {
            for n in refused {
                answers[n] = Err(bounded(&format!("{error:#}")));
            }
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use std::cell::RefCell;

    fn failed(id: &str) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id(id).code("Busy");
        let entry = entry.sender_fault(false).build();
        entry.expect("it has an id and a code")
    }

    #[tokio::test]
    async fn what_is_refused_is_tried_once_more_and_then_reported() -> Result<()> {
        let calls = RefCell::new(Vec::new());
        let call = async |items: &[&u8]| {
            let items: Vec<u8> = items.iter().map(|item| **item).collect();
            calls.borrow_mut().push(items.clone());
            Ok(match &items[..] {
                [1, 2, 3, 4] => Answers::new(4, [("0", 10), ("9", 0)], &[failed("1"), failed("x")]),
                _ => Answers::new(items.len(), [("1", 30)], &[failed("0")]),
            })
        };
        let answers = twice(&[&1, &2, &3, &4], call).await?;
        let unnamed = "SQS answered the call, but not for this message".to_owned();
        assert_eq!(
            answers,
            [Ok(10), Err("Busy: ".to_owned()), Ok(30), Err(unnamed)]
        );
        assert_eq!(calls.into_inner(), [vec![1, 2, 3, 4], vec![2, 3, 4]]);
        Ok(())
    }

    #[tokio::test]
    async fn a_second_call_that_fails_leaves_what_the_first_has_done() -> Result<()> {
        let call = async |items: &[&u8]| match items.len() {
            2 => Ok(Answers::new(2, [("0", ())], &[])),
            _ => bail!("cut off"),
        };
        let answers = twice(&[&1, &2], call).await?;
        assert_eq!(answers, [Ok(()), Err("cut off".to_owned())]);
        let down = async |_: &[&u8]| -> Result<Answers<()>> { bail!("down") };
        assert!(twice(&[&1], down).await.is_err());
        Ok(())
    }
}
