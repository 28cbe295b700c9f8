"""What is drawn in a scene: the numbers chosen before the first stroke, all relative to metres or picture size."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from .streams import Stage, Stream

SCENES_VERSION = 1
TimeOfDay = Literal["day", "dusk", "night"]
Setting = Literal["city", "town", "avenue", "country"]
SkyKind = Literal["clear", "scattered", "broken", "overcast"]
TIMES_OF_DAY: tuple[TimeOfDay, ...] = get_args(TimeOfDay)


@dataclass(frozen=True)
class SceneParameters:
    """Everything that says what a scene shows.

    Lengths in metres, angles in degrees, ``horizon`` as a part of the picture's height from the top, ``curvature``
    in 1 / m (positive bends right), ``sun_azimuth`` from straight ahead to the right, ``visibility`` the distance in
    metres at which haze takes 1 - 1/e of the light, ``noise_sigma`` the sensor's read noise as a part of full scale,
    ``exposure`` the mean linear light that the exposure aims at. The counts are of what stands in the scene; some of
    it may be hidden.
    """

    version: int
    seed: int
    index: int
    height: int
    width: int
    time_of_day: TimeOfDay
    setting: Setting
    horizon: float
    camera_height: float
    camera_lateral: float
    fov: float
    yaw: float
    roll: float
    road_width: float
    lanes: int
    lane_width: float
    one_way: bool
    traffic_side: Literal["right", "left"]
    parking_lane: bool
    crossing_distance: float | None
    pavement_width: float
    verge_width: float
    curvature: float
    sky: SkyKind
    cloud_cover: float
    sun_azimuth: float
    sun_elevation: float
    visibility: float
    exposure: float
    noise_sigma: float
    facades: int = 0
    trees: int = 0
    vehicles: int = 0
    lamps: int = 0
    signs: int = 0
    traffic_lights: int = 0
    pedestrians: int = 0

    def as_dict(self) -> dict[str, str | int | float | bool | None]:
        """The parameters as JSON types, in the order of the fields."""
        return asdict(self)

    @property
    def half_road(self) -> float:
        """Half the road's width, parking lanes included."""
        return self.road_width / 2.0

    @property
    def inner_verge(self) -> float:
        """Lateral distance at which the verge between kerb and pavement ends."""
        return self.half_road + self.verge_width

    @property
    def wall_line(self) -> float:
        """Lateral distance at which the pavement ends."""
        return self.inner_verge + self.pavement_width

    @property
    def side(self) -> int:
        """1 if the traffic keeps right, -1 if it keeps left."""
        return 1 if self.traffic_side == "right" else -1


def draw_parameters(seed: int, index: int, height: int, width: int, time_of_day: TimeOfDay | None) -> SceneParameters:
    """The parameters of a scene; the same at every size and, but for the light, at every time of day."""
    stream = Stream(seed, index, Stage.PARAMETERS)
    drawn_time = stream.weighted((("day", 0.5), ("dusk", 0.22), ("night", 0.28)))
    time: TimeOfDay = (
        time_of_day if time_of_day is not None else TIMES_OF_DAY[("day", "dusk", "night").index(drawn_time)]
    )
    settings: tuple[tuple[Setting, float], ...] = (("city", 0.42), ("town", 0.24), ("avenue", 0.2), ("country", 0.14))
    setting = stream.weighted(settings)
    one_way = setting == "city" and stream.chance(0.3)
    lanes = {
        "city": stream.choice((1, 2, 2, 3)) if one_way else stream.choice((2, 2, 4)),
        "town": 2,
        "avenue": stream.choice((2, 4, 4)),
        "country": stream.choice((2, 2, 4)),
    }[setting]
    lane_width = stream.uniform(3.0, 3.7)
    parking = setting in ("city", "town") and stream.chance(0.55 if lanes < 4 else 0.25)
    road_width = lanes * lane_width + (4.4 if parking else 0.6)
    side = 1 if stream.chance(0.7) else -1
    own_lanes = lanes if one_way else lanes // 2
    lane = stream.integer(0, own_lanes - 1)
    first = -lanes * lane_width / 2.0 if one_way else 0.0
    lateral = side * (first + (lane + 0.5) * lane_width) + stream.uniform(-0.3, 0.3)
    sky: SkyKind = stream.weighted((("clear", 0.22), ("scattered", 0.28), ("broken", 0.22), ("overcast", 0.28)))
    cover = {
        "clear": stream.uniform(0.0, 0.12),
        "scattered": stream.uniform(0.25, 0.45),
        "broken": stream.uniform(0.5, 0.75),
        "overcast": stream.uniform(0.9, 1.0),
    }[sky]
    bend = stream.uniform(1.0 / 900.0, 1.0 / 260.0) * (1 if stream.chance(0.5) else -1)
    curved = stream.chance(0.6)
    crossing_chance = {"city": 0.5, "town": 0.3, "avenue": 0.35, "country": 0.0}[setting]
    crossing = stream.uniform(7.0, 34.0)
    verge_chance = {"city": 0.1, "town": 0.3, "avenue": 0.85, "country": 1.0}[setting]
    verge = stream.uniform(1.2, 3.2) if stream.chance(verge_chance) else 0.0
    pavement = 0.0 if setting == "country" else stream.uniform(1.8, 4.2)
    day_elevation, dusk_elevation = stream.uniform(14.0, 62.0), stream.uniform(-3.0, 5.0)
    azimuth = stream.uniform(-180.0, 180.0)
    aim, noise = stream.unit(), stream.unit()
    exposures = {"day": 0.2 + 0.1 * aim, "dusk": 0.09 + 0.05 * aim, "night": 0.032 + 0.024 * aim}
    noises = {"day": 0.0010, "dusk": 0.0014, "night": 0.0017}
    return SceneParameters(
        version=SCENES_VERSION,
        seed=seed,
        index=index,
        height=height,
        width=width,
        time_of_day=time,
        setting=setting,
        horizon=stream.uniform(0.42, 0.56),
        camera_height=stream.uniform(1.15, 1.6) if stream.chance(0.85) else stream.uniform(1.8, 2.4),
        camera_lateral=lateral,
        fov=stream.uniform(52.0, 78.0),
        yaw=stream.uniform(-3.5, 3.5),
        roll=stream.uniform(-0.9, 0.9),
        road_width=road_width,
        lanes=lanes,
        lane_width=lane_width,
        one_way=one_way,
        traffic_side="right" if side == 1 else "left",
        parking_lane=parking,
        crossing_distance=crossing if stream.chance(crossing_chance) else None,
        pavement_width=pavement,
        verge_width=verge,
        curvature=bend if curved else bend * 0.08,
        sky=sky,
        cloud_cover=cover,
        sun_azimuth=azimuth,
        sun_elevation=day_elevation if time == "day" else dusk_elevation,
        visibility=math.exp(stream.uniform(math.log(180.0), math.log(1400.0))),
        exposure=exposures[time],
        noise_sigma=noises[time] * (0.6 + 1.0 * noise),
    )
