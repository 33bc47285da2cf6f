"""The artists hold the right numbers: checked against hand computations, not pixels."""
from types import SimpleNamespace as Row

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from mlmon import plot  # noqa: E402


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_ks_draws_the_gap_where_it_is_widest():
    # After 2, all of the reference and half of the current data lie below: the gap is 1/2, at 2.
    ax = plot.ks([1, 2], [2, 3, 4, 1])
    gap = ax.lines[2]
    assert list(gap.get_xdata()) == [2, 2]
    assert sorted(gap.get_ydata()) == [0.5, 1.0]
    assert "gap 0.50" in texts(ax)


def test_ks_curves_run_from_nothing_to_everything():
    # A cumulative curve starts at 0 and ends at 1, and steps by 1/n.
    reference = plot.ks([3, 1, 2], [1, 2, 3]).lines[0]
    assert reference.get_ydata() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])


def test_ks_names_each_curve_on_its_outer_side():
    # Current values are larger, so its curve lies to the right and its name right of it.
    rng = np.random.default_rng(1)
    ax = plot.ks(rng.normal(0, 1, 200), rng.normal(2, 1, 200))
    place = {text.get_text(): text.get_position()[0] for text in ax.texts}
    assert place["reference"] < place["current"]


def test_one_outlier_does_not_squeeze_the_picture():
    # 999 values in 0..1 and one at 1e6: the view ends near 1.
    values = np.r_[np.linspace(0, 1, 999), 1e6]
    assert plot.histograms(values, values).get_xlim()[1] < 1.1


def test_histogram_heights_are_shares_of_all_rows():
    # Three of four current values lie in the upper half.
    ax = plot.histograms([0, 0, 1, 1], [0, 1, 1, 1], bins=2)
    assert [bar.get_height() for bar in ax.patches[:2]] == [0.5, 0.5]
    assert list(ax.patches[2].get_data().values) == [0.25, 0.75]


def test_whole_numbers_get_bins_of_whole_width():
    # Ages in years: bins of 2.5 years would hold two ages here and three there.
    edges = plot.histograms(np.arange(20, 80), np.arange(20, 80), bins=25).patches[-1].get_data().edges
    assert set(np.diff(edges)) == {3.0}


def test_shares_marks_the_bin_that_makes_the_psi():
    # By hand: (.8-.5) log(.8/.5) = .141 and (.2-.5) log(.2/.5) = .275, together .416.
    ax = plot.shares([0.5, 0.5], [0.8, 0.2], ["a", "b"])
    assert texts(ax)[0] == "b adds 0.27\nof PSI 0.42"
    edged = [bar.get_edgecolor() == matplotlib.colors.to_rgba(plot.LOOK) for bar in ax.patches]
    assert edged == [False, False, False, True]


def test_shares_says_that_an_empty_bin_has_no_finite_psi():
    # log(0.1 / 0) has no value.
    assert "no finite PSI" in texts(plot.shares([1, 0], [0.9, 0.1], ["a", "b"]))[0]


def test_a_bin_for_missing_values_is_drawn_only_if_there_are_any():
    ax = plot.shares([0.4, 0.6, 0], [0.5, 0.5, 0], ["a", "b", "missing"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b"]
    ax = plot.shares([0.4, 0.6, 0], [0.5, 0.4, 0.1], ["a", "b", "missing"])
    assert len(ax.patches) == 6


def test_equal_shares_have_nothing_to_mark():
    # All terms are zero, so no bar is red and only the two names are written.
    assert texts(plot.shares([0.5, 0.5], [0.5, 0.5], ["a", "b"])) == ["reference", "current"]


def test_shares_wants_a_label_a_bar():
    with pytest.raises(ValueError, match="2 and 2 shares for 1 labels"):
        plot.shares([0.5, 0.5], [0.5, 0.5], ["a"])


def test_pairs_draws_the_rows_it_was_given():
    # y = x in the reference, y = -x in the current data.
    a = pd.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 3]})
    ax = plot.pairs(a, a.assign(y=-a["y"]), "x", "y", units=("k€", ""))
    assert ax.collections[1].get_offsets().tolist() == [[1, -1], [2, -2], [3, -3]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (k€)", "y")


def test_pairs_on_log_axes_correlate_logarithms():
    # y = x² is a line of slope 2 in logarithms: correlation 1.
    a = pd.DataFrame({"x": [1.0, 10, 100], "y": [1.0, 100, 10_000]})
    ax = plot.pairs(a, a, "x", "y", log=True)
    assert ax.get_legend().get_texts()[0].get_text() == "reference: correlation 1.00"
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_null_counts_the_draws_that_pass_each_limit():
    # One of four lies above 3, three above 1.
    ax = plot.null([1, 2, 3, 4], limits={"low": 1.5, "high": 3.5}, observed=2)
    assert texts(ax) == ["low 1.50:\npassed by 75 %", "high 3.50:\npassed by 25 %",
                         "today 2.00"]
    assert [line.get_xdata()[0] for line in ax.lines[:2]] == [1.5, 3.5]


def test_null_bars_add_up_to_one():
    heights = [bar.get_height() for bar in plot.null(np.arange(1.0, 101)).patches]
    assert sum(heights) == pytest.approx(1)


def test_pvalues_reddens_what_lies_below_alpha():
    # Steps of 0.05: alpha 0.10 reddens two bars and no more.
    ax = plot.pvalues(np.linspace(0, 1, 101), alpha=0.10)
    red = [bar for bar in ax.patches if bar.get_facecolor() == matplotlib.colors.to_rgba(plot.LOOK)]
    assert len(red) == 2


def test_curves_draw_each_column_over_the_index():
    frame = pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.9]}, index=pd.Index([10, 100], name="rows"))
    ax = plot.curves(frame, look="b", level=(0.05, "alpha"), log=True)
    a, b = ax.lines[:2]
    assert a.get_ydata().tolist() == [0.1, 0.2] and b.get_xdata().tolist() == [10, 100]
    assert b.get_color() == plot.LOOK and ax.get_xlabel() == "rows" and ax.get_xscale() == "log"


def test_the_names_of_curves_stay_apart_on_an_axis_that_is_given():
    # Two curves end at the same height; on an axis of 100 their names need 7 of it between them.
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [0.5, 1.0]})
    ax = plot.curves(frame, ylim=(0, 100))
    first, second = (text.xy[1] for text in ax.texts)
    assert abs(first - second) == pytest.approx(7) and ax.get_ylim() == (0, 100)


def test_an_index_of_whole_numbers_has_ticks_at_whole_numbers():
    # There is no round 2.5, whatever divides the axis best.
    ticks = plot.curves(pd.DataFrame({"a": range(5)}, index=range(0, 5))).get_xticks()
    assert len(ticks) > 2 and (ticks == np.round(ticks)).all()


def test_labels_that_would_overlap_move_apart():
    # Two ends at the same height are moved until they are one step apart, and keep their middle.
    placed = plot._apart([0.5, 0.5, 0.9], 0.1)
    assert abs(placed[0] - placed[1]) == pytest.approx(0.1)
    assert placed[:2].mean() == pytest.approx(0.5) and placed[2] == 0.9


def test_heatmap_writes_each_number_in_its_cell():
    ax = plot.heatmap(pd.DataFrame([[0.1, np.nan], [0.3, 1.0]], index=["r", "s"], columns=["c", "d"]))
    assert texts(ax) == ["0.10", "", "0.30", "1.00"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["r", "s"]


def test_each_number_of_a_heatmap_stands_out_from_its_shade():
    # The contrast of two colours after the Web Content Accessibility Guidelines, which ask for 3 at the least.
    from matplotlib.colors import to_rgb

    def light(colour):
        rgb = np.array(to_rgb(colour))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)

    values = np.linspace(0.35, 0.65, 121)        # about the shade where the ink changes
    ax = plot.heatmap(pd.DataFrame([values]))
    for value, text in zip(values, ax.texts):
        darker, lighter = sorted((light(ax.images[0].to_rgba(value)[:3]), light(text.get_color())))
        assert (lighter + 0.05) / (darker + 0.05) >= 3, value


def test_shown_has_a_row_an_item_and_a_column_a_stretch():
    # Roots of the shares, so that what is rare can be seen; the red line stands where somebody else takes over.
    ax = plot.shown([[0.25, 0.0, 1.0], [0.0, 0.0, 1.0]], size=50, start=50)
    assert ax.images[0].get_array().tolist() == [[0.5, 0], [0, 0], [1, 1]]
    assert ax.lines[0].get_xdata()[0] == 50 and ax.lines[0].get_color() == plot.LOOK
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 100), (3.5, 0.5))


def test_points_beyond_the_limit_are_red():
    frame = pd.DataFrame({"psi": [0.5, 0.1], "harm": [0.0, 0.2]}, index=["height", "income"])
    ax = plot.points(frame, "psi", "harm", xlimit=0.2, ylimit=0.05)
    assert [line.get_color() for line in ax.lines[2:]] == [plot.LOOK, plot.CURRENT]    # by x


def result(feature, p, verdict, severity="none", reason=""):
    return Row(feature=feature, corrected_pvalue=p, verdict=verdict, severity=severity, reason=reason)


def test_report_bars_are_the_zeros_of_the_corrected_pvalue():
    # p = 0.001 has three zeros; the strongest evidence is on top.
    day = Row(features=[result("income", 1e-3, "DRIFTED", "large"), result("age", 0.1, "STABLE")])
    ax = plot.report(day)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([1, 3])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["age", "income"]
    assert ax.lines[0].get_xdata()[0] == pytest.approx(-np.log10(0.05))


def test_report_says_why_a_feature_is_undecided():
    # No verdict, no bar, and the reason in words: nothing passes in silence.
    ax = plot.report(Row(features=[result("score", float("nan"), "undecided", reason="all values missing")]))
    assert ax.patches[0].get_width() == 0
    assert texts(ax)[0] == "undecided: all values missing"


def test_timeline_labels_the_first_value_beyond_a_limit():
    ax = plot.timeline([9, 10, 11, 12], [1, 5, 1, 6], limits=(0, 4), when="{:g}:00".format)
    assert texts(ax) == ["10:00"]
    assert ax.lines[-1].get_xdata().tolist() == [10, 12]


def test_timeline_passes_over_missing_values():
    # A gap is no alarm.
    assert texts(plot.timeline([1, 2], [np.nan, 1], limits=(0, 4))) == []


def test_windows_redden_what_drifted_and_cross_out_what_was_not_judged():
    # Three windows: one stable, one drifted, one without labels.
    rows = [Row(value=0.8, low=0.7, high=0.9, verdict="STABLE"), Row(value=0.5, low=0.4, high=0.6, verdict="DRIFTED"),
            Row(value=None, low=None, high=None, verdict="UNDECIDED")]
    ax = plot.windows(Row(metric="auc", baseline=Row(value=0.82, low=0.8, high=0.84), windows=rows), start=1, truth=[0.8, 0.55, 0.5])
    bars = [line for line in ax.lines if list(line.get_ydata()) == [0.4, 0.6]]
    assert bars[0].get_color() == plot.LOOK and list(bars[0].get_xdata()) == [1, 1]
    assert [line.get_marker() for line in ax.lines if line.get_marker() != "None"] == ["o", "D", "x", "o"]
    assert ax.get_ylabel() == "auc" and texts(ax) == ["baseline 0.82"]


def test_layers_say_which_of_them_saw_nothing():
    frame = pd.DataFrame({"model": [0.9, 0.7], "system": [1, 1]}, index=[8, 9])
    model, system = plot.layers(frame, {"model": (0.8, None), "system": (None, 5)}, start=9)
    assert texts(model) == ["9"] and texts(system) == []
    assert system.get_title(loc="right") == "no alarm" and model.get_title(loc="right") == ""


@pytest.mark.parametrize("draw", [plot.ks, plot.histograms])
def test_missing_values_are_refused_and_counted(draw):
    with pytest.raises(ValueError, match="2 missing or infinite in current"):
        draw([1, 2], [1, np.nan, np.inf])


def test_an_empty_sample_is_refused():
    with pytest.raises(ValueError, match="empty reference"):
        plot.ks([], [1])


def test_figures_are_drawn_on_the_axes_they_are_given():
    _, ax = plt.subplots()
    assert plot.ks([1, 2], [2, 3], ax=ax) is ax


def test_reference_and_current_stay_apart_in_a_grey_print():
    # Luminance by Rec. 709; a difference of 0.3 is plain to the eye.
    grey, blue = (np.dot(matplotlib.colors.to_rgb(c), (0.2126, 0.7152, 0.0722))
                  for c in (plot.REFERENCE, plot.CURRENT))
    assert grey - blue > 0.3


def test_a_title_stands_over_the_figure_it_was_given_to():
    assert plot.ks([1, 2], [2, 3], title="Incomes rose").get_title() == "Incomes rose"


def test_the_line_of_a_pair_rises_with_its_correlation():
    # y = x lies on its own line; so does y = -x.
    a = pd.DataFrame({"x": np.arange(9.0), "y": np.arange(9.0)})
    ax = plot.pairs(a, a.assign(y=-a["y"]), "x", "y")
    up, down = (line.get_ydata() - line.get_xdata() * slope for line, slope in zip(ax.lines, (1, -1)))
    assert up == pytest.approx([0, 0]) and down == pytest.approx([0, 0])


def test_report_shows_a_pair_that_drifted_though_no_feature_did():
    # One bar for the pair at p = 0.01, none for the pair at p = 0.5.
    day = Row(features=[result("age", 1.0, "STABLE")], pairs=[("income", "basket", 0.01), ("age", "income", 0.5)])
    ax = plot.report(day)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["age", "income with basket"]
    assert ax.patches[1].get_width() == pytest.approx(2)


# ------------------------------------------------------------------ a dashboard

def panel(title, *exprs, kind="timeseries", limit=None, bad="red", unit="short", at=(0, 0)):
    """One panel as Grafana's JSON has it."""
    steps = [{"color": "green", "value": None}, {"color": bad, "value": limit}] if limit is not None else []
    return {
        "type": kind, "title": title, "gridPos": {"x": at[0], "y": at[1], "w": 12, "h": 8},
        "targets": [{"expr": expr, "legendFormat": "{{feature}}"} for expr in exprs],
        "fieldConfig": {"defaults": {"unit": unit, "thresholds": {"steps": steps}}},
    }


def prometheus(**series):
    """A stand-in for the server: for each PromQL the values of its series, one a second."""
    return lambda promql, start, end, step: [({"feature": name}, [98.0, 99.0, 100.0], values) for name, values in series[promql].items()]


def test_a_dashboard_asks_each_panels_own_query_and_draws_what_came():
    # The lines hold the numbers of the server, at seconds before the end.
    axes = plot.dashboard({"panels": [panel("PSI", "psi")]}, prometheus(psi={"age": [0.1, 0.2, 0.3]}), end=100.0, seconds=2.0)
    line = axes["PSI"].lines[0]
    assert list(line.get_xdata()) == [-2, -1, 0] and list(line.get_ydata()) == [0.1, 0.2, 0.3]
    assert line.get_label() == "age"


def test_a_dashboards_line_beyond_its_threshold_is_red():
    # 0.3 is over a ceiling of 0.2, and under a floor of 0.5.
    for limit, bad, name in ((0.2, "red", "over"), (0.5, "green", "under")):
        shown = panel("PSI", "psi", limit=limit, bad=bad)
        if bad == "green":
            shown["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "red"
        axes = plot.dashboard({"panels": [shown]}, prometheus(psi={"age": [0.1, 0.2, 0.3]}), end=100.0)
        assert axes["PSI"].lines[0].get_color() == plot.LOOK, name
    calm = plot.dashboard({"panels": [panel("PSI", "psi", limit=0.4)]}, prometheus(psi={"age": [0.1, 0.2, 0.3]}), end=100.0)
    assert calm["PSI"].lines[0].get_color() != plot.LOOK


def test_a_dashboards_long_names_stand_below_each_other_within_the_panel():
    # Two columns of such names would run into the panel beside.
    ends = {f"{end} end of the interval": [0.1, 0.2, 0.3] for end in ("upper", "middle", "lower")}
    axes = plot.dashboard({"panels": [panel("Quality", "quality")]}, prometheus(quality=ends), end=100.0, width=6.0)
    legend, ax = axes["Quality"].get_legend(), axes["Quality"]
    ax.figure.canvas.draw()
    assert legend.get_window_extent().x1 <= ax.get_window_extent().x1


def test_a_dashboards_panel_without_data_says_so():
    # An empty query is a fault of the panel, not a calm service.
    axes = plot.dashboard({"panels": [panel("PSI", "psi")]}, prometheus(psi={}), end=100.0)
    assert texts(axes["PSI"]) == ["no data"]


def test_a_dashboard_stands_where_grafana_puts_it():
    # Two panels beside each other, and a row's title that is no panel.
    rows = {"type": "row", "title": "data", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}}
    made = {"panels": [rows, panel("A", "psi", at=(0, 1)), panel("B", "psi", at=(12, 1))]}
    axes = plot.dashboard(made, prometheus(psi={"age": [1.0, 1.0, 1.0]}), end=100.0)
    assert list(axes) == ["A", "B"]
    left, right = (axes[name].get_position() for name in "AB")
    assert left.y0 == right.y0 and left.x1 < right.x0
    assert "data" in [text.get_text() for text in axes["A"].figure.texts]


def test_a_dashboards_numbers_carry_their_unit():
    # 0.25 of requests are 25 %.
    axes = plot.dashboard({"panels": [panel("Left", "psi", kind="stat", unit="percentunit")]}, prometheus(psi={"age": [0.1, 0.2, 0.25]}), end=100.0)
    assert texts(axes["Left"]) == ["25 %", "age"]


def test_a_dashboards_number_beyond_its_threshold_is_red():
    # A budget of -200 % is spent.
    shown = panel("Left", "psi", kind="stat", unit="percentunit", limit=0.0, bad="green")
    axes = plot.dashboard({"panels": [shown]}, prometheus(psi={"age": [1.0, 0.2, -12.5]}), end=100.0)
    assert texts(axes["Left"])[0] == "-1,250 %" and axes["Left"].texts[0].get_color() == plot.LOOK
def test_terms_step_from_before_to_after():
    # Each bar begins where the last one ended; the largest term is red.
    split = Row(before=0.1, after=0.4, dominant="concept", terms=[
        Row(name="mix", value=0.1, se=0.01), Row(name="concept", value=0.2, se=0.01)])
    ax = plot.terms(split)
    before, after, mix, concept = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert np.allclose([before, mix, concept, after], [(0, 0.1), (0.1, 0.2), (0.2, 0.4), (0, 0.4)])
    assert matplotlib.colors.to_hex(ax.patches[3].get_facecolor()) == plot.LOOK
