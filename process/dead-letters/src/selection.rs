//! Which dead letters to redrive. Pure.

use crate::{letter::Letter, reason::Reason};

/// Selects letters. A filter that isn't set selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those with one of these ids, of an order or of a message.
    pub ids: Vec<String>,
    /// Those of this client, given by its name or by its message group.
    pub client: Option<String>,
    /// Those with one of these reasons.
    pub reasons: Vec<Reason>,
}

impl Selection {
    /// Returns whether the letter, which has this reason, is selected.
    pub fn takes(&self, letter: &Letter, reason: Reason) -> bool {
        (self.ids.is_empty() || self.ids.iter().any(|id| letter.is(id)))
            && self
                .client
                .as_ref()
                .is_none_or(|client| letter.is_of(client))
            && (self.reasons.is_empty() || self.reasons.contains(&reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faked::{message, order};
    use clap::ValueEnum;
    use proptest::{collection::vec, option, prelude::*, sample::select};

    fn reasons() -> impl Strategy<Value = Reason> {
        select(Reason::value_variants())
    }

    proptest! {
        #[test]
        fn a_letter_is_taken_if_each_filter_takes_it(
            ids in vec(select(vec!["m", "n"]), 0..3),
            client in option::of(select(vec!["ann", "ben"])),
            wanted in vec(reasons(), 0..3),
            reason in reasons(),
        ) {
            let body = order(1, 1).expect("an order").to_json();
            let letter = Letter::read(message("m", &body)).expect("a letter");
            let selection = Selection {
                ids: ids.iter().map(|id| (*id).to_owned()).collect(),
                client: client.map(str::to_owned),
                reasons: wanted.clone(),
            };
            let refused = [
                !ids.is_empty() && !ids.contains(&"m"),
                client == Some("ben"),
                !wanted.is_empty() && !wanted.contains(&reason),
            ];
            prop_assert_eq!(selection.takes(&letter, reason), refused == [false; 3]);
        }
    }
}
