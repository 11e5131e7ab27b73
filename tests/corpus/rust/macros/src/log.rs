#[derive(Debug, Clone, Copy)]
pub struct Level {
    value: u32,
}

impl Level {
    pub const fn new(value: u32) -> Self {
        Level { value }
    }

    pub fn value(&self) -> u32 {
        self.value
    }

    pub fn raise(self) -> Self {
        Self::new(self.value() + 1)
    }

    pub fn level(self) -> Option<Level> {
        Some(self)
    }
}

pub fn write(text: &str) {
    println!("{}", line(text.len() as u32) + text);
}

pub fn line(number: u32) -> String {
    format!("{number}: ")
}

pub fn parse(text: &str) -> Level {
    text.parse().map(Level::new).unwrap_or(Level::new(0))
}
