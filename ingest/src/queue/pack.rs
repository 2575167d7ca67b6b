//! Packs messages into as few `SendMessageBatch` calls as the limits allow. Pure.

use std::ops::Range;

/// Maximum number of messages in a call.
const MAX_MESSAGES: usize = 10;
/// Maximum bytes of a call's messages. SQS counts bodies and message attributes, but neither message system attributes, such as
/// the trace, nor message groups.
const MAX_BYTES: usize = 1024 * 1024;

/// Distributes messages over calls, given each one's bytes. Calls consist of neighbours, so the sequence is kept. No packing
/// that keeps the sequence has fewer calls, because each call takes all that it can.
///
/// A message that is too large on its own gets a call of its own: SQS reports what is wrong with it.
pub fn pack(sizes: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
    let mut calls: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (n, size) in sizes.into_iter().enumerate() {
        match calls.last_mut() {
            Some(call) if call.len() < MAX_MESSAGES && bytes + size <= MAX_BYTES => {
                call.end += 1;
                bytes += size;
            }
            _ => {
                calls.push(n..n + 1);
                bytes = size;
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    /// Returns the fewest calls into which neighbours can be packed, by trying every cut.
    fn fewest(sizes: &[usize]) -> usize {
        let mut fewest = vec![0];
        for end in 1..=sizes.len() {
            let cuts = (end.saturating_sub(10)..end)
                .filter(|cut| end - cut == 1 || sizes[*cut..end].iter().sum::<usize>() <= 1 << 20);
            fewest.push(cuts.map(|cut| fewest[cut] + 1).min().unwrap_or(usize::MAX));
        }
        fewest[sizes.len()]
    }

    #[test]
    fn a_call_takes_ten_messages_and_one_mebibyte() {
        let check = |sizes: &[usize], expected: &[usize]| {
            let calls = pack(sizes.iter().copied());
            let messages: Vec<_> = calls.iter().map(Range::len).collect();
            assert_eq!(messages, expected, "{sizes:?}");
        };
        check(&[], &[]);
        check(&[300; 10], &[10]);
        check(&[300; 11], &[10, 1]);
        check(&[131_072; 8], &[8]);
        check(&[131_072; 9], &[8, 1]);
        check(&[1, 1_048_575, 1], &[2, 1]);
        check(&[1, 1_048_576, 1], &[1, 1, 1]);
        check(&[1, 1_048_577, 1], &[1, 1, 1]);
    }

    proptest! {
        #[test]
        fn no_packing_in_order_has_fewer_calls(
            sizes in vec(prop_oneof![1..2_000_usize, 100_000..140_000_usize, 1..1_100_000_usize], 0..=100)
        ) {
            let calls = pack(sizes.iter().copied());
            for call in &calls {
                // SQS's own limits, in case the constants above are wrong.
                prop_assert!((1..=10).contains(&call.len()));
                prop_assert!(call.len() == 1 || sizes[call.clone()].iter().sum::<usize>() <= 1_048_576);
            }
            // Each message is in exactly one call, in the sequence given.
            let packed: Vec<_> = calls.iter().cloned().flatten().collect();
            prop_assert_eq!(packed, (0..sizes.len()).collect::<Vec<_>>());
            prop_assert_eq!(calls.len(), fewest(&sizes));
        }
    }
}
