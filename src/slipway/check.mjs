#!/usr/bin/env node
// Runs one step of `verify` and notes how it went: its own exit code is 0 whatever the tool's is, so that the
// engine keeps the files. It prints nothing: only failing steps are shown, when all have ended.
// Usage: check.mjs NAME '{"folder": "/app/apps/api", "line": "pnpm run lint", "limit": 900, "guard": true}'
// limit: seconds until the step is stopped. guard: note the files that it changes.
// Writes record.json beside itself; a test runner writes tests.json there, in Jest's format.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const HEAD = 20_000;
const TAIL = 300_000;
const MESSAGE = 10_000;
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const { folder, line, limit, guard } = JSON.parse(process.argv[3]);

function digests() {
  const found = new Map();
  const visit = (below) => {
    for (const entry of fs.readdirSync(path.join(folder, below), { withFileTypes: true })) {
      const name = path.join(below, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') visit(name);
      if (entry.isFile()) found.set(name, createHash('sha256').update(fs.readFileSync(path.join(folder, name))).digest('hex'));
    }
  };
  visit('');
  return found;
}

function changed(before) {
  const after = digests();
  return [...before].filter(([name, digest]) => after.get(name) !== digest).map(([name]) => name);
}

function run() {
  return new Promise((resolve) => {
    const output = fs.openSync(path.join(here, 'output'), 'w');
    // A group of its own: what the step leaves running is ended with it.
    const child = spawn('sh', ['-c', line], { cwd: folder, detached: true, stdio: ['ignore', output, output] });
    const end = () => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* nothing is left */ } };
    let stopped = false;
    const timer = setTimeout(() => { stopped = true; end(); }, limit * 1000);
    child.on('error', (error) => { fs.writeSync(output, `${error.message}\n`); resolve({ exit_code: 127, stopped }); });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      end();
      resolve({ exit_code: code ?? 128 + os.constants.signals[signal], stopped });
    });
  });
}

function text(file) {
  const all = stripVTControlCharacters(fs.readFileSync(file, 'utf8'));
  if (all.length <= HEAD + TAIL) return all;
  return `${all.slice(0, HEAD)}\n(${all.length - HEAD - TAIL} characters left out)\n${all.slice(-TAIL)}`;
}

const short = (message) => stripVTControlCharacters(message ?? '').slice(0, MESSAGE);

function suites(file) {
  let report;
  try {
    report = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null; // no test runner that we know, or one that did not get so far
  }
  return report.testResults.map((suite) => ({
    file: suite.name,
    failed: suite.status === 'failed',
    message: short(suite.message),
    cases: suite.assertionResults.map((one) => ({
      name: [...one.ancestorTitles, one.title].join(' > '),
      status: one.status,
      seconds: (one.duration ?? 0) / 1000,
      message: short((one.failureMessages ?? []).join('\n\n')),
    })),
  }));
}

const before = guard ? digests() : new Map();
const begun = Date.now() / 1000;
const { exit_code, stopped } = await run();
const record = {
  begun,
  ended: Date.now() / 1000,
  exit_code,
  stopped,
  output: text(path.join(here, 'output')),
  changed: guard ? changed(before) : [],
  suites: suites(path.join(here, 'tests.json')),
};
fs.writeFileSync(path.join(here, 'record.json'), JSON.stringify(record));
