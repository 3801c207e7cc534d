"""Prepares a decoded film for the network: squash, trim, crop, window, one contrast for each band.

Training and serving call the same `prepare`. Fifteen summary numbers of a film (sharpness, contrast,
spectrum), none of which looks at any place in it, tell the classes of the training films apart with an AUC
of 0.976: partly anatomy, partly the cameras, which differ by class (docs/model-development.md). Bringing
every spatial-frequency band of every film to one contrast takes most of the second away before a network can
learn it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Means of the ImageNet channels in the order blue, green, red: what VGG16's weights expect to be subtracted.
IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
# A row or column whose mean grey lies outside these is empty: a frame that an archive or a viewer added.
_BLACK, _WHITE = 16.0, 245.0

# Part of a film: left, top, right, bottom as shares (0–1) of its width and height.
Area = tuple[float, float, float, float]
WHOLE: Area = (0.0, 0.0, 1.0, 1.0)


class PreprocessRefused(ValueError):  # noqa: N818 - the name says what happened
    """A preprocessing entry or an image that cannot be used: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class PreprocessConfig:
    """How films are prepared; stored in the model card, so that a version always sees what it was trained on.

    `size`: pixels of a side of the input. `archive_quality`: JPEG quality (1–100) at which a film is written
    and read once after it was made smaller, as the training films' archive did, so that a film and its small
    copy give one score; 0 for none. `trim`: largest share of a side cut off each edge where the film has an
    empty black or white frame, 0 for none. `crop`: share cut off each edge (markers, collimator borders).
    `window`: percentiles of grey that become black and white. `clahe_clip`: contrast-limited adaptive
    equalisation (Zuiderveld 1994) with that clip limit on 8×8 tiles, 0 for none. `band_sigmas`: standard
    deviations (pixels) of the Gaussians between which the bands lie, ascending. `band_targets`: the contrast
    (standard deviation, grey levels of 0–255) each band is brought to, finest first, the coarse rest last;
    empty for no band standardisation. `band_limit`: largest factor by which a band is raised or lowered.
    `mean`: mean grey after standardisation.
    """

    size: int = 224
    archive_quality: int = 0
    trim: float = 0.0
    crop: float = 0.04
    window: tuple[float, float] = (1.0, 99.0)
    clahe_clip: float = 0.0
    band_sigmas: tuple[float, ...] = (0.8, 1.6, 3.2, 6.4, 12.8)
    band_targets: tuple[float, ...] = ()
    band_limit: float = 4.0
    mean: float = 128.0

    def __post_init__(self) -> None:
        """Raise `PreprocessRefused` (preprocessing_invalid) where the values do not fit together."""
        low, high = self.window
        if self.band_targets and len(self.band_targets) != len(self.band_sigmas) + 1:
            raise _invalid("band_targets must have one value more than band_sigmas")
        if not (32 <= self.size <= 1024 and 0 <= self.crop < 0.3 and 0 <= low < high <= 100):
            raise _invalid("size, crop or window is out of range")
        if not (0 <= self.archive_quality <= 100 and 0 <= self.trim <= 0.3):
            raise _invalid("archive_quality or trim is out of range")
        if self.band_limit < 1 or list(self.band_sigmas) != sorted(self.band_sigmas):
            raise _invalid("band_limit must be at least 1 and band_sigmas ascending")

    @classmethod
    def from_card(cls, entry: Mapping[str, Any]) -> PreprocessConfig:
        """Read the card's "preprocessing" entry. Raises `PreprocessRefused` (preprocessing_invalid)."""
        unknown = set(entry) - set(cls.__dataclass_fields__)
        if unknown:
            raise _invalid(f"“{min(unknown)}” is not known to this version of the program")
        try:
            values: dict[str, Any] = {
                name: tuple(float(item) for item in value) if isinstance(value, (list, tuple)) else value
                for name, value in entry.items()
            }
            return cls(**values)
        except (TypeError, ValueError) as error:
            if isinstance(error, PreprocessRefused):
                raise
            raise _invalid("a value is of the wrong kind") from error

    def to_card(self) -> dict[str, Any]:
        """Return plain values for card.json; `from_card` reads them back unchanged."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def _invalid(reason: str) -> PreprocessRefused:
    return PreprocessRefused(
        "preprocessing_invalid", f"The preprocessing of this model is not usable: {reason}."
    )


def prepare(pixels: NDArray[np.uint8], config: PreprocessConfig) -> NDArray[np.float32]:
    """Prepare one grey film, (H, W) uint8, for the network: float32 (size, size, 3) without ImageNet means.

    Raises `PreprocessRefused` (film_shape) for anything but a grey 8-bit film.
    """
    return as_input(standardise(pixels, config))


def as_input(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn a standardised film, float32 (h, w) of 0–255, into VGG16's input, float32 (h, w, 3)."""
    means = np.array(IMAGENET_MEAN_BGR, dtype=np.float32)
    return np.asarray(grey[:, :, None] - means, dtype=np.float32)


def standardise(
    pixels: NDArray[np.uint8], config: PreprocessConfig, jitter: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """Squash, crop, window, equalise and bring each band to its contrast: float32 (size, size), 0–255.

    `jitter`, one factor per band, varies the target contrasts in training only. Raises `PreprocessRefused`
    (film_shape) for anything but a grey 8-bit film of at least 2×2 pixels.
    """
    small = shrink(pixels, config)
    top, bottom, left, right = _seen_box(small, config)
    inner = small[top:bottom, left:right].astype(np.float32)
    resized = cv2.resize(inner, (config.size, config.size), interpolation=cv2.INTER_LINEAR)
    grey = _window(np.asarray(resized, dtype=np.float32), config.window)
    if config.clahe_clip > 0:
        equaliser = cv2.createCLAHE(config.clahe_clip, (8, 8))
        grey = np.asarray(equaliser.apply(np.rint(grey).astype(np.uint8)), dtype=np.float32)
    if not config.band_targets:
        return grey
    targets = np.array(config.band_targets) * (1.0 if jitter is None else jitter)
    return _standardise_bands(grey, config, targets)


def shrink(pixels: NDArray[np.uint8], config: PreprocessConfig) -> NDArray[np.uint8]:
    """Squash a film to the input's size, uint8 (size, size), as the training films' archive did.

    Raises `PreprocessRefused` (film_shape) for anything but a grey 8-bit film of at least 2×2 pixels.
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint8 or min(pixels.shape) < 2:
        raise PreprocessRefused("film_shape", "The film must be a grey 8-bit picture.")
    if pixels.shape == (config.size, config.size):
        return pixels
    small = squash(pixels, config.size)
    return recompress(small, config.archive_quality) if config.archive_quality else small


def squash(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resample to (size, size) whatever the aspect ratio, with a triangle filter like the training films."""
    if pixels.shape == (size, size):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR))


def recompress(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Write and read a grey film as JPEG of that quality (1–100), as an archive would."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def seen_area(small: NDArray[np.uint8], config: PreprocessConfig) -> Area:
    """Return the part of a squashed film (see `shrink`) that the network sees, without its edges.

    An empty frame, rows and columns that are nearly all black or all white, is cut off first, at most the
    share `trim` of each side, then the share `crop` of what remains.
    """
    height, width = small.shape
    top, bottom, left, right = _seen_box(small, config)
    return (left / width, top / height, right / width, bottom / height)


def _seen_box(small: NDArray[np.uint8], config: PreprocessConfig) -> tuple[int, int, int, int]:
    top, bottom = _filled(small.mean(axis=1), config.trim)
    left, right = _filled(small[top:bottom].mean(axis=0), config.trim)
    down, across = round(config.crop * (bottom - top)), round(config.crop * (right - left))
    return top + down, bottom - down, left + across, right - across


def _filled(means: NDArray[np.float64], most: float) -> tuple[int, int]:
    filled = np.flatnonzero((means > _BLACK) & (means < _WHITE))
    if len(filled) == 0:
        return 0, len(means)
    limit = int(most * len(means))
    return min(int(filled[0]), limit), max(int(filled[-1]) + 1, len(means) - limit)


def _window(grey: NDArray[np.float32], window: tuple[float, float]) -> NDArray[np.float32]:
    low, high = np.percentile(grey, window)
    scaled = (grey - low) * (255.0 / max(high - low, 1.0))
    return np.asarray(np.clip(scaled, 0.0, 255.0), dtype=np.float32)


def split_bands(grey: NDArray[np.float32], sigmas: tuple[float, ...]) -> list[NDArray[np.float32]]:
    """Split a film into bands between Gaussians of growing width, finest first, the coarse rest last.

    The bands, each float32 (h, w), add up to the film.
    """
    bands: list[NDArray[np.float32]] = []
    current = grey
    for sigma in sigmas:
        blurred = cv2.GaussianBlur(grey, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        softer = np.asarray(blurred, dtype=np.float32)
        bands.append(current - softer)
        current = softer
    bands.append(current)
    return bands


def band_contrasts(grey: NDArray[np.float32], sigmas: tuple[float, ...]) -> NDArray[np.float64]:
    """Standard deviation of each band inside the middle of the film (an eighth of each edge left out)."""
    return np.array([_inner(band).std() for band in split_bands(grey, sigmas)], dtype=np.float64)


def _inner(band: NDArray[np.float32]) -> NDArray[np.float32]:
    edge = len(band) // 8
    return band[edge : len(band) - edge, edge : len(band) - edge]


def _standardise_bands(
    grey: NDArray[np.float32], config: PreprocessConfig, targets: NDArray[np.float64]
) -> NDArray[np.float32]:
    total = np.zeros_like(grey)
    for band, target in zip(split_bands(grey, config.band_sigmas), targets, strict=True):
        mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(_inner(band)))
        gain = np.clip(target / max(deviation, 1e-3), 1 / config.band_limit, config.band_limit)
        total += (band - np.float32(mean)) * np.float32(gain)
    return np.asarray(np.clip(total + np.float32(config.mean), 0.0, 255.0), dtype=np.float32)
