use super::paint::{self, colour as tint};

pub fn strange() -> u32 {
    let red = tint::red();
    paint::coat(&red) + paint::colour::mix(&red, &tint::red())
}
