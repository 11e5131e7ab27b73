#[derive(Clone, Debug)]
pub struct Step {
    pub size: u32,
}

impl Step {
    pub const fn of(size: u32) -> Self {
        Step { size }
    }

    pub fn none() -> Self {
        Self::of(0)
    }

    pub fn double(&self) -> Step {
        Step::of(self.size * 2)
    }
}

#[derive(Clone)]
pub enum State {
    Idle,
    Busy(Step),
    Done { steps: Vec<Step> },
}

impl State {
    pub fn label(&self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Busy(step) if step.double().size > 4 => "busy",
            Self::Busy(_) => "slow",
            Self::Done { steps } => named(steps.last().map(|step| step.double())),
        }
    }

    fn next(self, step: Step) -> State {
        use State::*;
        match self {
            Idle => Busy(step),
            Busy(before) => Done { steps: vec![before.double(), step] },
            Done { .. } => Self::Idle,
        }
    }
}

fn named(step: Option<Step>) -> &'static str {
    step.map_or("none", |_| "done")
}

pub struct Machine {
    pub state: State,
    pub count: u32,
}

impl Machine {
    pub const LIMIT: Step = Step::of(8);

    pub fn fresh() -> Machine {
        Machine { state: State::Idle, count: start() }
    }

    pub fn take(&mut self, step: Step) -> &mut Self {
        self.state = self.state.clone().next(step);
        self.count += 1;
        self
    }

    pub fn state(&self) -> &State {
        &self.state
    }
}

const fn start() -> u32 {
    0
}
