struct Dog {
    age: u32,
}

struct Cat {
    age: u32,
    friend: Option<Box<Cat>>,
}

impl Dog {
    fn speak(&self) -> u32 {
        self.age
    }

    fn grow(self) -> Cat {
        Cat { age: self.speak(), friend: None }
    }
}

impl Cat {
    fn speak(&self) -> u32 {
        fn speak(number: u32) -> u32 {
            number + 1
        }
        speak(self.age)
    }

    fn befriend(mut self, other: Cat) -> Self {
        self.friend = Some(Box::new(other));
        self
    }

    fn friend(&self) -> Option<&Cat> {
        self.friend.as_deref()
    }
}

fn speak(number: u32) -> u32 {
    number
}

fn shadowed() -> u32 {
    let pet = Dog { age: 1 };
    let first = pet.speak();
    let pet = pet.grow();
    let second = {
        let pet = Dog { age: 5 };
        pet.speak()
    };
    first + second + pet.speak()
}

fn closures(number: u32) -> u32 {
    let speak = |number: u32| number * 2;
    let louder = |cat: &Cat| cat.speak() + speak(1);
    let cat = Cat { age: number, friend: None };
    louder(&cat)
}

fn matched(cat: &Cat) -> u32 {
    let other = if let Some(cat) = cat.friend() { cat.speak() } else { cat.speak() };
    match &cat.friend {
        Some(friend) if friend.age > 1 => friend.speak() + other,
        Some(friend) => by(friend, Cat::speak),
        None => speak(other),
    }
}

fn by<F: Fn(&Cat) -> u32>(cat: &Cat, work: F) -> u32 {
    work(cat)
}

mod inner {
    pub fn speak(number: u32) -> u32 {
        super::speak(number)
    }

    pub fn twice(number: u32) -> u32 {
        speak(speak(number))
    }
}

fn glob() -> u32 {
    use inner::{speak, twice as double};
    speak(double(1))
}

fn main() {
    let cat = Dog { age: 2 }.grow().befriend(Dog { age: 3 }.grow());
    println!("{} {} {}", shadowed(), closures(1), matched(&cat));
    println!("{}", glob() + inner::speak(1));
}
