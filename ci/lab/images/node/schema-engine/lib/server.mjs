/** The long-running side: JSON-RPC 2.0, a message a line, one request at a time. */
import { createInterface } from 'node:readline';
import { log } from './log.mjs';

const SERVER_ERROR = 4466; // the native engine's code for every failed request
const PANIC_EXIT = 101; // a Rust program's exit code after a panic, which the CLI knows

/**
 * Answer requests until the input ends.
 * @param {() => Promise<object>} load makes the engine, at the first request
 * @param {NodeJS.ReadableStream} input
 * @param {NodeJS.WritableStream} output
 */
export async function serve(load, input, output) {
  const send = (message) => output.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const panic = watchForPanics(send);
  let engine;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const { id, method, params } = parse(line);
    if (!method) continue; // the CLI's reply to `print`
    panic.request = id;
    try {
      engine ??= await load();
      send({ id, result: await call(engine, method, params, send) });
    } catch (error) {
      send({ id, error: failure(error, panic.message) });
    }
  }
  // The connection pool would keep the process alive.
  process.exit();
}

/** A message, or nothing where the line is none. */
function parse(line) {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
  }
}

/** Call the engine's method; what the build returns to be printed is sent as the CLI expects it. */
async function call(engine, method, params, send) {
  const name = method === 'getDatabaseVersion' ? 'version' : method;
  if (typeof engine[name] !== 'function') throw new Error(`The schema engine has no method ${method}.`);
  const result = (await engine[name](params)) ?? null;
  if (method !== 'diff' || result === null) return result;
  const { stdout, ...rest } = result;
  if (stdout) send({ id: 0, method: 'print', params: { content: stdout } });
  return rest;
}

/** The error object of a failed request. */
function failure(error, panicMessage) {
  const data = panicMessage
    ? { is_panic: true, message: panicMessage, backtrace: error.stack ?? null }
    : {
        is_panic: false,
        message: String(error.message ?? error),
        error_code: error.code,
        meta: error.meta ?? null,
      };
  const message = 'An error happened. Check the data field for details.';
  return { code: SERVER_ERROR, message, data };
}

/**
 * A panic of the engine ends in a WebAssembly trap outside the promise that is awaited: the request
 * would stay open. It is answered here, and the process ends as the native engine does.
 */
function watchForPanics(send) {
  const panic = { message: '', request: undefined };
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message: (message) => (panic.message = `RuntimeError: ${message}`),
  };
  process.on('uncaughtException', (error) => {
    const message = panic.message || String(error.stack ?? error);
    log('ERROR', { is_panic: true, message, backtrace: error.stack ?? null });
    if (panic.request !== undefined) {
      const data = { is_panic: true, message, error: { message } };
      send({ id: panic.request, error: { code: SERVER_ERROR, message, data } });
    }
    setImmediate(() => process.exit(PANIC_EXIT));
  });
  return panic;
}
