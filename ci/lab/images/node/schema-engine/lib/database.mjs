/** PostgreSQL as the engine needs it: a URL's settings, and Prisma's adapter with its gaps filled. */
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';

const CHAR = 18; // "char", the one-byte type of pg_catalog
const NAME = 19;
const TEXT = 25;

/**
 * The adapter has no column type for "char", in which pg_catalog keeps its flags. It travels as
 * text, like `name`, so it is announced as text.
 */
class CatalogClient extends pg.Client {
  constructor(config) {
    super(config);
    this.connection.on('rowDescription', ({ fields }) => {
      for (const field of fields) {
        if (field.dataTypeID === CHAR || field.dataTypeID === NAME) field.dataTypeID = TEXT;
      }
    });
  }
}

/**
 * node-postgres settings of a Prisma connection URL.
 * @param {string} url as in DATABASE_URL, with Prisma's parameters `host`, `sslmode`, `sslaccept`
 * @param {string} [database] another database on the same server
 * @returns {pg.PoolConfig}
 * @throws {Error} the URL cannot be parsed; does not repeat it, for the password in it
 */
export function connectionSettings(url, database) {
  if (!URL.canParse(url)) {
    throw new Error('The database URL cannot be parsed: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded.');
  }
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const encrypted = ['require', 'verify-ca', 'verify-full'].includes(searchParams.get('sslmode'));
  return {
    host: searchParams.get('host') ?? hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: database ?? decodeURIComponent(pathname.slice(1)),
    ssl: encrypted && { rejectUnauthorized: searchParams.get('sslaccept') === 'strict' },
    Client: CatalogClient,
  };
}

/**
 * Connections of the engine to one database.
 * The pool has one connection, as the native engine has: the advisory lock that keeps two deploys
 * apart belongs to a connection, and a second one would wait for the first for ever.
 */
export class EngineDatabase extends PrismaPg {
  #url;

  /**
   * @param {string} url
   * @param {string} [database] another database on the same server
   */
  constructor(url, database) {
    const settings = { ...connectionSettings(url, database), max: 1, idleTimeoutMillis: 0 };
    super(settings, { schema: new URL(url).searchParams.get('schema') ?? 'public' });
    this.#url = url;
  }

  /**
   * The adapter cuts a script at every semicolon, which breaks function bodies. The native engine
   * sends it whole, and the server then runs it as one transaction.
   */
  async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      await adapter
        .underlyingDriver()
        .query(script)
        .catch((error) => adapter.onError(error));
    };
    return adapter;
  }

  /** The adapter's own version drops the shadow database while still connected to it. */
  async connectToShadowDb() {
    const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
    const main = await this.connect();
    await main.executeScript(`CREATE DATABASE "${name}"`);
    const shadow = await new EngineDatabase(this.#url, name).connect();
    const close = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await close();
      await main.executeScript(`DROP DATABASE IF EXISTS "${name}"`);
      await main.dispose();
    };
    return shadow;
  }
}
