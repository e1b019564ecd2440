/** The one-shot commands: is the database there, create it, drop it. */
import pg from 'pg';
import { connectionSettings } from './database.mjs';
import { log } from './log.mjs';

const UNREACHABLE = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH'];

const COMMANDS = {
  'can-connect-to-database': (url) => query(url),
  'create-database': (url, name) =>
    query(url, 'postgres', `CREATE DATABASE ${pg.escapeIdentifier(name)}`),
  'drop-database': (url, name) =>
    query(url, 'postgres', `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`),
};

/**
 * Run a command; an error goes to the log in the form that the CLI reads.
 * @param {string} command
 * @param {string} url
 * @returns {Promise<number>} the process's exit code
 */
export async function runCommand(command, url) {
  // The CLI drops the first line unread: the native engine greets there.
  log('INFO', { message: 'Starting schema engine CLI' });
  try {
    const run = COMMANDS[command];
    if (!run) throw new Error(`The schema engine has no command ${command}.`);
    await run(url, connectionSettings(url).database);
    return 0;
  } catch (error) {
    log('ERROR', { is_panic: false, meta: null, ...describe(error, url) });
    return 1;
  }
}

/** Connect, and run a statement if there is one. */
async function query(url, database, statement) {
  const client = new pg.Client(connectionSettings(url, database));
  try {
    await client.connect();
    if (statement) await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Prisma's code and message of a failure, by PostgreSQL's SQLSTATE or the socket's error.
 * Codes: https://www.prisma.io/docs/orm/reference/error-reference
 * @param {Error & { code?: string }} error
 * @param {string} url
 * @returns {{ error_code?: string, message: string }}
 */
export function describe(error, url) {
  if (!error.code || !URL.canParse(url)) return { message: error.message || String(error) };
  const { host, port, user, database } = connectionSettings(url);
  const server = `${host}:${port}`;
  switch (error.code) {
    case '3D000':
      return code('P1003', `Database \`${database}\` does not exist on the database server at \`${server}\`.`);
    case '28P01':
    case '28000':
      return code('P1000', `Authentication failed against database server, the provided database credentials for \`${user}\` are not valid.`);
    case '42P04':
      return code('P1009', `Database \`${database}\` already exists on the database server at \`${server}\``);
    case '42501':
      return code('P1010', `User \`${user}\` was denied access on the database \`${database}\``);
    default:
      if (UNREACHABLE.includes(error.code)) {
        return code('P1001', `Can't reach database server at \`${server}\`\n\nPlease make sure your database server is running at \`${server}\`.`);
      }
      return { message: error.message };
  }
}

const code = (error_code, message) => ({ error_code, message });
