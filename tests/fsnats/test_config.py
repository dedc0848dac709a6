from fsnats.config import Config, description
from fsnats.sources import merge


def test_every_setting_has_a_meaning() -> None:
    assert all(len(description(field)) > 10 for field in Config.__struct_fields__)


def test_children_get_the_same_configuration_through_their_environment() -> None:
    flags = {"markets": "coinm", "worker_memory_max": "2G", "always": "coinm:*@trade", "linger": "0"}
    config = merge(file={}, dotenv={}, environ={}, flags=flags).config

    assert merge(file={}, dotenv={}, environ=config.environ(), flags={}).config == config
