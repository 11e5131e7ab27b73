mod display;
mod state;

use state::State::{self, *};
use state::{Machine, Step};

struct Countdown {
    left: u32,
}

impl Iterator for Countdown {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        self.left = self.left.checked_sub(1)?;
        Some(Step::of(self.left))
    }
}

impl Countdown {
    fn from(left: u32) -> Countdown {
        Countdown { left }
    }
}

fn run(machine: &mut Machine) -> State {
    for step in Countdown::from(3) {
        machine.take(step);
    }
    let last = Countdown::from(1).next().unwrap_or_else(Step::none);
    machine.take(last).state().to_owned()
}

fn main() {
    let mut machine = Machine { state: Idle, ..Machine::fresh() };
    let state = run(&mut machine);
    match state {
        Idle => println!("{}", machine.line()),
        Busy(Step { size }) => println!("{}", State::label(&Busy(Step::of(size)))),
        Done { ref steps } => println!("{}", steps[0].double().line()),
    }
    println!("{}", Machine::LIMIT.double().line());
}
