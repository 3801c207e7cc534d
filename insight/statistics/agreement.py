"""Agreement of readers with the AI and with each other: Cohen's kappa, by group and by pair."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations

from django.utils.translation import gettext as _

from insight.statistics import formatting
from insight.statistics.charts import Picture, intervals
from insight.statistics.figure import Cell, Column, Figure, interval_columns
from insight.statistics.signed_reads import Finding, Read, Reads, rule, too_few
from pneumoml.statistics.agreement import cohen_kappa
from pneumoml.statistics.clusters import Estimate

MOST_READERS, MOST_PAIRS = 20, 20
Pair = tuple[Read, Read]


def reader_and_ai(reads: Reads) -> Figure:
    """Cohen's kappa of signed reads and AI: all, without and with the AI in view, and of each reader.

    Method and source: `pneumoml.statistics.agreement.cohen_kappa` (Cohen 1960; Fleiss, Cohen and Everitt
    1969; over subjects, Yang and Zhou 2014).
    """
    counted = reads.against_ai
    groups: list[tuple[str, list[Read]]] = [
        (_("All reads"), counted),
        (_("AI not in view"), [read for read in counted if not read.aided]),
        (_("AI in view"), [read for read in counted if read.aided]),
    ]
    readers = Counter(read.reader for read in counted).most_common(MOST_READERS)
    groups += [(name, [read for read in counted if read.reader == name]) for name, _n in readers]
    rows = [_row([name], group, _kappa_with_ai(group), _same_as_ai(group)) for name, group in groups]
    aided = len(groups[2][1])
    sentences = [_left_out(reads)]
    if aided:
        sentences.append(
            _(
                "%(aided)s of %(all)s reads were given with the AI result in view: they may follow it, and "
                "their agreement says less."
            )
            % {"aided": formatting.count(aided), "all": formatting.count(len(counted))}
        )
    return _figure(
        "reader-ai",
        _("Agreement of readers and AI"),
        [Column("group", _("Reads"))],
        rows,
        n=len(counted),
        sentences=sentences,
    )


def reader_and_reader(reads: Reads) -> Figure:
    """Cohen's kappa of each two readers on the films that both have signed; three findings, unweighted."""
    by_film: dict[int, list[Read]] = defaultdict(list)
    for read in reads.readable:
        by_film[read.film].append(read)
    pairs: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for film in by_film.values():
        for one, two in combinations(sorted(film, key=lambda read: read.reader), 2):
            pairs[one.reader, two.reader].append((one, two))
    largest = sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_PAIRS]
    rows = [
        _row(list(names), [one for one, _two in pair], _kappa_of_pairs(pair), _same(pair))
        for names, pair in largest
    ]
    n = sum(len(film) > 1 for film in by_film.values())
    sentences = [_("Films with signed reads of at least two readers: %(n)s.") % {"n": formatting.count(n)}]
    if len(pairs) > MOST_PAIRS:
        sentences.append(_("The %(most)s pairs with most films are shown.") % {"most": MOST_PAIRS})
    sentences.append(_("Findings: normal, pneumonia, other. “Not readable” is left out."))
    columns = [Column("reader", _("Reader")), Column("other_reader", _("Other reader"))]
    return _figure(
        "reader-reader", _("Agreement of readers with each other"), columns, rows, n=n, sentences=sentences
    )


def _figure(
    key: str, title: str, names: Sequence[Column], rows: list[list[Cell]], *, n: int, sentences: Sequence[str]
) -> Figure:
    known = [row for row in rows if row[-3] is not None]
    return Figure(
        key=key,
        title=title,
        n=n,
        unit=_("reads") if key == "reader-ai" else _("films"),
        columns=[
            *names,
            Column("n", _("n"), "count"),
            Column("subjects", _("Subjects"), "count"),
            Column("same", _("Same"), "share"),
            *interval_columns("kappa", _("Kappa")),
        ],
        rows=rows,
        sentences=sentences,
        method=_(
            "Cohen's kappa (1960), 1 for perfect agreement and 0 for what chance gives; 95%% interval by the "
            "large-sample variance of Fleiss, Cohen and Everitt (1969), summed over subjects (Yang and Zhou "
            "2014)."
        )
        % {},
        too_few="" if known else rule(),
        picture=_drawn(title, known, len(names)),
    )


def _drawn(title: str, rows: Sequence[Sequence[Cell]], names: int) -> Picture | None:
    if not rows:
        return None
    drawn = [
        (" – ".join(map(str, row[:names])), _float(row[-3]) or 0.0, _float(row[-2]), _float(row[-1]))
        for row in rows
    ]
    return intervals(title, drawn)


def _float(cell: Cell) -> float | None:
    return cell if isinstance(cell, float) else None


def _row(names: Sequence[str], reads: Sequence[Read], kappa: Estimate | None, same: int) -> list[Cell]:
    subjects = len({read.subject for read in reads})
    figures: list[Cell] = [kappa.value, kappa.low, kappa.high] if kappa else [None, None, None]
    return [*names, len(reads), subjects, same / len(reads) if reads else None, *figures]


def _kappa_with_ai(reads: Sequence[Read]) -> Estimate | None:
    subjects = [read.subject for read in reads]
    sick = sum(read.is_pneumonia for read in reads)
    if too_few(len(reads), len(set(subjects)), sick, len(reads) - sick):
        return None
    said = [str(read.is_pneumonia) for read in reads]
    return _kappa(said, [str(read.above) for read in reads], subjects)


def _kappa_of_pairs(pairs: Sequence[Pair]) -> Estimate | None:
    subjects = [one.subject for one, _two in pairs]
    sick = min(sum(read.is_pneumonia for read in side) for side in zip(*pairs, strict=True))
    well = min(sum(not read.is_pneumonia for read in side) for side in zip(*pairs, strict=True))
    if too_few(len(pairs), len(set(subjects)), sick, well):
        return None
    return _kappa([one.finding for one, _two in pairs], [two.finding for _one, two in pairs], subjects)


def _kappa(first: Sequence[str], second: Sequence[str], subjects: Sequence[object]) -> Estimate | None:
    with suppress(ValueError):
        return cohen_kappa(first, second, subjects)
    return None


def _same_as_ai(reads: Sequence[Read]) -> int:
    return sum(read.is_pneumonia == read.above for read in reads)


def _same(pairs: Sequence[Pair]) -> int:
    return sum(one.finding == two.finding for one, two in pairs)


def _left_out(reads: Reads) -> str:
    unreadable = len(reads.all) - len(reads.readable)
    other = sum(read.finding == Finding.OTHER for read in reads.against_ai)
    without = len(reads.readable) - len(reads.against_ai)
    return _(
        "“Other finding” counts as no pneumonia (%(other)s reads). Left out: %(unreadable)s reads “not "
        "readable”, %(without)s of films without a result of this model version."
    ) % {
        "other": formatting.count(other),
        "unreadable": formatting.count(unreadable),
        "without": formatting.count(without),
    }
