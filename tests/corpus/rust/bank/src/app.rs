mod account;
mod errors;

use account::{Account, Entry, Kind};
use errors::{BankError, Result};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

type Shared = Rc<RefCell<Account>>;

#[derive(Default)]
struct Bank {
    accounts: HashMap<String, Shared>,
    first: Option<Account>,
}

impl Bank {
    fn open(&mut self, owner: &str) -> Shared {
        let account = Rc::new(RefCell::new(Account::named(owner)));
        self.accounts.insert(owner.to_string(), Rc::clone(&account));
        account
    }

    fn find(&self, owner: &str) -> Result<Shared> {
        self.accounts.get(owner).cloned().ok_or_else(|| BankError::unknown(owner))
    }

    fn pay(&mut self, from: &str, to: &str, amount: i64) -> Result<i64> {
        let source = self.find(from)?;
        self.find(to)?.borrow_mut().add(Kind::In(amount));
        source.borrow_mut().add(Kind::Out { amount });
        let left = source.borrow().balance();
        Ok(left)
    }

    fn sum(&self) -> i64 {
        let mut sum = 0;
        for account in self.accounts.values() {
            sum += account.borrow().balance();
        }
        for (_, account) in &self.accounts {
            sum += account.borrow().entries().len() as i64;
        }
        sum + self.first.as_ref().map(|account| account.balance()).unwrap_or(0)
    }
}

fn largest(account: &Account) -> Option<&Entry> {
    let entry = account.entries().iter().find(|entry| entry.amount() > 10)?;
    let first = account.entries().first()?;
    if first.amount() > entry.amount() {
        return Some(first);
    }
    account.entries()[0].checked()
}

fn main() -> Result<()> {
    let mut bank = Bank::default();
    bank.open("Ann").borrow_mut().add(Kind::In(100));
    bank.open("Bob");
    bank.first = Some(Account::named("first").with(5));
    println!("{}", bank.pay("Ann", "Bob", 30)?);
    println!("{} {}", bank.sum(), largest(&bank.find("Ann")?.borrow()).is_some());
    Ok(())
}
