from __future__ import annotations

import numpy as np
import pytest

from drivederain.scenes.buildings import place_buildings
from drivederain.scenes.camera import Camera
from drivederain.scenes.colour import encode, linear
from drivederain.scenes.furniture import place_posts
from drivederain.scenes.ground_light import Shadows
from drivederain.scenes.lettering import GLYPHS, lettering
from drivederain.scenes.noise import look_up_grid, tile
from drivederain.scenes.parameters import draw_parameters
from drivederain.scenes.streams import Stage, Stream, standard_normal
from drivederain.scenes.trees import place_trees
from drivederain.scenes.vehicles import BODIES, place_vehicles


@pytest.fixture
def camera() -> Camera:
    return Camera(
        height=200, width=320, fov_deg=60.0, horizon=0.45, camera_height=1.3, lateral=1.7, yaw_deg=2.0, roll_deg=0.7,
        curvature=0.002,
    )  # fmt: skip


def test_ray_of_a_projected_ground_point_meets_the_ground_there(camera: Camera) -> None:
    pixels, depth = camera.project(np.array([camera.world(-1.0, 0.0, 14.0)]))
    right, down = camera.rays(0, camera.height, 1, 1)
    row, column = int(pixels[0, 1]), int(pixels[0, 0])
    assert camera.camera_height / down[row, column] == pytest.approx(depth[0], rel=0.02)
    yaw = np.radians(camera.yaw_deg)
    x = camera.lateral + depth[0] * (right[row, column] * np.cos(yaw) + np.sin(yaw))
    assert x == pytest.approx(-1.0 + 0.5 * camera.curvature * 14.0**2, abs=0.05)


def test_things_shrink_with_distance(camera: Camera) -> None:
    near, far = camera.point(0.0, 0.0, 10.0)[2], camera.point(0.0, 0.0, 20.0)[2]
    assert near / far == pytest.approx(2.0, rel=0.02)


def test_standard_normal_has_the_quantiles_of_a_normal() -> None:
    values = standard_normal(np.array([0.5, 0.975, 0.025, 0.99865, 0.001], dtype=np.float32))
    assert values == pytest.approx([0.0, 1.95996, -1.95996, 3.0, -3.0902], abs=2e-3)
    drawn = standard_normal(Stream(0, 0, Stage.SENSOR).array(200, 200))
    assert abs(drawn.mean()) < 0.02
    assert drawn.std() == pytest.approx(1.0, abs=0.02)


def test_streams_of_stages_and_items_differ() -> None:
    firsts = {Stream(1, 2, stage, item).unit() for stage in Stage for item in range(3)}
    assert len(firsts) == 3 * len(Stage)


def test_srgb_goes_there_and_back() -> None:
    levels = [(0, 1, 5), (20, 60, 128), (200, 254, 255)]
    for colour in levels:
        assert tuple(encode(linear(colour))) == colour


def test_noise_tile_wraps_and_has_its_spectrum() -> None:
    texture = tile(1.0)
    seam = np.abs(texture[:, 0] - texture[:, -1]).mean()
    inside = np.abs(np.diff(texture, axis=1)).mean()
    assert seam == pytest.approx(inside, rel=0.2)
    assert np.abs(np.diff(tile(1.7), axis=1)).mean() < 0.5 * inside
    positions = np.arange(4, dtype=np.float32)
    assert np.array_equal(look_up_grid(texture, positions, positions, 1.0), texture[:4, :4])


def test_shadow_falls_away_from_the_sun() -> None:
    class Wall:
        side, start, end, lateral, height = 1, 0.0, 100.0, 10.0, 10.0

    up = np.sin(np.radians(45.0))
    shadows = Shadows([Wall()], np.array([up, up, 0.0]), 10.0)
    lateral, s = np.array([9.0, 5.0, -5.0]), np.array([50.0, 50.0, 50.0])
    assert shadows.height(lateral, s) == pytest.approx([9.0, 5.0, -5.0], abs=1e-3)
    away = Shadows([Wall()], np.array([-up, up, 0.0]), 10.0)
    assert (away.height(lateral, s) < 0.0).all()


@pytest.mark.parametrize("index", range(12))
def test_things_stand_where_they_may(index: int) -> None:
    parameters = draw_parameters(11, index, 360, 640, None)
    for building in place_buildings(parameters):
        assert building.lateral >= parameters.wall_line
        assert building.end > building.start
    for thing in [*place_trees(parameters), *place_posts(parameters)]:
        assert abs(thing.lateral) > parameters.half_road
    vehicles = place_vehicles(parameters)
    for vehicle in vehicles:
        assert abs(vehicle.lateral) + BODIES[vehicle.body].width / 2.0 <= parameters.half_road + 0.3
    for one in vehicles:  # nothing stands inside something else
        for other in vehicles:
            if one is not other and abs(one.lateral - other.lateral) < 0.6:
                first, second = sorted((one, other), key=lambda vehicle: vehicle.s)
                assert first.s + BODIES[first.body].length <= second.s
    assert abs(parameters.camera_lateral) < parameters.half_road


def test_lettering_draws_each_letter_its_own_way() -> None:
    pictures = {letter: lettering(letter) for letter in GLYPHS}
    assert all(picture.shape == (9, 9) for picture in pictures.values())
    assert len({picture.tobytes() for picture in pictures.values()}) == len(GLYPHS)
    assert np.array_equal(lettering("TO")[:, 7:], pictures["O"][:, 1:])
