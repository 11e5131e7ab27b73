//! Modules in files, folders and in place; names re-exported and renamed.

pub mod paint;
mod units;
#[path = "odd_place.rs"]
pub mod odd;

pub use paint::colour::{mix as blend, Colour};
pub use units::*;

pub mod inline {
    use super::units::metres;

    pub fn length() -> u32 {
        metres(inner::deep())
    }

    pub mod inner {
        pub fn deep() -> u32 {
            super::super::start() + self::shallow()
        }

        fn shallow() -> u32 {
            crate::odd::strange()
        }
    }
}

pub fn start() -> u32 {
    units::feet(3)
}
