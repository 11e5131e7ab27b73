use crate::shape::{Named, Shape};

#[derive(Clone, Default)]
pub struct Square {
    side: f64,
}

impl Square {
    pub fn unit() -> Square {
        Square::sized(1.0)
    }

    fn sized(side: f64) -> Self {
        let empty = Self::default();
        Self { side, ..empty.clone() }
    }
}

impl Named for Square {
    fn name(&self) -> String {
        String::from("square")
    }

    fn title(&self) -> String {
        format!("Square of {}", self.side)
    }
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.side * self.side
    }
}
