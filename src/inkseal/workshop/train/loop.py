"""The training loop: forecast → step → look → keep. Knows nothing of pictures or words; objectives do."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inkseal.core.config import configure
from inkseal.core.events import Finished, Listener, MetricLogged, Noted, Progress, Started, ignore
from inkseal.core.language import say
from inkseal.core.protocols import Cancel, Objective
from inkseal.core.types import Closed, Energy, Usage
from inkseal.modalities.image.png import png_bytes
from inkseal.runtime.energy import EnergyMeter
from inkseal.store.durable import write_whole
from inkseal.workshop.train.beginning import begin_with
from inkseal.workshop.train.checkpoint import load_checkpoint, save_checkpoint
from inkseal.workshop.train.curves import draw_curves
from inkseal.workshop.train.forecast import forecast
from inkseal.workshop.train.objectives import objectives
from inkseal.workshop.train.order import torch_seed_of
from inkseal.workshop.train.processes import is_set_anywhere, join_processes
from inkseal.workshop.train.recipe import Recipe
from inkseal.workshop.train.run_folder import RunFolder, lower_priority
from inkseal.workshop.train.trained import find_trained
from inkseal.workshop.train.trainer import Trainer, import_torch


class Outcome(Closed):
    """How a run, or this part of it, ended; `process` is 0 in the main one of those that trained it together."""

    folder: Path
    step: int
    finished: bool
    seconds: float
    energy: Energy | None
    process: int = 0


def train(
    recipe: Recipe,
    data: Any,
    run_dir: Path,
    *,
    fresh: bool,
    on_event: Listener,
    cancel: Cancel,
    data_sha256: str = "",
) -> Outcome:
    """Trains until the recipe's last step or until `cancel` is set; a run that was begun goes on where it stood.

    Processes of one launcher train together; the main one alone holds the folder, writes and tells.

    Args:
        recipe: everything that decides the weights.
        data: the opened dataset, of the kind that the objective declares.
        run_dir: the run's own folder, made when it is absent.
        fresh: set aside what was begun under the name, and begin at step 0.
        on_event: hears of metrics, progress and the forecast.
        cancel: asks for a checkpoint and an end after the current step.
        data_sha256: of the dataset; a run goes on with the one that it was begun on.

    Raises:
        UnknownName: no such objective.
        InUse: another process trains this run.
        NotEnoughMemory: the forecast exceeds what is free.
        MissingDependency: torch or accelerate is not installed.
        InvalidRequest, Unsupported: the processes cannot share the work.
    """
    torch = import_torch()
    kind = objectives[recipe.objective]
    accelerator = join_processes(recipe)
    torch.set_num_threads(recipe.threads)
    lower_priority(recipe.nice)
    is_main = accelerator.is_main_process
    run = RunFolder.open(run_dir, recipe, fresh=fresh, data_sha256=data_sha256) if is_main else RunFolder(run_dir)
    try:
        accelerator.wait_for_everyone()
        torch.manual_seed(recipe.seed)
        fix = say("Correct it in the recipe.", "请在配方中更正。")
        objective = kind(configure(kind.config, recipe.config, "config", fix), data, run.folder)
        with accelerator.main_process_first():
            objective.prepare(on_event if is_main else ignore, cancel)
        if recipe.begin and is_main and not run.has_begun:
            about = objective.facts()
            trained = find_trained(run.folder.parent, recipe.begin, str(about.get("network", "")))
            styles = about.get("styles", ())
            on_event(Noted(text=begin_with(trained, recipe.begin, run.folder, objective.modules, styles)))
        trainer = Trainer(recipe, objective, accelerator)
        outcome = _run(trainer, run, data_sha256, on_event if is_main else ignore, cancel)
        accelerator.wait_for_everyone()
        return outcome
    finally:
        run.close()


def _run(trainer: Trainer, run: RunFolder, data_sha256: str, on_event: Listener, cancel: Cancel) -> Outcome:
    recipe, objective, accelerator = trainer.recipe, trainer.objective, trainer.accelerator
    begun = load_checkpoint(run.checkpoints)
    if begun is not None:
        trainer.restore(*begun)
    accelerator.wait_for_everyone()  # the main process will write where the others have read
    log = run.listen(trainer.step) if accelerator.is_main_process else ignore

    def tell(event: Any) -> None:
        log(event)
        on_event(event)

    left = recipe.steps - trainer.step
    works = left > 0 or run.model_step() != trainer.step  # it may have been killed just before its last look
    keep = tell if works else on_event  # a finished run that is started again took nothing more
    keep(Started(run_id=recipe.name, what=recipe.objective))
    if left > 0:
        on_event(Noted(text=forecast(trainer, recipe)))
    meter, start = EnergyMeter(), time.monotonic()
    while trainer.step < recipe.steps and not is_set_anywhere(accelerator, cancel.is_set()):
        metrics = step(trainer)
        if trainer.step % recipe.log_every == 0:
            _log(trainer, metrics, tell)
            on_event(Progress(what=recipe.name, done=trainer.step, total=recipe.steps, unit="steps"))
        if trainer.step % recipe.look_every == 0:
            look(trainer, objective, run, data_sha256, tell)
        if trainer.step % recipe.checkpoint_every == 0:
            keep_state(trainer, run)
    keep_state(trainer, run)
    finished = trainer.step >= recipe.steps
    if finished and run.model_step() != trainer.step:
        look(trainer, objective, run, data_sha256, tell)
    seconds = time.monotonic() - start
    energy = meter.stop()
    keep(Finished(run_id=recipe.name, usage=Usage(total_seconds=seconds, energy=energy)))
    return Outcome(
        folder=run.folder,
        step=trainer.step,
        finished=finished,
        seconds=seconds,
        energy=energy,
        process=accelerator.process_index,
    )


def step(trainer: Trainer) -> Mapping[str, Any]:
    """Takes one step; all that is random in it follows from the seed, the step's number and the process's."""
    import_torch().manual_seed(torch_seed_of(trainer.step, trainer.recipe.seed, trainer.accelerator.process_index))
    return trainer.take_step(trainer.batch(trainer.step))


def keep_state(trainer: Trainer, run: RunFolder) -> None:
    """Writes a checkpoint, which every process goes on from; the main process writes it."""
    if trainer.accelerator.is_main_process:
        save_checkpoint(run.checkpoints, trainer.step, *trainer.state())


def look(trainer: Trainer, objective: Objective, run: RunFolder, data_sha256: str, tell: Listener) -> None:
    """Scores the averaged weights on the held-out split, and keeps a sheet, the curves and the model."""
    if not trainer.accelerator.is_main_process:
        return
    import_torch().manual_seed(0)
    with trainer.shown():
        for name, value in objective.evaluate().items():
            tell(MetricLogged(name=f"held_out_{name}", value=value, step=trainer.step))
        sheet = objective.sheet()
    if sheet is not None:
        run.save_sheet(trainer.step, sheet)
    write_whole(run.folder / "curves.png", png_bytes(draw_curves(run.metrics())))
    facts = {"step": trainer.step, "recipe": trainer.recipe.model_dump(mode="json"), "data_sha256": data_sha256}
    facts |= objective.facts()
    run.save_model(trainer.averaged.tensors, facts)
    tell(
        Noted(text=say(f"Step {trainer.step}: looked at the held-out data.", f"第 {trainer.step} 步：已查看留出数据。"))
    )


def _log(trainer: Trainer, metrics: Mapping[str, Any], tell: Listener) -> None:
    for name, value in metrics.items():
        tell(MetricLogged(name=name, value=float(value), step=trainer.step))
