"""Draws results that are read from the standard input: what the client costs, and how that grows with the rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found]
from matplotlib import pyplot
from matplotlib.axes import Axes  # type: ignore[import-not-found]
from matplotlib.ticker import FuncFormatter, NullLocator  # type: ignore[import-not-found]

OURS = "ours"
ACCENT, PLAIN, LIMIT = "#1f6feb", "#9aa4b2", "#d8dee6"


def draw(results: Mapping[str, Any], path: str) -> None:
    """Draw the panels for which there are results."""
    panels = [draw_panel for mode, draw_panel in PANELS if mode in results["modes"]]
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none"})
    widths = [1.5 if panel is speed else 1 for panel in panels]
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(4.2 * sum(widths), 3.6), squeeze=False, width_ratios=widths, layout="constrained"
    )
    for panel, ax in zip(panels, axes[0], strict=True):
        panel(ax, results)
    figure.savefig(path, dpi=150, metadata={"Software": None})


def speed(ax: Axes, results: Mapping[str, Any]) -> None:
    """Rows per second by contender, the quickest on top, with the peak of memory."""
    contenders = sorted(results["modes"]["instant"].items(), key=lambda item: item[1]["rows_per_second"])
    names = [name for name, _ in contenders]
    rates = [figures["rows_per_second"] / 1_000 for _, figures in contenders]
    colours = [ACCENT if name == OURS else LIMIT if not figures["requests"] else PLAIN for name, figures in contenders]
    bars = ax.barh([results["labels"][name] for name in names], rates, color=colours)
    memory = [f"{_megabytes(figures):+,.0f} MB" for _, figures in contenders]
    ax.bar_label(bars, [f"{rate:,.0f}, {peak}" for rate, peak in zip(rates, memory, strict=True)], padding=3)
    ax.margins(x=0.2)
    ax.set_xlabel("thousand rows per second, and peak memory over the idle task")
    ax.set_title(f"{results['plan']['rows']:,} rows to an Altcraft that answers at once", loc="left")


def time(ax: Axes, results: Mapping[str, Any]) -> None:
    """Seconds by rows, and what they would be if the largest sync set the pace."""
    rows, figures = _growth(results)
    seconds = [each["seconds"]["median"] for each in figures]
    ax.plot(rows, [seconds[-1] * count / rows[-1] for count in rows], color=PLAIN, linestyle=":", label="proportional")
    ax.plot(rows, seconds, color=ACCENT, marker="o", label=results["labels"][OURS])
    for count, second in zip(rows, seconds, strict=True):
        ax.annotate(f"{second:.2g} s", (count, second), textcoords="offset points", xytext=(6, -10))
    ax.set_yscale("log")
    _rows_axis(ax, rows)
    ax.set_ylabel("seconds")
    ax.set_title(f"{rows[-1]:,} rows in {seconds[-1]:.1f} s", loc="left")
    ax.legend(frameon=False)


def memory(ax: Axes, results: Mapping[str, Any]) -> None:
    """Peak memory by rows."""
    rows, figures = _growth(results)
    peaks = [_megabytes(each) for each in figures]
    ax.plot(rows, peaks, color=ACCENT, marker="o")
    for count, peak in zip(rows, peaks, strict=True):
        ax.annotate(f"{peak:.0f} MB", (count, peak), textcoords="offset points", xytext=(0, 6), ha="center")
    _rows_axis(ax, rows)
    ax.set_ylim(0, 1.5 * max(peaks))
    ax.set_ylabel("MB over the idle task")
    ax.set_title(f"Peak memory, {rows[0]:,} to {rows[-1]:,} rows", loc="left")


PANELS = (("instant", speed), ("growth", time), ("growth", memory))


def _growth(results: Mapping[str, Any]) -> tuple[list[int], list[Mapping[str, Any]]]:
    growth = sorted(
        ((int(rows), figures) for rows, figures in results["modes"]["growth"].items()), key=lambda item: item[0]
    )
    return [rows for rows, _ in growth], [figures for _, figures in growth]


def _megabytes(figures: Mapping[str, Any]) -> float:
    return float(figures["peak_growth"]) / 1_000_000


def _rows_axis(ax: Axes, rows: list[int]) -> None:
    ax.set_xscale("log")
    ax.set_xticks(rows)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    ax.margins(x=0.15)
    ax.set_xlabel("rows")


if __name__ == "__main__":
    mpl.use("agg")
    draw(json.load(sys.stdin), sys.argv[1])
