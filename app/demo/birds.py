"""The kinds of bird in the sample gallery, as tables: told apart by their build as much as by their colours."""

from app.demo.kind import Beak, Form, Kind, Mark, Plumage

# fmt: off
ROBIN = Kind(
    "robin",
    Form(
        depth=0.7, posture=24, neck=((0.22, -0.08), (0.43, -0.2)), head=0.25, neck_width=0.5, egg=0.08,
        beak=Beak(((0.7, 0.05), (1.1, 0.08), (1.5, 0.14)), (0.32, 0.2, 0.02)), tail=(0.52, 12, -8), legs=0.34,
        wing=0.66, eye=0.2, leg_width=0.026,
    ),
    (
        Plumage(
            body=(126, 108, 82),
            wing=((120, 102, 78), (104, 88, 66), (84, 70, 54)),
            tail=(98, 80, 60),
            beak=(58, 48, 42),
            legs=(112, 78, 60),
            marks=(
                Mark("body", (-0.02, 0.25), (0.5, 0.22), (236, 230, 220), 12, 0.1),
                Mark("body", (0.4, 0.06), (0.27, 0.33), (222, 96, 36), 20, 0.05),
                Mark("head", (0.5, 0.3), (0.78, 0.85), (226, 100, 38), 0, 0.04),
            ),
        ),
    ),
    span=1.75,
    settings=(("branch", "foliage"), ("branch", "sky"), ("branch", "snow"), ("ground", "snow"), ("ground", "meadow")),
)

KINGFISHER = Kind(
    "kingfisher",
    Form(
        depth=0.62, posture=50, neck=((0.2, -0.04), (0.47, -0.07)), head=0.29, neck_width=0.5, egg=0.05,
        beak=Beak(((0.6, 0.05), (1.6, 0.0), (2.75, 0.02)), (0.48, 0.28, 0.02)), tail=(0.3, 16, -4), legs=0.18,
        wing=0.66, eye=0.17, leg_width=0.04,
    ),
    (
        Plumage(
            body=(18, 122, 176),
            wing=((22, 138, 172), (16, 112, 160), (12, 84, 138)),
            tail=(18, 92, 170),
            beak=(34, 34, 40),
            legs=(222, 84, 44),
            marks=(
                Mark("body", (0.1, 0.27), (0.6, 0.25), (230, 126, 46), 0, 0.04),
                Mark("head", (0.25, 0.75), (0.6, 0.32), (246, 242, 234), 20, 0.03),
                Mark("head", (0.05, 0.22), (0.72, 0.24), (228, 124, 48), 14, 0.02),
                Mark("head", (-0.78, 0.42), (0.34, 0.2), (248, 244, 238), 24, 0.02),
            ),
        ),
    ),
    span=1.8,
    settings=(("branch", "water"), ("branch", "water"), ("branch", "foliage"), ("branch", "sky"), ("branch", "dusk")),
)

OWL = Kind(
    "owl",
    Form(
        depth=0.8, posture=80, neck=((0.2, 0.02), (0.5, 0.04)), head=0.36, neck_width=0.6, egg=0.04,
        beak=Beak(((0.0, 0.1), (0.02, 0.28), (0.0, 0.5)), (0.24, 0.22, 0.02)), tail=(0.32, 14, 6), legs=0.1,
        wing=0.86, eye=0.24, leg_width=0.07, frontal=True,
    ),
    (
        Plumage(
            body=(150, 116, 80),
            wing=((128, 96, 64), (112, 82, 54), (92, 66, 44)),
            tail=(116, 86, 56),
            beak=(52, 46, 44),
            legs=(196, 164, 120),
            iris=(244, 172, 30),
            barred=(92, 64, 42),
            marks=(Mark("body", (0.0, 0.2), (0.5, 0.2), (222, 198, 160), 4, 0.08),),
        ),
        Plumage(
            body=(138, 128, 118),
            wing=((118, 108, 98), (102, 92, 84), (82, 74, 68)),
            tail=(104, 94, 86),
            beak=(60, 58, 58),
            legs=(186, 176, 160),
            iris=(246, 200, 50),
            barred=(70, 62, 56),
            marks=(Mark("body", (0.0, 0.2), (0.5, 0.2), (226, 220, 208), 4, 0.08),),
        ),
    ),
    span=1.75,
    settings=(("branch", "dusk"), ("branch", "night"), ("branch", "foliage"), ("branch", "snow"), ("branch", "sky")),
)

FLAMINGO = Kind(
    "flamingo",
    Form(
        depth=0.5, posture=12, head=0.115, neck_width=0.2, egg=0.1, neck=((0.36, -0.02), (0.62, -0.12), (0.6,
        -0.42), (0.36, -0.68), (0.38, -0.98), (0.56, -1.06)), beak=Beak(((0.5, 0.1), (1.5, 0.3), (2.0, 1.3)),
        (1.0, 1.05, 0.25), tip_from=0.6), tail=(0.24, 18, 14), legs=1.15, wing=0.62, eye=0.19, leg_width=0.04,
    ),
    (
        Plumage(
            body=(246, 158, 158),
            wing=((244, 134, 138), (238, 110, 118), (226, 84, 96)),
            tail=(244, 142, 144),
            beak=(242, 206, 196),
            legs=(226, 112, 122),
            iris=(236, 204, 96),
            marks=(Mark("body", (0.0, 0.22), (0.4, 0.12), (252, 196, 190), 0, 0.08),),
        ),
    ),
    span=2.9,
    settings=(
        ("shallows", "water"),
        ("shallows", "water"),
        ("shallows", "dusk"),
        ("ground", "meadow"),
        ("shallows", "sky"),
    ),
)

_DRAKE = Plumage(
    body=(196, 190, 182),
    wing=((164, 156, 148), (146, 136, 128), (112, 100, 92)),
    tail=(226, 222, 216),
    beak=(232, 190, 56),
    legs=(236, 128, 40),
    marks=(
        Mark("body", (-0.56, 0.02), (0.14, 0.24), (30, 32, 34), 0, 0.03),
        Mark("body", (0.42, 0.02), (0.26, 0.3), (112, 62, 42), 20, 0.05),
        Mark("body", (0.47, -0.27), (0.2, 0.1), (246, 244, 240), 30, 0.01),
        Mark("body", (0.53, -0.37), (0.22, 0.13), (18, 84, 58), 30, 0.01),
        Mark("head", (0.0, 0.0), (1.3, 1.15), (22, 98, 66), 0, 0.01),
    ),
)
_HEN = Plumage(
    body=(166, 134, 98),
    wing=((140, 108, 76), (122, 94, 66), (98, 74, 54)),
    tail=(186, 160, 126),
    beak=(206, 140, 60),
    legs=(226, 126, 52),
    barred=(104, 76, 52),
    marks=(
        Mark("head", (0.1, 0.45), (1.0, 0.6), (206, 178, 140), 0, 0.04),
        Mark("head", (0.1, -0.1), (1.2, 0.14), (84, 60, 44), -8, 0.02),
    ),
)
DUCK = Kind(
    "duck",
    Form(
        depth=0.52, posture=4, neck=((0.32, -0.02), (0.46, -0.22), (0.56, -0.46)), head=0.17, neck_width=0.3,
        egg=0.1, beak=Beak(((0.6, 0.05), (1.3, 0.32), (2.1, 0.4)), (0.75, 0.45, 0.3)), tail=(0.22, 22, 10),
        legs=0.22, wing=0.66, eye=0.17, leg_width=0.04,
    ),
    (_DRAKE, _DRAKE, _HEN),
    span=1.75,
    settings=(("afloat", "water"), ("afloat", "water"), ("afloat", "dusk"), ("ground", "meadow"), ("ground", "snow")),
)

CROW = Kind(
    "crow",
    Form(
        depth=0.46, posture=24, neck=((0.25, -0.06), (0.5, -0.16)), head=0.2, neck_width=0.32, egg=0.06,
        beak=Beak(((0.5, 0.02), (1.4, 0.05), (2.2, 0.3)), (0.85, 0.58, 0.04)), tail=(0.55, 14, 2), legs=0.4,
        wing=0.82, eye=0.17, leg_width=0.042,
    ),
    (
        Plumage(
            body=(34, 35, 42),
            wing=((40, 42, 54), (34, 36, 48), (24, 25, 32)),
            tail=(28, 29, 36),
            beak=(38, 38, 42),
            legs=(36, 35, 38),
            iris=(30, 22, 20),
            marks=(
                Mark("body", (0.05, -0.16), (0.4, 0.1), (62, 68, 96), 0, 0.12),
                Mark("head", (-0.1, -0.5), (0.6, 0.3), (58, 62, 84), 0, 0.05),
            ),
        ),
    ),
    span=2.0,
    settings=(("ground", "snow"), ("ground", "meadow"), ("branch", "sky"), ("branch", "snow"), ("branch", "dusk")),
)

_MACAW_FACE = (
    Mark("head", (0.5, 0.12), (0.52, 0.52), (246, 240, 230), 0, 0.01),
    Mark("head", (0.5, 0.28), (0.4, 0.03), (216, 190, 180), 6, 0.005),
    Mark("head", (0.5, 0.42), (0.34, 0.03), (216, 190, 180), 6, 0.005),
)
PARROT = Kind(
    "parrot",
    Form(
        depth=0.44, posture=64, neck=((0.22, -0.02), (0.5, -0.08)), head=0.23, neck_width=0.4, egg=0.04,
        beak=Beak(((0.45, 0.0), (1.25, 0.05), (1.5, 0.55), (1.2, 1.0)), (1.05, 0.95, 0.5, 0.03), tip_from=0.72),
        tail=(1.05, 7, 4), legs=0.16, wing=0.86, eye=0.15, leg_width=0.055,
    ),
    (
        Plumage(
            body=(210, 34, 36),
            wing=((214, 40, 38), (244, 190, 40), (32, 92, 190)),
            tail=(196, 36, 44),
            beak=(238, 226, 204),
            legs=(92, 84, 80),
            iris=(240, 222, 130),
            marks=_MACAW_FACE,
        ),
        Plumage(
            body=(28, 110, 194),
            wing=((30, 120, 200), (26, 104, 186), (20, 76, 160)),
            tail=(24, 84, 178),
            beak=(48, 46, 50),
            legs=(70, 66, 66),
            iris=(236, 226, 150),
            marks=(Mark("body", (0.1, 0.22), (0.62, 0.2), (246, 184, 36), 0, 0.04), *_MACAW_FACE),
        ),
    ),
    span=2.5,
    settings=(("branch", "foliage"), ("branch", "foliage"), ("branch", "sky"), ("branch", "dusk"), ("branch", "water")),
)

HUMMINGBIRD = Kind(
    "hummingbird",
    Form(
        depth=0.36, posture=44, neck=((0.24, -0.02), (0.52, -0.1)), head=0.2, neck_width=0.28, egg=0.08,
        beak=Beak(((0.7, 0.02), (2.2, -0.06), (3.9, 0.1)), (0.26, 0.15, 0.05)), tail=(0.42, 26, 12), legs=0.0,
        wing=0.95, eye=0.2, hovers=True,
    ),
    (
        Plumage(
            body=(44, 134, 92),
            wing=((78, 120, 104), (112, 118, 122), (96, 100, 108)),
            tail=(46, 84, 76),
            beak=(34, 32, 34),
            legs=(40, 38, 38),
            marks=(
                Mark("body", (0.0, 0.16), (0.5, 0.14), (228, 228, 220), 2, 0.05),
                Mark("head", (0.25, 0.7), (0.9, 0.5), (206, 30, 74), 18, 0.02),
            ),
        ),
    ),
    span=2.1,
    settings=(("air", "foliage"), ("air", "foliage"), ("air", "meadow"), ("air", "sky"), ("air", "dusk")),
)

KINDS = (ROBIN, KINGFISHER, OWL, FLAMINGO, DUCK, CROW, PARROT, HUMMINGBIRD)
