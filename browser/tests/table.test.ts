// Rows times a matrix: sums of a table's rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Table } from "../src/base/table.ts";

test("a table of more than 32 columns is added up whole", () => {
  const table = new Table(3, 71, (row, column) => 100 * row + column), made = new Float32Array(73);
  table.choose([9, 2, 0], 1, 2);
  table.values.set([3, 0.5]);
  table.add(2, made, 1);
  for (const column of [0, 31, 32, 70]) assert.equal(made[1 + column], 3 * (200 + column) + 0.5 * column);
  assert.deepEqual([made[0], made[72]], [0, 0]);
  table.add(0, made, 1);
  assert.equal(made[71], 0);
});
