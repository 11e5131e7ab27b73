mod round;
mod shape;
mod square;

use round::Circle;
use shape::{total, Named, Shape};
use square::Square;

fn widest<S: Shape + Named>(shapes: &[S]) -> f64 {
    let mut most = 0.0;
    for shape in shapes {
        if shape.area() > most {
            most = shape.area();
        }
        println!("{}", shape.title());
    }
    most
}

fn boxed(which: bool) -> Box<dyn Shape> {
    if which {
        Box::new(Circle::new(1.0))
    } else {
        Box::new(Square::unit())
    }
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = vec![boxed(true), Box::new(Square::unit())];
    println!("{}", total(&shapes));
    for shape in shapes.iter() {
        println!("{}", shape.describe());
    }
    let circle = Circle::new(2.0);
    println!("{} {}", circle.describe(), widest(&[Square::unit()]));
    println!("{}", Shape::area(&circle) + <Circle as Shape>::area(&circle));
    println!("{}", shape::double(&circle) + 3u32.area());
}
