use plugins::builtin::{Adder, Echo};
use plugins::host::Only;
use plugins::{Failure, Host, Plugin};

fn show(plugin: &mut dyn Plugin) -> Result<(), Failure> {
    println!("{}", plugin.run("1")?);
    println!("{}", plugin.name());
    Ok(())
}

fn main() -> Result<(), Failure> {
    let mut host: Host = Default::default();
    println!("{}", host.run("adder", "1+2")?);
    let mut only = Only::new(Adder);
    println!("{}", only.run("3")?);
    let mut echo = Echo::default();
    echo.run("x")?;
    show(&mut echo)?;
    println!("{}", Adder.priority() + echo.priority());
    Ok(())
}
