"""Programs with a command line of their own, and shell completion."""

from bespeak.argv.declarations import Argument, Command

ENTRIES = (
    Command(
        "runner",
        "Run one command as a job that outlives its shell.",
        delegate="bespeak.runner.cli:main",
        examples=(("runner --help", "its own commands"),),
    ),
    Command(
        "job",
        "Start a command later, exactly once.",
        delegate="bespeak.dispatch.cli:main",
        examples=(("job --help", "its own commands"),),
    ),
    Command(
        "completion",
        "Print the completion script for a shell.",
        run="bespeak.argv.completion:script",
        text='For bash: eval "$(bespeak completion bash)" in ~/.bashrc. For zsh: the same with zsh in ~/.zshrc. '
        "For fish: bespeak completion fish > ~/.config/fish/completions/bespeak.fish",
        examples=(("completion bash", "to be evaluated by bash"),),
        arguments=(Argument("SHELL", choices=("bash", "zsh", "fish")),),
    ),
)
