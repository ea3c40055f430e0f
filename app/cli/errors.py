"""What the command line says when it cannot go on: one sentence and the next command to type."""

from __future__ import annotations


class CliError(Exception):
    """A refusal written for the person at the keyboard (Spanish), with what to type next."""

    exit_code = 2

    def __init__(self, sentence: str, next_command: str = "pipc doctor") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_command = next_command

    def __str__(self) -> str:
        return f"{self.sentence} Siguiente paso: {self.next_command}"
