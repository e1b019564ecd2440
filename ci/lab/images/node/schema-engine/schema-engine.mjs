#!/usr/bin/env node
/**
 * Prisma's schema engine from npm packages alone, for machines that cannot download the native one.
 *
 * The Prisma CLI starts the file named by PRISMA_SCHEMA_ENGINE_BINARY in two ways:
 *   schema-engine --datasource JSON cli COMMAND            one command on a database, then exit
 *   schema-engine --datasource JSON --datamodels FILE …    JSON-RPC on standard input and output
 * Both are answered by Prisma's WebAssembly build of the engine over node-postgres. PostgreSQL only.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runCommand } from './lib/commands.mjs';
import { loadEngine } from './lib/engine.mjs';
import { serve } from './lib/server.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    datasource: { type: 'string', default: '{}' },
    datamodels: { type: 'string', multiple: true },
    'enabled-preview-features': { type: 'string' },
    'extension-types': { type: 'string' },
    version: { type: 'boolean' },
  },
});

if (values.version) {
  const { dependencies } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url)));
  console.log(`schema-engine-cli ${dependencies['@prisma/schema-engine-wasm'].split('.').pop()}`);
} else if (positionals[0] === 'cli') {
  process.exitCode = await runCommand(positionals[1], JSON.parse(values.datasource).url);
} else {
  const datasource = JSON.parse(values.datasource);
  await serve(() => loadEngine(datasource, values.datamodels), process.stdin, process.stdout);
}
