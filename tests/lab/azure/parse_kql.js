// Copyright (c) 2026, the mssp.onboarding contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Reads {library, tables: {name: "(column: type, ...)"}, queries: [text]} and writes what Microsoft's own parser
// says of each query: errors, a list of messages that is empty for one that is right, and columns, name to type.
"use strict";
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
require(`${given.library}/bridge.min.js`);
require(`${given.library}/Kusto.Language.Bridge.min.js`);
const Language = globalThis.Kusto.Language;
const tables = Object.entries(given.tables).map(([name, columns]) => Language.Symbols.TableSymbol.From(columns).WithName(name));
const database = new Language.Symbols.DatabaseSymbol.ctor("workspace", tables, null);
const globals = Language.GlobalState.Default.WithDatabase(database);
const told = given.queries.map((query) => {
  const code = Language.KustoCode.ParseAndAnalyze(query, globals);
  const found = globalThis.Bridge.toArray(code.GetDiagnostics()).filter((one) => one.Severity === "Error");
  const result = (code.ResultType && code.ResultType.Columns) ? globalThis.Bridge.toArray(code.ResultType.Columns) : [];
  return {
    errors: found.map((one) => `${one.Code}: ${one.Message}`),
    columns: Object.fromEntries(result.map((one) => [one.Name, one.Type.Name])),
  };
});
process.stdout.write(JSON.stringify(told));
