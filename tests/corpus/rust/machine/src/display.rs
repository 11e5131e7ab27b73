use crate::state::{Machine, Step};
use std::fmt::{self, Display, Formatter};

impl Display for Step {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.size)
    }
}

impl Step {
    pub fn line(&self) -> String {
        bordered(&self.double())
    }
}

impl Machine {
    pub fn line(&self) -> String {
        self.state.label().to_string() + &Machine::LIMIT.line()
    }
}

fn bordered(step: &Step) -> String {
    format!("[{}]", step.none_or_self())
}

trait OrSelf: Sized {
    fn none_or_self(&self) -> Self;
}

impl OrSelf for Step {
    fn none_or_self(&self) -> Step {
        if self.size == 0 { Step::none() } else { self.clone() }
    }
}
