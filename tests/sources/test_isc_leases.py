"""Lease files: later blocks come later, times in both forms, both families."""

from hypothesis import given
from hypothesis import strategies as st

from portero.sources.isc_leases import SOURCE
from support.log_reading import reader, survives

read = reader(SOURCE)
LEASE = """lease 10.2.3.14 {
  starts 5 2026/11/20 09:00:00;
  ends 5 2026/11/20 17:00:00;
  hardware ethernet 00:20:6b:aa:bb:cc;
  set vendor-class-identifier = "KONICA MINOLTA bizhub";
  client-hostname "PRN-3F-KM";
}
"""
EPOCH = """lease 10.2.3.14 {
  starts epoch 1795168800; # whatever
  ends never;
  hardware ethernet 00:20:6b:aa:bb:dd;
}
"""
SIX = """ia-na "4dv" {
  cltt 5 2026/11/20 09:00:00;
  iaaddr 2001:db8::60 {
    binding state active;
    ends 5 2026/11/20 17:05:37;
  }
}
ia-pd "4dv" {
  cltt 2 2015/08/18 16:55:40;
  iaprefix 2001:db8:5::/64 {
    ends 2 2015/08/18 17:05:40;
  }
}
"""


def test_a_lease_names_its_device():
    (row,) = read(LEASE).rows
    assert (row["address"], row["mac"], row["name"]) == ("10.2.3.14", "00:20:6b:aa:bb:cc", "PRN-3F-KM")
    assert (row["maker"], row["line"]) == ("KONICA MINOLTA bizhub", 1)
    assert (str(row["observed_at"]), str(row["until_at"])) == ("2026-11-20 09:00:00", "2026-11-20 17:00:00")


def test_every_block_is_kept_with_its_time():
    first, second = read(LEASE + EPOCH).rows
    assert (second["line"], str(second["observed_at"])) == (8, "2026-11-20 10:00:00")
    assert "until_at" not in second
    assert first["mac"] != second["mac"]


def test_version_six_has_addresses_and_prefixes_are_no_host():
    (row,) = read(SIX).rows
    assert (row["address"], str(row["observed_at"])) == ("2001:db8::60", "2026-11-20 09:00:00")


def test_a_cut_file_is_named_and_what_is_whole_is_read():
    found = read(LEASE + LEASE[:60])
    assert (len(found.rows), [gap.origin.line for gap in found.gaps]) == (1, [8])


def test_a_day_that_no_calendar_has_is_unknown():
    assert "observed_at" not in read(LEASE.replace("2026/11/20 09", "2026/02/30 09")).rows[0]


@given(st.binary(max_size=300))
def test_nothing_raises(tail):
    survives(SOURCE, LEASE + "lease 10.0.0.1 {\n  starts epoch 99999999999;\n", tail)
