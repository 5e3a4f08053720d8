"""Pictures of the traffic of ranks: when each was inside which call, and who sent how much to whom."""

import plotly.graph_objects as go

from ._traffic import COLLECTIVES, Traffic

# Okabe and Ito: told apart by colour-blind readers. One colour means one kind of call.
_KINDS = {
    "send": "#0072B2",
    "receive": "#D55E00",
    "collective": "#009E73",
    "wait": "#E69F00",
    "other": "#CC79A7",
}
_LIMIT = 4000  # bars; more would make the page heavy and the picture no clearer


def kind_of(operation: str) -> str:
    """The kind of call, as coloured in the timeline: send, receive, collective, wait or other."""
    name = operation.lower()
    if name in COLLECTIVES:
        return "collective"
    if name in ("wait", "test"):
        return "wait"
    if "send" in name:
        return "send"
    return "receive" if "recv" in name or "probe" in name else "other"


def traffic_timeline(traffic: Traffic) -> go.Figure:
    """One row a rank, one bar a call, coloured by kind: white is time outside MPI. Seconds from the first record on.

    If there are more than 4000 calls, the longest ones are drawn and the title says so.
    """
    begin = min(record.began for record in traffic.records)
    calls = [
        (record.rank, record.began - begin, event) for record in traffic.records for event in record.events
    ]
    drawn = sorted(calls, key=lambda call: -call[2].seconds)[:_LIMIT]
    figure = go.Figure()
    for kind, colour in _KINDS.items():
        mine = [call for call in drawn if kind_of(call[2].operation) == kind]
        if mine:
            figure.add_bar(
                name=kind,
                orientation="h",
                y=[rank for rank, _, _ in mine],
                base=[round(offset + event.start, 6) for _, offset, event in mine],
                x=[round(event.seconds, 6) for _, _, event in mine],
                customdata=[_describe(event) for _, _, event in mine],
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate="rank %{y}: %{customdata}<br>from %{base:.4f} s, %{x:.6f} s long<extra></extra>",
            )
    title = f"the {_LIMIT} longest of {len(calls)} calls" if len(calls) > _LIMIT else None
    figure.update_layout(barmode="overlay", bargap=0.3, title=title, legend={"orientation": "h", "y": 1.1})
    figure.update_xaxes(title="time in s", rangemode="tozero")
    figure.update_yaxes(title="rank", tickvals=list(range(traffic.size)), autorange="reversed")
    return figure


def traffic_matrix(traffic: Traffic) -> go.Figure:
    """Who sent how many bytes to whom in point-to-point messages: row sends, column receives, each with its number."""
    sent, messages = traffic.bytes(), traffic.messages()
    ranks = [str(rank) for rank in range(traffic.size)]
    figure = go.Figure(
        go.Heatmap(
            z=sent.tolist(),
            x=ranks,
            y=ranks,
            customdata=messages.tolist(),
            colorscale=[[0, "rgba(0, 114, 178, 0.04)"], [1, "#0072B2"]],
            zmin=0,
            colorbar={"title": "bytes"},
            hovertemplate="from %{y} to %{x}<br>%{z} bytes in %{customdata} messages<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    if traffic.size <= 8:  # more numbers than that cannot be read
        texts = [[_short(value) if value else "" for value in row] for row in sent.tolist()]
        figure.update_traces(text=texts, texttemplate="%{text}")
    figure.update_xaxes(title="to rank", type="category", constrain="domain")
    figure.update_yaxes(title="from rank", type="category", autorange="reversed", scaleanchor="x")
    return figure


def _describe(event) -> str:
    parts = [event.operation]
    if event.dest is not None:
        parts.append(f"to {event.dest}")
    if event.source is not None:
        parts.append(f"from {event.source}")
    return (
        " ".join(parts)
        + (f", {event.sent} bytes sent" if event.sent else "")
        + (f", {event.received} bytes received" if event.received else "")
    )


def _short(value: int) -> str:
    """A number of bytes with at most four digits: 950, 12k, 3.4M."""
    units = ["", "k", "M", "G", "T"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.3g}{units[0]}"
