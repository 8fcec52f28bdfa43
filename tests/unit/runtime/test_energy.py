from pathlib import Path

from inkseal.runtime.energy import EnergyMeter


def _zone(root: Path, name: str, energy: int) -> Path:
    zone = root / name
    zone.mkdir()
    (zone / "energy_uj").write_text(str(energy))
    (zone / "max_energy_range_uj").write_text("1000000000")
    return zone


def test_packages_are_summed_in_joules(tmp_path: Path) -> None:
    zones = [_zone(tmp_path, "intel-rapl:0", 5_000_000), _zone(tmp_path, "intel-rapl:1", 0)]
    meter = EnergyMeter(tmp_path)
    (zones[0] / "energy_uj").write_text("7500000")
    (zones[1] / "energy_uj").write_text("500000")
    energy = meter.stop()
    assert energy is not None
    assert (energy.energy_joules, energy.kind) == (3.0, "measured")


def test_a_counter_that_wrapped_goes_on(tmp_path: Path) -> None:
    zone = _zone(tmp_path, "intel-rapl:0", 999_000_000)
    meter = EnergyMeter(tmp_path)
    (zone / "energy_uj").write_text("1000000")
    energy = meter.stop()
    assert energy is not None
    assert energy.energy_joules == 2.0


def test_without_counters_the_energy_is_unknown(tmp_path: Path) -> None:
    assert EnergyMeter(tmp_path).stop() is None
