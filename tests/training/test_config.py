import pytest

from spoticell.errors import ConfigError
from spoticell.training.config import TrainConfig, load_config, named_configs


def test_every_named_config_can_be_loaded():
    assert named_configs() == ["default", "dual-path", "original"]
    assert load_config("default") == TrainConfig()


def test_the_original_has_the_hyperparameters_of_the_first_version():
    config = load_config("original")
    assert (config.optimizer, config.schedule, config.batch_size, config.loss) == ("adam", "plateau", 16, "bce")
    assert config.network.layout == "alphabetical"


def test_a_file_states_only_what_differs(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("epochs: 3\nnetwork:\n  cnn: false\n")
    assert load_config(path) == TrainConfig(epochs=3, network={"cnn": False})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs: 0", "epochs: Input should be greater than 0"),
        ("epoch: 3", "epoch: Extra inputs are not permitted"),
        ("network: {layout: spiral}", "network.layout: Input should be 'learned'"),
        ("batch_size: 1", "batch_size: Input should be greater than or equal to 2"),
        ("a: [", "is not YAML"),
        ("[" * 10_000, "is not YAML"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("- 1", "can't be used"),
    ],
)
def test_a_slip_of_the_pen_is_named(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml") as error:
        load_config(path)
    assert message in str(error.value)


def test_a_config_that_is_not_there_is_said_with_those_that_are():
    with pytest.raises(ConfigError, match="neither a file nor one of default, dual-path, original"):
        load_config("fast")


def test_settings_state_only_what_differs_as_a_file_does():
    assert load_config({"epochs": 3, "network": {"cnn": True}}) == TrainConfig(epochs=3, network={"cnn": True})
    with pytest.raises(ConfigError, match=r"The config that was given can't be used: epoch: Extra inputs"):
        load_config({"epoch": 3})
