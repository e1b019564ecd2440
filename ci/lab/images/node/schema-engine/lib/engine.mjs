/** The WebAssembly build of the engine, instantiated on a database. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { EngineDatabase } from './database.mjs';

let instantiated;

/** Node cannot import a .wasm file as the package's own entry does without a flag. */
async function instantiate() {
  const glue = import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const code = readFileSync(fileURLToPath(new URL('./schema_engine_bg.wasm', glue)));
  const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

/**
 * @param {{ url?: string, shadowDatabaseUrl?: string }} datasource of the CLI's config
 * @param {string[]} [datamodels] schema files; `migrate diff` names none
 * @returns {Promise<bindings.SchemaEngine>}
 * @throws {Error} no URL, or a shadow database of the user's own
 */
export async function loadEngine(datasource, datamodels) {
  if (!datasource.url) throw new Error('The datasource has no url, and this schema engine needs one.');
  if (datasource.shadowDatabaseUrl) {
    throw new Error('This schema engine makes its own shadow database: unset shadowDatabaseUrl.');
  }
  // Once: a second instance would break the first one's pending calls.
  await (instantiated ??= instantiate());
  return bindings.SchemaEngine.new(
    { datamodels: datamodels?.map((path) => [path, readFileSync(path, 'utf8')]) },
    (line) => process.env.DEBUG && process.stderr.write(`${line}\n`),
    bindMigrationAwareSqlAdapterFactory(new EngineDatabase(datasource.url)),
  );
}
