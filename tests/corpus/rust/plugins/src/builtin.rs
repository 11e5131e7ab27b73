use crate::{Failure, Outcome, Plugin, Shout};

#[derive(Default)]
pub struct Echo {
    times: usize,
}

impl Plugin for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn run(&mut self, input: &str) -> Outcome {
        self.times += 1;
        Ok(input.shout())
    }
}

pub struct Adder;

impl Adder {
    fn add(&self, input: &str) -> Result<i64, Failure> {
        let mut sum = 0;
        for part in input.split('+') {
            sum += parsed(part)?;
        }
        Ok(sum)
    }
}

fn parsed(text: &str) -> Result<i64, Failure> {
    Ok(text.trim().parse::<i64>()?)
}

impl Plugin for Adder {
    fn name(&self) -> &str {
        "adder"
    }

    fn run(&mut self, input: &str) -> Outcome {
        let sum = self.add(input)?;
        Ok(sum.to_string())
    }

    fn priority(&self) -> u8 {
        1
    }
}
