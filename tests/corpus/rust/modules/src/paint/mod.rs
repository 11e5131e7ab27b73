pub mod colour;

use self::colour::Colour;

pub fn coat(colour: &Colour) -> u32 {
    colour.depth()
}
