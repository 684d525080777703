"""`sightline completion`."""

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
Examples:
  eval "$(sightline completion bash)"   in ~/.bashrc
  eval "$(sightline completion zsh)"    in ~/.zshrc
  sightline completion fish > ~/.config/fish/completions/sightline.fish
"""
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and options in SHELL."""
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"No completion for {shell}.")
    root = ctx.find_root().command
    click.echo(completion_class(root, {}, "sightline", "_SIGHTLINE_COMPLETE").source())
