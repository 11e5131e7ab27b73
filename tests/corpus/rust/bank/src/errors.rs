use std::fmt;

pub type Result<T> = std::result::Result<T, BankError>;

#[derive(Debug)]
pub enum BankError {
    Unknown(String),
}

impl BankError {
    pub fn unknown(owner: &str) -> Self {
        BankError::Unknown(owner.to_string())
    }

    fn text(&self) -> String {
        match self {
            BankError::Unknown(owner) => quoted(owner),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

impl fmt::Display for BankError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "unknown {}", self.text())
    }
}

impl std::error::Error for BankError {}
