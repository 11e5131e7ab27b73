pub fn metres(number: u32) -> u32 {
    scaled(number, 1)
}

pub fn feet(number: u32) -> u32 {
    self::scaled(number, 3)
}

fn scaled(number: u32, by: u32) -> u32 {
    number * by
}
