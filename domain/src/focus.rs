//! Whether somebody has the app open (`focus` of the seed), as the log keeps it: for analysts; who decides asks the memory.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, FocusChanged},
    rejection::Rejection,
};

/// Whether somebody has the app open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Focused {
    on: bool,
}

impl Aggregate for Focused {
    type Command = FocusChanged;

    fn decide(&self, command: &FocusChanged) -> Result<Vec<Event>, Rejection> {
        Ok(if command.on == self.on { vec![] } else { vec![command.clone().into()] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::FocusChanged(event) = event {
            self.on = event.on;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, ids::UserId};

    #[test]
    fn only_a_change_is_told() {
        let set = |on| FocusChanged { user: UserId::Number(7), on };
        given::<Focused>([]).when(&set(false)).then_nothing();
        given::<Focused>([]).when(&set(true)).then([set(true).into()]);
        given::<Focused>([set(true).into()]).when(&set(true)).then_nothing();
        given::<Focused>([set(true).into()]).when(&set(false)).then([set(false).into()]);
    }
}
