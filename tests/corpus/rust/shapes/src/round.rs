use super::shape::{Named, Shape};
use std::f64::consts::PI;

pub struct Circle {
    radius: f64,
}

impl Circle {
    pub fn new(radius: f64) -> Self {
        Self { radius: checked(radius) }
    }

    fn square(&self) -> f64 {
        self.radius * self.radius
    }
}

fn checked(number: f64) -> f64 {
    number.max(0.0)
}

impl Named for Circle {
    fn name(&self) -> String {
        "circle".into()
    }
}

impl Shape for Circle {
    fn area(&self) -> f64 {
        PI * self.square()
    }

    fn describe(&self) -> String {
        format!("round {}", self.title())
    }
}
