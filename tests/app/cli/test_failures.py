"""What a command says last when it fails."""

import pytest
import typer

from app.cli.failures import failing_clearly
from models.ssl.launch import RankDied


def test_a_training_whose_process_died_says_what_to_do_and_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    error = RankDied("One of the 2 processes of the training died.")
    error.add_note("Signal 9 (SIGKILL) received by PID 7")
    with pytest.raises(typer.Exit), failing_clearly("finetune"):
        raise error
    said = capsys.readouterr().err.splitlines()
    assert said == ["roost finetune: One of the 2 processes of the training died.", error.__notes__[0]]


def test_what_nobody_foresaw_stays_loud() -> None:
    with pytest.raises(KeyError), failing_clearly("finetune"):
        raise KeyError("ours")
