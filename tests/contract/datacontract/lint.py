"""Prints, as JSON, what `datacontract lint` thinks of each file named on the command line: one start of the tool for all of them."""

from __future__ import annotations

import json
import sys

from datacontract.data_contract import DataContract

opinions = []
for path in sys.argv[1:]:
    run = DataContract(data_contract_file=path, inline_references=False, all_errors=True).lint()
    opinions.append(
        {"result": run.result.value, "checks": [[check.result.value, check.name, check.reason] for check in run.checks]}
    )
sys.stdout.write(json.dumps(opinions))
