mod sum;

use core_lib::{prelude::*, Node};
use sum::Sum;

fn tree() -> Node {
    Node::leaf(1).and(Node::leaf(2).and(Node::Leaf(3)))
}

fn main() {
    let mut sum = Sum::default();
    walk(&mut sum, &tree());
    let mut line = Line::new();
    line.put(tree()).put(Node::leaf(9));
    let mut other = core_lib::Line::default();
    line.drain_into(&mut other);
    println!("{} {}", sum.total(), other.pairs());
}
