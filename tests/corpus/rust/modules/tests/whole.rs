mod help;

#[test]
fn whole() {
    assert_eq!(help::expected(), mod_ules::start());
}
