from pathlib import Path

import pytest

from spoticell.errors import ConfigError
from spoticell.training.config import TrainConfig, load_config, named_configs, settled


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


def test_of_several_configs_the_later_ones_say_what_differs_from_the_earlier_ones(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("epochs: 3\nnetwork: {weigh_genes: 2, cnn: true}\nvalidation: [a, b]\nsource_weights: {a: 2}\n")
    second.write_text("network: {cnn: false, transformer: true}\nvalidation: [c]\nsource_weights: {b: 3}\n")
    both = load_config(first, second)
    assert (both.epochs, both.validation, both.source_weights) == (3, ("c",), {"a": 2, "b": 3})
    assert (both.network.weigh_genes, both.network.cnn, both.network.transformer) == (2, False, True)
    assert load_config(second, first).network.cnn


def test_a_slip_in_one_of_several_configs_is_told_with_its_file(tmp_path):
    sound, slip = tmp_path / "sound.yaml", tmp_path / "slip.yaml"
    sound.write_text("epochs: 3\n")
    slip.write_text("epochs: 0\n")
    for order in ((sound, slip), (slip, sound)):
        with pytest.raises(ConfigError, match=r"slip\.yaml can't be used: epochs"):
            load_config(*order)


def test_a_training_takes_one_config_or_several():
    assert settled(["dual-path", {"epochs": 3}]) == load_config("dual-path", {"epochs": 3})
    assert settled("original") == load_config("original")
    assert settled(load_config("original")) == load_config("original")


@pytest.mark.parametrize("run", ["a", "b"])
def test_a_calibration_of_the_shipped_bundles_differs_from_their_training_in_what_is_held_out(run):
    configs = Path(__file__).parents[2] / "configs"
    shipped = load_config(configs / "human-v1.yaml", "dual-path")
    calibration = load_config(configs / "human-v1.yaml", "dual-path", configs / f"human-v1-calibration-{run}.yaml")
    assert calibration.validation
    assert not shipped.validation
    assert calibration.changed(validation=()) == shipped
