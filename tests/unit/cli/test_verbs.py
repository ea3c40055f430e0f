"""The list of verbs: all there, all in Spanish, none imported before it is used."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from app.cli import main, spanish
from app.cli.errors import CliError
from app.cli.verbs import VERBS, Group, Verb, load

ALL = {name: verb for name, verb in VERBS.items() if isinstance(verb, Verb)} | {
    f"{name} {inner}": verb
    for name, group in VERBS.items()
    if isinstance(group, Group)
    for inner, verb in group.verbs.items()
}


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_verb_is_a_command_with_a_summary(name: str) -> None:
    command = load(ALL[name])

    assert isinstance(command, click.Command)
    assert command.help
    assert ALL[name].summary.endswith(".")


def test_asking_for_help_imports_no_verb() -> None:
    program = (
        "import sys; from app.cli.main import pipc; from click.testing import CliRunner;"
        "assert CliRunner().invoke(pipc, ['--help']).exit_code == 0;"
        "print([m for m in sys.modules if m in ('flask', 'sqlalchemy', 'psycopg', 'redis', 'app.cli.local.commands')])"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--help"], "Uso: pipc VERBO…"),
        (["nada"], "No existe el verbo «nada»."),
        (["logs", "--help"], "Mostrar esta ayuda."),
        (["logs", "uno", "dos"], "Sobra el argumento dos"),
        (["logs", "--lines", "x"], "«x» no es un número válido."),
        (["status", "--xml"], "No existe la opción --xml."),
    ],
)
def test_click_speaks_spanish(arguments: list[str], said: str) -> None:
    spanish.install()

    result = CliRunner().invoke(main.pipc, arguments, prog_name="pipc")

    assert said in result.output
    assert not {"Usage", "Options", "Error", "Try", "Show"} & set(result.output.replace(":", " ").split())


def test_refusal_is_one_sentence_and_the_next_command(monkeypatch, capsys) -> None:
    def refuse(**_: object) -> None:
        raise CliError("El puerto 8000 está ocupado por otro programa.", "PIPC_PORT=8001 make run")

    monkeypatch.setattr(main.pipc, "main", refuse)

    with pytest.raises(SystemExit) as leave:
        main.main()

    assert leave.value.code == 2
    assert capsys.readouterr().err == (
        "El puerto 8000 está ocupado por otro programa.\n  Siguiente paso: PIPC_PORT=8001 make run\n"
    )


def test_surprise_is_kept_under_an_identifier_and_shows_no_trace(monkeypatch, capsys, tmp_path) -> None:
    def surprise(**_: object) -> None:
        raise RuntimeError("detalle interno")

    (tmp_path / "logs").mkdir()
    monkeypatch.setenv("PIPC_HOME", str(tmp_path))
    monkeypatch.setattr(main.pipc, "main", surprise)

    with pytest.raises(SystemExit) as leave:
        main.main()

    said = capsys.readouterr().err
    kept = (tmp_path / "logs" / "errors.log").read_text()
    assert leave.value.code == 2
    assert "detalle interno" not in said
    assert "detalle interno" in kept
    assert kept.split()[1] in said
