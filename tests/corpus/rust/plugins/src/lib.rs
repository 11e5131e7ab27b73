pub mod builtin;
pub mod host;

pub use host::Host;

pub trait Plugin {
    fn name(&self) -> &str;
    fn run(&mut self, input: &str) -> Outcome;
    fn priority(&self) -> u8 {
        default_priority()
    }
}

pub type Outcome = Result<String, Failure>;

#[derive(Debug)]
pub struct Failure(pub String);

impl From<std::num::ParseIntError> for Failure {
    fn from(error: std::num::ParseIntError) -> Self {
        Failure(error.to_string())
    }
}

const fn default_priority() -> u8 {
    5
}

pub trait Shout {
    fn shout(&self) -> String;
}

impl<T: AsRef<str>> Shout for T {
    fn shout(&self) -> String {
        loud(self.as_ref())
    }
}

fn loud(text: &str) -> String {
    text.to_uppercase()
}
