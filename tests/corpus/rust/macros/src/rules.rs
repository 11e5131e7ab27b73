macro_rules! say {
    ($($part:tt)*) => {
        $crate::log::write(&format!($($part)*))
    };
}

macro_rules! double {
    ($number:expr) => {{
        let number = $number;
        say!("doubled");
        number * 2
    }};
}
