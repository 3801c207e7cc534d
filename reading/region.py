"""A rectangle on a film: stored as shares of its width and height, entered in film pixels."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.errors import Refused

_ROUNDING = 1e-9


class RegionRefused(Refused):
    """The rectangle is empty or does not lie on the film."""


@dataclass(frozen=True)
class Region:
    """Left and top edge, width and height, each as a share (0 to 1) of the film's width or height."""

    x: float
    y: float
    width: float
    height: float

    def checked(self) -> "Region":
        """Return itself; raises RegionRefused unless it has a size and lies on the film."""
        values = (self.x, self.y, self.width, self.height)
        on_film = all(0 <= value <= 1 for value in values)  # also refuses NaN
        fits = on_film and self.x + self.width <= 1 + _ROUNDING and self.y + self.height <= 1 + _ROUNDING
        if not fits or not self.width or not self.height:
            message = _("The region must have a size and lie on the film. Draw it again, or take it away.")
            raise RegionRefused("region_invalid", message)
        return self

    @classmethod
    def from_pixels(cls, left: int, top: int, width: int, height: int, *, film: tuple[int, int]) -> "Region":
        """Return the region of a rectangle in film pixels; `film` is the film's width and height."""
        across, down = film
        return cls(left / across, top / down, width / across, height / down).checked()

    def in_pixels(self, film: tuple[int, int]) -> dict[str, int]:
        """Return left, top, width and height in whole film pixels."""
        across, down = film
        return {
            "left": round(self.x * across),
            "top": round(self.y * down),
            "width": round(self.width * across),
            "height": round(self.height * down),
        }
