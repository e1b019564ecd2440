/** The engine's log: one JSON object a line on standard error, where the CLI looks for errors. */

/**
 * Write a line.
 * @param {'INFO' | 'ERROR'} level
 * @param {object} fields `message`, and for an error `is_panic`, `error_code`, `meta`, `backtrace`
 */
export function log(level, fields) {
  const timestamp = new Date().toISOString();
  const line = { timestamp, level, fields, target: 'schema_engine::logger' };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
