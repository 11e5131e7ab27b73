pub trait Named {
    fn name(&self) -> String;

    fn title(&self) -> String {
        self.name().to_uppercase()
    }
}

pub trait Shape: Named {
    fn area(&self) -> f64;

    fn describe(&self) -> String {
        format!("{} {}", self.title(), round_off(self.area()))
    }
}

fn round_off(number: f64) -> f64 {
    number.round()
}

pub fn total(shapes: &[Box<dyn Shape>]) -> f64 {
    shapes.iter().map(|shape| shape.area()).sum()
}

pub fn double(shape: &impl Shape) -> f64 {
    2.0 * shape.area()
}

impl Named for u32 {
    fn name(&self) -> String {
        self.to_string()
    }
}

impl Shape for u32 {
    fn area(&self) -> f64 {
        f64::from(*self)
    }
}
