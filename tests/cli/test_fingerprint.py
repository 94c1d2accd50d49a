"""`twinfra fingerprint`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CONFIG = """
variable "size" {
  default = 1
}
variable "password" {
  default   = ""
  sensitive = true
}
resource "terraform_data" "x" {
  input = var.size
}
"""


def digests(twinfra: Any, *options: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(twinfra.ok("fingerprint", "-json", *options).out)
    return found


def test_json_has_three_digests(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG)
    found = digests(twinfra)
    assert list(found) == ["code", "inputs", "state"]
    assert all(one.startswith("sha256:") and len(one) == 71 for one in found.values())


def test_every_process_gives_the_same_digests(twinfra: Any) -> None:
    twinfra.write(
        main_tf=CONFIG
        + 'locals {\n  s = toset(["b", "a", "c"])\n}\nvariable "names" {\n  type = set(string)\n}\n'
        'resource "terraform_data" "s" {\n  input = var.names\n}\n',
        terraform_tfvars='names = ["b", "a", "d", "c"]\n',
    )
    twinfra.ok("apply", "-auto-approve")
    found = set()
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-m", "twinfra", "fingerprint", "-json"],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": f"UTC+{seed}"},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        found.add(done.stdout)
    assert [json.loads(one) for one in found] == [digests(twinfra)]


def test_each_digest_tells_of_its_own_part(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG)
    first = digests(twinfra)
    twinfra.ok("apply", "-auto-approve")
    applied = digests(twinfra)
    assert (applied["code"], applied["inputs"]) == (first["code"], first["inputs"])
    assert applied["state"] != first["state"]
    given = digests(twinfra, "-var", "size=2")
    assert given["inputs"] != applied["inputs"]
    assert (given["code"], given["state"]) == (applied["code"], applied["state"])
    twinfra.write(more_tf="locals {\n  a = 1\n}\n")
    assert digests(twinfra)["code"] != applied["code"]


def test_building_again_from_nothing_gives_the_same_digests(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG)
    twinfra.ok("apply", "-auto-approve")
    first = digests(twinfra)
    Path("terraform.tfstate").unlink()
    twinfra.ok("apply", "-auto-approve")
    assert digests(twinfra) == first


def test_a_secret_is_hashed_under_a_key_that_is_kept(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG)
    first = digests(twinfra, "-var", "password=a")
    assert digests(twinfra, "-var", "password=a") == first
    assert digests(twinfra, "-var", "password=b")["inputs"] != first["inputs"]
    key = Path(".terraform/twinfra-fingerprint.key")
    assert key.stat().st_mode & 0o077 == 0
    key.unlink()
    assert digests(twinfra, "-var", "password=a")["inputs"] != first["inputs"]


def test_without_secrets_no_key_is_made(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG)
    twinfra.ok("fingerprint")
    assert not Path(".terraform/twinfra-fingerprint.key").exists()


def test_a_damaged_key_is_told(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG)
    Path(".terraform").mkdir()
    Path(".terraform/twinfra-fingerprint.key").write_text("zz")
    ran = twinfra("fingerprint", "-var", "password=a")
    assert ran.code == 1
    assert "Damaged key of the fingerprints" in ran.err


def test_in_a_project_the_key_is_beside_the_state(twinfra: Any) -> None:
    twinfra.write(
        main_tf=CONFIG,
        twinfra_toml='[environments.one]\nvariables = { password = "a" }\n[environments.two]\nvariables = { password = "a" }\n',
    )
    one = digests(twinfra, "-env", "one")
    assert digests(twinfra, "-env", "one") == one
    assert digests(twinfra, "-env", "two")["inputs"] != one["inputs"]
    assert not list(Path().rglob("twinfra-fingerprint.key"))


def test_a_file_that_the_digest_cannot_cover_is_told(twinfra: Any) -> None:
    twinfra.write(
        main_tf='variable "x" {\n  default = "a"\n}\noutput "y" {\n  value = file("${var.x}.txt")\n}\n',
        a_txt="hello",
    )
    ran = twinfra.ok("fingerprint")
    assert "File not covered" in ran.all
    assert max(map(len, ran.out.splitlines())) <= 80


def test_rules_of_the_project_leave_attributes_out(twinfra: Any) -> None:
    rule = '[[fingerprint.volatile]]\npath = "terraform_data.*.input"\nreason = "it is counted elsewhere"\n'
    rule += '[[fingerprint.volatile]]\npath = "terraform_data.x.output"\nreason = "the same"\n'
    twinfra.write(main_tf=CONFIG, twinfra_toml=rule)
    twinfra.ok("apply", "-auto-approve")
    first = digests(twinfra)
    twinfra.ok("apply", "-auto-approve", "-var", "size=2")
    assert digests(twinfra)["state"] == first["state"]


def test_wrong_rules_are_told_with_their_place(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG, twinfra_toml='[[fingerprint.volatile]]\npath = "x"\nreson = "why"\n')
    ran = twinfra("fingerprint")
    assert ran.code == 1
    assert "on twinfra.toml line 2" in ran.err
    assert "reson" in ran.err
    assert "reason" in ran.err


def test_the_receipt_of_an_apply_has_the_same_digests(twinfra: Any) -> None:
    twinfra.write(main_tf=CONFIG, twinfra_toml='[environments.one]\nvariables = { password = "a" }\n')
    twinfra.ok("apply", "-auto-approve", "-env", "one")
    (receipt,) = json.loads(twinfra.ok("history", "-json", "-env", "one").out)["entries"]
    found = digests(twinfra, "-env", "one")
    assert {name: receipt[name] for name in found} == found
    (twinfra.path / "twinfra.toml").unlink()
    twinfra.ok("workspace", "select", "one")
    assert digests(twinfra, "-var", "password=a") == found
