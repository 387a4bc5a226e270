"""A meter's readings, column by column and line by line: the same times and watts, or the quick way gives up."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from loaders.trees import power_readings

MOST = 10**9

numbers = st.one_of(
    st.integers(0, MOST).map(lambda millionths: f"{millionths / 10**6:.6f}"),
    st.integers(0, MOST).map(lambda millionths: f"{millionths * 1000}.{millionths % 10**6:06d}"),
    st.sampled_from(["-1.000000", "-2.000000", "0.000000", "1e3", "nan", "7", "1.5", "1_0.000000", "", "00.0000001"]),
)
moments = st.integers(0, 24 * 60 * 60 * 1000 - 1).map(
    lambda ms: f"02-24-2023 {ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms % 60000 / 1000:06.3f}"
)
odd_moments = st.sampled_from(["02-30-2023 18:00:00.000", "02-24-2023 18:00:07", "02-24-2023 18:00:7.0000", "x"])


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    """Lines of one meter, most of them as it writes them, some with a cell or a character of another kind."""
    channels, end = draw(st.integers(0, 3)), draw(st.sampled_from(["\n", "\r\n"]))
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        moment = draw(moments if draw(st.integers(0, 30)) else odd_moments)
        volts, amperes, watts = (draw(st.integers(1, MOST)) / 10**6 for _ in range(3))
        each = watts if channels else volts * amperes
        line = f"Time,{moment},Watts,{max(channels, 1) * each:.6f},Volts,{volts:.6f},Amps,{amperes:.6f}"
        line += ",PF,1.000000,Mark,a"
        for number in range(1, channels + 1):
            line += f",Ch{number},Watts,{each:.6f},Volts,{volts:.6f},Amps,{amperes:.6f},PF,1.000000"
        cells = line.split(",")
        if not draw(st.integers(0, 30)):
            cells[draw(st.integers(0, len(cells) - 1))] = draw(numbers)
        lines.append(",".join(cells) + end)
    block = bytearray("".join(lines).encode())
    if not draw(st.integers(0, 4)):
        block[draw(st.integers(0, len(block) - 2))] = draw(st.sampled_from(b",.\n\r\0 9:T-"))
    return bytes(block)


@given(blocks())
def test_columns_say_what_the_lines_say(block: bytes) -> None:
    seconds, watts = array("d"), array("d")
    told = power_readings._read_each(block, seconds, watts)
    plain = power_readings._read_plain(block)
    if plain is not None:
        assert told == ([], [], [])
        assert [each.tobytes() for each in plain] == [seconds.tobytes(), watts.tobytes()]


@given(st.lists(st.integers(0, 10**15 - 1), min_size=1, max_size=9))
def test_decimals_are_what_float_makes_of_them(millionths: list[int]) -> None:
    written = [f"{number // 10**6}.{number % 10**6:06d}" for number in millionths]
    columns = power_readings._Columns("".join(f"{number},x\n" for number in written).encode())
    assert columns.decimals([0], 6).tolist() == [[float(number) for number in written]]


def test_the_quick_way_is_taken_for_what_meters_write() -> None:
    line = b"Time,02-24-2023 18:59:59.500,Watts,200.000000,Volts,100.000000,Amps,2.000000,PF,1.000000,Mark,a\n"
    plain = power_readings._read_plain(line + line.replace(b"18:59", b"19:00"))
    assert plain is not None
    assert [plain[0].tolist(), plain[1].tolist()] == [[1677265199.5, 1677265259.5], [200.0, 200.0]]
