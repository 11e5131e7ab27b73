pub fn expected() -> u32 {
    mod_ules::feet(3)
}
