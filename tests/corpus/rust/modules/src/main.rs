use mod_ules::{blend, inline::inner as within, Colour};

fn main() {
    let one = Colour::new(1);
    println!("{} {}", blend(&one, &Colour::new(2)), within::deep());
    println!("{}", mod_ules::metres(mod_ules::inline::length()));
    let start = mod_ules::start;
    println!("{}", start());
}
