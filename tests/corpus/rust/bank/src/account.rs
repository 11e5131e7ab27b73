#[derive(Debug)]
pub enum Kind {
    In(i64),
    Out { amount: i64 },
}

impl Kind {
    fn signed(&self) -> i64 {
        match self {
            Kind::In(amount) => *amount,
            Self::Out { amount } => -amount,
        }
    }
}

pub struct Entry {
    kind: Kind,
}

impl Entry {
    pub fn amount(&self) -> i64 {
        self.kind.signed().abs()
    }

    pub fn checked(&self) -> Option<&Self> {
        (self.amount() > 0).then_some(self)
    }
}

pub struct Account {
    owner: String,
    entries: Vec<Entry>,
}

impl Account {
    pub fn named(owner: impl Into<String>) -> Self {
        let account = Account { owner: owner.into(), entries: Vec::new() };
        account.log("opened");
        account
    }

    pub fn with(mut self, amount: i64) -> Self {
        self.add(Kind::In(amount));
        self
    }

    pub fn add(&mut self, kind: Kind) -> &mut Self {
        self.entries.push(Entry { kind });
        self
    }

    pub fn balance(&self) -> i64 {
        self.entries.iter().map(|entry| entry.kind.signed()).sum()
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn log(&self, what: &str) {
        println!("{} {}", self.owner, what);
    }
}
