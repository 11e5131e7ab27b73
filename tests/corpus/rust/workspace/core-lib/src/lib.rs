mod queue;
pub mod visit;

pub use crate::queue::Queue as Line;
pub use visit::{Visitor, walk};

pub mod prelude {
    pub use super::visit::*;
    pub use crate::Line;
}

#[derive(Clone)]
pub enum Node {
    Leaf(u32),
    Pair(Box<Node>, Box<Node>),
}

impl Node {
    pub fn leaf(number: u32) -> Node {
        Node::Leaf(number)
    }

    pub fn and(self, other: Node) -> Node {
        Node::Pair(Box::new(self), Box::new(other))
    }
}
