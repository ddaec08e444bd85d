"""What is wrong with a fine-tuning is said before it begins, with a code."""

import pytest

from models import registry
from models.ssl.backbone import Backbone
from models.ssl.checks import CannotTrain, check_images, check_network, fitting_batch
from models.ssl.fit import fit
from models.ssl.networks import resnet18_cifar, vit_tiny
from models.ssl.params import Params
from tests.models.ssl.runs import shapes, small


def code(error: pytest.ExceptionInfo[CannotTrain]) -> str:
    return error.value.code


def test_few_images() -> None:
    check_images(32)
    with pytest.raises(CannotTrain, match="32 readable images") as error:
        check_images(31)
    assert code(error) == "collection_too_small"


def test_a_batch_that_nobody_chose_gives_way() -> None:
    assert fitting_batch(Params(), 50).batch_size == 50
    assert fitting_batch(Params(), 500).batch_size == 64
    assert fitting_batch(Params(batch_size=50), 50).batch_size == 50
    with pytest.raises(CannotTrain, match="only 49 images") as error:
        fitting_batch(Params(batch_size=50), 49)
    assert code(error) == "batch_too_large"


def test_the_loop_itself_refuses_a_batch_larger_than_its_images() -> None:
    with pytest.raises(CannotTrain) as error:
        fit(small("simclr", images=12), shapes(12))
    assert code(error) == "batch_too_large"


def test_a_method_for_transformers_on_another_network() -> None:
    mae = registry.load("ssl.methods", "mae")
    check_network(mae, "mae", Backbone(*vit_tiny(16, dim=64, depth=1)))
    with pytest.raises(CannotTrain, match="mae needs a vision transformer") as error:
        check_network(mae, "mae", Backbone(*resnet18_cifar(4)))
    assert code(error) == "method_needs_vit"
