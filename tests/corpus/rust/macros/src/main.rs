#[macro_use]
mod rules;
mod log;

use log::Level;

static LEVEL: Level = Level::new(2);
const STEPS: [u32; 2] = [step(1), step(2)];

const fn step(number: u32) -> u32 {
    number + 1
}

fn noisy(number: u32) -> u32 {
    say!("noisy {}", number);
    number
}

fn checked(number: u32) -> Result<u32, String> {
    if number > 9 {
        return Err(format!("{} is more than {}", noisy(number), LEVEL.value()));
    }
    Ok(number)
}

fn run() -> Result<u32, String> {
    let twice = double!(noisy(4));
    assert_eq!(checked(twice)?, noisy(8), "{}", log::line(twice));
    assert!(matches!(log::parse("2").level(), Some(Level { .. })));
    let all = vec![step(1), checked(3)?, log::Level::new(4).value()];
    Ok(all.len() as u32 + STEPS[0])
}

fn main() {
    println!("{:?}", run());
    dbg!(log::parse("1").raise().value());
}
