from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from drivederain.data.decode import MAX_PIXELS, UnusablePicture, decode, decode_mask


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_come_back_exactly(drawn, format, options):
    picture = drawn(3)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(picture), format, **options), "a"), picture)


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_lossy_formats_come_back_closely(format):
    picture = np.full((24, 32, 3), (200, 100, 50), np.uint8)
    result = decode(encoded(Image.fromarray(picture), format, quality=95), "a")
    assert result.shape == picture.shape and result.flags["C_CONTIGUOUS"]
    assert np.abs(result.astype(int) - picture).max() <= 4


def test_grey_is_repeated_and_one_bit_is_black_and_white(drawn):
    grey = drawn(1)[..., 0]
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(grey), "PNG"), "a"), np.dstack([grey] * 3))
    bits = (grey > 100).astype(np.uint8) * 255
    one_bit = Image.fromarray(bits).convert("1", dither=Image.Dither.NONE)
    np.testing.assert_array_equal(decode(encoded(one_bit, "PNG"), "a")[..., 1], bits)


def test_palette_is_expanded():
    indices = np.array([[0, 1], [2, 1]], np.uint8)
    image = Image.fromarray(indices, "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    expected = [[[10, 20, 30], [40, 50, 60]], [[70, 80, 90], [40, 50, 60]]]
    np.testing.assert_array_equal(decode(encoded(image, "PNG"), "a"), expected)


def test_alpha_is_composited_over_black():
    rgba = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 128]]], np.uint8)
    expected = [[[200, 100, 50], [0, 0, 0], [100, 50, 25]]]
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(rgba, "RGBA"), "PNG"), "a"), expected)
    grey_alpha = np.array([[[200, 255], [200, 128]]], np.uint8)
    la = decode(encoded(Image.fromarray(grey_alpha, "LA"), "PNG"), "a")
    np.testing.assert_array_equal(la[0, :, 0], [200, 100])


def test_transparent_palette_entry_becomes_black():
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([250, 250, 250, 40, 50, 60])
    data = encoded(image, "PNG", transparency=0)
    np.testing.assert_array_equal(decode(data, "a"), [[[0, 0, 0], [40, 50, 60]]])


def test_cmyk_goes_through_pillow(drawn):
    image = Image.fromarray(drawn(2)).convert("CMYK")
    np.testing.assert_array_equal(decode(encoded(image, "TIFF"), "a"), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_are_rounded_not_cut(suffix):
    # 1000 / 257 = 3.89: the high byte alone would give 3.
    values = np.array([[0, 128, 129, 1000, 32768, 65535]], np.uint16)
    expected = np.rint(values / 257)
    grey = decode(cv2.imencode(suffix, values)[1].tobytes(), "a")
    np.testing.assert_array_equal(grey[..., 0], expected)
    colour = np.dstack([values, values[:, ::-1], values])
    result = decode(cv2.imencode(suffix, colour[..., ::-1])[1].tobytes(), "a")
    np.testing.assert_array_equal(result[..., 0], expected)
    np.testing.assert_array_equal(result[..., 1], expected[:, ::-1])


def test_sixteen_bit_alpha():
    bgra = np.array([[[1000, 2000, 60000, 65535], [1000, 2000, 60000, 32768], [1, 1, 1, 0]]], np.uint16)
    result = decode(cv2.imencode(".png", bgra)[1].tobytes(), "a")
    np.testing.assert_array_equal(result, [[[233, 8, 4], [117, 4, 2], [0, 0, 0]]])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG"])
def test_orientation_is_applied(drawn, orientation, format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(drawn(1)), format, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    np.testing.assert_array_equal(decode(data, "a"), np.asarray(upright))
    assert decode(data, "a").shape == ((32, 24, 3) if orientation >= 5 else (24, 32, 3))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_sixteen_bit_tiffs(drawn, orientation):
    deep = drawn(1).astype(np.uint16) * 257
    file = io.BytesIO()
    tifffile.imwrite(file, deep, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    exif = Image.Exif()
    exif[0x0112] = orientation
    flat = encoded(Image.fromarray(drawn(1)), "PNG", exif=exif)
    np.testing.assert_array_equal(decode(file.getvalue(), "a"), decode(flat, "a"))


def test_unknown_orientation_is_upright(drawn):
    exif = Image.Exif()
    exif[0x0112] = 77
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(drawn(1)), "PNG", exif=exif), "a"), drawn(1))


def test_first_frame_counts(drawn):
    frames = [Image.fromarray(drawn(number)) for number in (1, 2)]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data, "a"), drawn(1))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_truncated_files_name_the_file_and_the_remedy(drawn, format):
    data = encoded(Image.fromarray(drawn(5, 64, 64)), format)
    with pytest.raises(UnusablePicture, match=r"road\.x: .*--skip-bad"):
        decode(data[: len(data) * 2 // 3], "road.x")


def test_no_picture_at_all():
    with pytest.raises(UnusablePicture, match=r"a\.png: the file is empty"):
        decode(b"", "a.png")
    with pytest.raises(UnusablePicture, match=r"a\.png: it is none of PNG, JPEG, WEBP, BMP, TIFF"):
        decode(b"<html>not found</html>", "a.png")
    gif = encoded(Image.new("L", (4, 4)), "GIF")
    with pytest.raises(UnusablePicture, match="none of PNG"):
        decode(gif, "a.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_600, 20_000])
def test_bombs_are_refused(side):
    assert side * side > MAX_PIXELS
    data = encoded(Image.new("1", (8, 8)), "PNG")
    head = b"IHDR" + struct.pack(">II", side, side) + data[24:29]
    data = data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]
    with pytest.raises(UnusablePicture, match="above the limit of 89,478,485 pixels"):
        decode(data, "bomb.png")


def test_values_without_a_range_are_refused():
    data = encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF")
    with pytest.raises(UnusablePicture, match="32-bit values have no stated range"):
        decode(data, "a.tif")


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_damaged_bytes_give_a_picture_or_the_one_error(drawn, format):
    whole = encoded(Image.fromarray(drawn(5, 20, 20)), format)
    rng = np.random.default_rng(0)
    outcomes = set()
    for _ in range(150):
        data = bytearray(whole)
        for position in rng.integers(0, min(len(data), 400), 3):
            data[position] = rng.integers(256)
        try:
            picture = decode(bytes(data), "a")
        except UnusablePicture:
            outcomes.add("refused")
        else:
            assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
            outcomes.add("decoded")
    assert "refused" in outcomes


def test_masks_are_one_channel():
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[0, 0] = (10, 250, 3)
    mask = decode_mask(encoded(Image.fromarray(rgb), "PNG"), "m")
    np.testing.assert_array_equal(mask, [[250, 0, 0], [0, 0, 0]])
