pub struct Colour(u32);

impl Colour {
    pub const fn new(depth: u32) -> Self {
        Colour(depth)
    }

    pub fn depth(&self) -> u32 {
        self.0
    }
}

pub fn red() -> Colour {
    Colour::new(4)
}

pub fn mix(one: &Colour, other: &Colour) -> u32 {
    one.depth() + other.depth()
}
