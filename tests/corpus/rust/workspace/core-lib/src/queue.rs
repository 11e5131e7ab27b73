use crate::Node;
use std::collections::VecDeque;

pub struct Queue<T> {
    held: VecDeque<T>,
}

impl<T: Clone> Queue<T> {
    pub fn new() -> Self {
        Self { held: VecDeque::new() }
    }

    pub fn put(&mut self, one: T) -> &mut Self {
        self.held.push_back(one);
        self
    }

    pub fn take(&mut self) -> Option<T> {
        self.held.pop_front()
    }

    pub fn drain_into(&mut self, other: &mut Queue<T>) {
        while let Some(one) = self.take() {
            other.put(one);
        }
    }
}

impl Queue<Node> {
    pub fn pairs(&mut self) -> usize {
        let mut count = 0;
        while let Some(node) = self.take() {
            if let Node::Pair(left, right) = node {
                self.put(*left).put(*right);
                count += 1;
            }
        }
        count
    }
}

impl<T: Clone> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}
