use crate::builtin::{Adder, Echo};
use crate::{Failure, Outcome, Plugin};

type Hook = fn(&str) -> String;

pub struct Host {
    plugins: Vec<Box<dyn Plugin>>,
    hook: Hook,
}

pub struct Only<P: Plugin> {
    plugin: P,
}

impl<P> Only<P>
where
    P: Plugin,
{
    pub fn new(plugin: P) -> Self {
        Only { plugin }
    }

    pub fn run(&mut self, input: &str) -> Outcome {
        self.plugin.run(input)
    }
}

impl Host {
    pub fn new() -> Self {
        Host { plugins: Vec::new(), hook: plain }
    }

    pub fn standard() -> Self {
        let mut host = Self::new();
        host.add(Box::new(Adder)).add(Box::<Echo>::default());
        host.sort();
        host
    }

    pub fn add(&mut self, plugin: Box<dyn Plugin>) -> &mut Self {
        self.plugins.push(plugin);
        self
    }

    fn sort(&mut self) {
        self.plugins.sort_by_key(|plugin| plugin.priority());
    }

    pub fn run(&mut self, name: &str, input: &str) -> Outcome {
        let found = self.plugins.iter_mut().find(|plugin| plugin.name() == name);
        match found {
            Some(plugin) => plugin.run(&(self.hook)(input)),
            None => Err(missing(name)),
        }
    }
}

fn plain(text: &str) -> String {
    text.to_string()
}

fn missing(name: &str) -> Failure {
    Failure(format!("no plugin {name}"))
}

impl Default for Host {
    fn default() -> Self {
        Self::standard()
    }
}
