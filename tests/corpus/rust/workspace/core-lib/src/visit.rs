use crate::Node;

pub trait Visitor {
    fn leaf(&mut self, number: u32);

    fn pair(&mut self, left: &Node, right: &Node) {
        walk(self, left);
        walk(self, right);
    }
}

pub fn walk<V: Visitor + ?Sized>(visitor: &mut V, node: &Node) {
    match node {
        Node::Leaf(number) => visitor.leaf(*number),
        Node::Pair(left, right) => visitor.pair(left, right),
    }
}
