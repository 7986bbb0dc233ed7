"""Draws what a run has measured as SVG: one panel for each figure, one above the other, over the same time."""

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 960, 110, 90, 20, 34, 30
INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
COLOURS = ("#2563eb", "#d97706")
POINTS = 600


def draw(path, title, panels, seconds, judged_from, marks):
    """Writes the picture. `panels` are (title, unit, [(label, [(second, figure)])]); `marks` are (title, colour, [second])."""
    height = TOP + len(panels) * (PANEL + GAP) + 34
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" '
        f'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(LEFT, 20, title, INK, "font-weight='600' font-size='14'"),
    ]
    for number, (name, unit, curves) in enumerate(panels):
        lines += panel(TOP + number * (PANEL + GAP) + 12, name, unit, curves, seconds, judged_from, marks)
    base = height - 14
    for minute in ticks(seconds / 60):
        lines.append(text(across(60 * minute, seconds), base - 12, f"{minute:g}", FAINT, "text-anchor='middle'"))
    lines.append(text(LEFT, base, "minutes; judged from the dashed line on", FAINT))
    place = LEFT + 260
    for name, colour, moments in marks:
        lines.append(f'<rect x="{place}" y="{base - 9}" width="3" height="10" fill="{colour}"/>')
        lines.append(text(place + 8, base, f"{name} ({len(moments)})", FAINT))
        place += 30 + 7 * (len(name) + 5)
    lines.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def panel(top, name, unit, curves, seconds, judged_from, marks):
    """The lines of one panel."""
    bottom = top + PANEL
    figures = [figure for _, points in curves for _, figure in points if figure is not None]
    high = nice(max(figures, default=1) * 1.05)
    lines = [text(LEFT, top - 4, f"{name}, {unit}", INK, "font-weight='600'")]
    for step in range(3):
        figure = high * step / 2
        y = bottom - PANEL * step / 2
        lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{GRID}"/>')
        lines.append(text(LEFT - 8, y + 4, f"{figure:g}", FAINT, "text-anchor='end'"))
    for _, colour, moments in marks:
        lines += [f'<line x1="{across(s, seconds):.1f}" y1="{bottom - 6}" x2="{across(s, seconds):.1f}" y2="{bottom}" '
                  f'stroke="{colour}" stroke-width="1.5"/>' for s in moments]
    x = across(judged_from, seconds)
    lines.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{FAINT}" stroke-dasharray="3 3"/>')
    label = WIDTH - RIGHT
    for number, (title, points) in reversed(list(enumerate(curves))):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across(s, seconds):.1f},{bottom - PANEL * min(f, high) / high:.1f}" for s, f in thin(points))
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        if title:
            lines.append(text(label, top - 4, title, colour, "text-anchor='end'"))
            label -= 7 * len(title) + 16
    return lines


def thin(points):
    """At most so many points as there are places for; of several the largest, so that no peak is lost."""
    points = [(s, f) for s, f in points if f is not None]
    size = max(1, len(points) // POINTS)
    return [max(points[start:start + size], key=lambda point: point[1]) for start in range(0, len(points), size)]


def across(second, seconds):
    """Where a moment is."""
    return LEFT + (WIDTH - LEFT - RIGHT) * second / seconds


def ticks(minutes):
    """Round minutes, some ten."""
    step = next((step for step in (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60) if minutes / step <= 12), 120)
    return [step * number for number in range(int(minutes / step) + 1)]


def nice(figure):
    """The next round figure above; 1 above nothing."""
    if figure <= 0:
        return 1.0
    power = 1.0
    while power < figure:
        power *= 10
    while power / 10 >= figure:
        power /= 10
    return next(power * part for part in (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1) if power * part >= figure)


def text(x, y, words, colour, more=""):
    """A line of text."""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" {more}>{words}</text>'
