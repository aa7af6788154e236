"""The benchmark of training learns what the product learns, and its ratios point the right way."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from trainers import job, material, race, report
from trainers.works import LANGUAGE_PEERS, OURS, WORKS


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models, and eight conversations."""
    made = tmp_path_factory.mktemp("material")
    material.write(made, shared_data, 8, small=True)
    return made


@pytest.mark.faults
def test_we_learn_in_a_process_of_its_own(folder: Path, tmp_path: Path) -> None:
    work = WORKS["lora"](folder, small=True)
    run = race.run(work.first_step(), None, tmp_path)
    assert list(run) == [OURS]
    told = run[OURS].told
    assert len(told.seconds) == len(told.losses) == 1
    # A random model finds all of 1,024 tokens nearly as likely.
    assert told.losses[0] == pytest.approx(math.log(1024), abs=0.1)
    assert told.first_step > told.seconds[0] > 0
    assert run[OURS].peak_bytes > 50_000_000


@pytest.mark.parametrize("name", WORKS)
def test_all_contestants_of_a_work_learn_the_same_rows_in_the_same_way(name: str, folder: Path) -> None:
    contestants = WORKS[name](folder, small=True).contestants
    jobs = [contestant.job for contestant in contestants.values()]
    assert OURS in contestants
    assert len({(j.count, j.batch_size, j.epochs, j.rate, j.method) for j in jobs}) == 1
    assert all(Path(j.rows).exists() and Path(j.model, "config.json").exists() for j in jobs)


def test_prefixed_rows_differ_in_nothing_but_whether_the_prefix_is_the_same(folder: Path) -> None:
    contestants = WORKS["shared_prefix"](folder, small=True).contestants
    shared, unshared = (contestant.job.examples() for contestant in contestants.values())
    lengths = [[len(row["ids"]) for row in rows] for rows in (shared, unshared)]
    assert sum(lengths[0]) == pytest.approx(sum(lengths[1]), rel=0.02)
    assert len({tuple(row["ids"][:100]) for row in shared}) == 1
    assert len({tuple(row["ids"][:20]) for row in unshared}) == len(unshared)


def test_ratios_are_larger_than_one_where_we_are_ahead() -> None:
    ours = {"tokens_per_second": 300.0, "peak_memory_bytes": 2, "first_step_seconds": 3.0}
    slow = {"tokens_per_second": 100.0, "peak_memory_bytes": 4, "first_step_seconds": 6.0}
    near = {"tokens_per_second": 200.0, "peak_memory_bytes": 1, "first_step_seconds": 3.0}
    found = dict(report.ratios("lora", {OURS: ours, "slow": slow, "near": near}))
    assert found["lora"] == {"slow": 3.0, "near": 1.5, "best_peer": 1.5}
    assert found["lora_memory"] == {"slow": 2.0, "near": 0.5, "best_peer": 0.5}
    assert found["lora_first_step"] == {"slow": 2.0, "near": 1.0, "best_peer": 1.0}


def test_a_first_loss_that_differs_is_told(folder: Path) -> None:
    work = WORKS["full"](folder, small=True)
    figures = {
        name: {"tokens_per_second": 1.0, "first_loss": loss}
        for name, loss in ((OURS, 6.93), (LANGUAGE_PEERS[0], 6.931), (LANGUAGE_PEERS[1], 7.5))
    }
    told = report.complete(work, figures, {"bfloat16": 800.0})
    assert [figures["first_loss_agrees"] for figures in told.values()] == [True, True, False]


def test_the_noisier_the_runs_are_the_harder_it_is_for_validation_losses_to_agree(folder: Path) -> None:
    work = WORKS["full"](folder, small=True)
    losses = {
        OURS: [2.0, 2.01, 2.02],
        LANGUAGE_PEERS[0]: [2.01, 2.02, 2.0],
        LANGUAGE_PEERS[1]: [1.9, 2.01, 2.1],
    }
    figures = {
        name: {"tokens_per_second": 1.0, "first_loss": 6.9, "validation_losses": found}
        for name, found in losses.items()
    }
    told = report.complete(work, figures, {"bfloat16": 800.0})
    assert [figures["validation_loss"] for figures in told.values()] == [2.01] * 3
    assert [figures["validation_loss_agrees"] for figures in told.values()] == [True, True, False]


def test_a_token_costs_six_operations_a_parameter_in_full_training(folder: Path) -> None:
    work = WORKS["full"](folder, small=True)
    rows = work.ours.examples()
    learned = sum(sum(row["learned"]) for row in rows) / sum(len(row["ids"]) for row in rows)
    layer = 64 * 64 * (2 + 2 * 2 / 4) + 3 * 64 * 192
    assert race.operations(work) == pytest.approx(6 * (2 * layer + learned * 64 * 1024))


def test_seconds_count_from_the_start_of_the_process() -> None:
    assert 0 < job.age() < 24 * 3600
