import pytest

from inkseal.core.errors import UnknownName
from inkseal.studio.guard.checks import checks


def test_a_file_is_a_plug_in_named_like_it() -> None:
    assert "personal_data" in checks
    assert checks["personal_data"].__name__ == "PersonalData"


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="personal_data") as caught:
        checks["personal_date"]
    assert caught.value.code == "unknown_name"


def test_private_files_are_no_plug_ins() -> None:
    assert not [name for name in checks if name.startswith("_")]
