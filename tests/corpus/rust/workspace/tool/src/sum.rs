use core_lib::visit::Visitor;

#[derive(Default)]
pub struct Sum(u32);

impl Sum {
    pub fn total(&self) -> u32 {
        self.0
    }

    fn add(&mut self, number: u32) {
        self.0 += number;
    }
}

impl Visitor for Sum {
    fn leaf(&mut self, number: u32) {
        self.add(number);
    }
}
